"""TLS2xx: cipher suites, groups, Diffie-Hellman parameters."""
