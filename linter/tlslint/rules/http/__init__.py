"""TLS8xx: HTTP."""
