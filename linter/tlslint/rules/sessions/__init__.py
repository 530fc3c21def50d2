"""TLS6xx: sessions."""
