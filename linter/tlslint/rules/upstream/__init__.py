"""TLS9xx: connections that the server itself makes."""
