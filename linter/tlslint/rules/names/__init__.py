"""TLS4xx: names, SNI, the default server."""
