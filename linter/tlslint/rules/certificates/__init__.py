"""TLS3xx: certificates, chains and keys, as they stand in the files that the configuration names."""
