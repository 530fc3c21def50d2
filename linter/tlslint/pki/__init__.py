"""What the certificate and key files on disk hold."""
