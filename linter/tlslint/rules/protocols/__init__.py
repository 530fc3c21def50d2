"""TLS1xx: protocol versions."""
