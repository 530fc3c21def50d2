"""The httpd of this machine, for tests that ask it."""

from parse.apache_oracle import find_httpd

__all__ = ["find_httpd"]
