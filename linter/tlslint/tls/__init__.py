"""What OpenSSL makes of a setting."""
