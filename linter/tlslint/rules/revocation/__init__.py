"""Rules about OCSP stapling."""
