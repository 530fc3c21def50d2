"""TLS0xx: the configuration itself."""
