"""A git repository of many hosts, and git itself, kept away from the user's settings."""
# ruff: noqa: E501 - a cipher list is a line

import os
import subprocess
from pathlib import Path

MAIN = """\
user www-data;
events {
    worker_connections 1024;
}
http {
    log_format tls '$remote_addr $ssl_protocol $ssl_cipher "$request" $status';
    access_log /var/log/nginx/access.log tls;
    include snippets/tls.conf;
    include sites/*.conf;
}
"""
TLS = """\
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_prefer_server_ciphers off;
ssl_session_tickets off;
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1d;
server_tokens off;
"""
DEFAULT = """\
server {
    listen 443 ssl default_server;
    server_name _;
    ssl_reject_handshake on;
}
"""
SITE = """\
server {{
    listen 443 ssl;
    server_name {name};
    ssl_certificate /etc/ssl/sites/{name}.pem;
    ssl_certificate_key /etc/ssl/private/{name}.key;
    add_header Strict-Transport-Security "max-age=63072000" always;
{include}
    location / {{
        root /srv/{name};
    }}
}}
"""
PARTNERS = """\
# hosts that partners reach
add_header X-Frame-Options DENY;
include snippets/partners/connection.conf;
"""
CONNECTION = """\
keepalive_timeout 65;
include snippets/partners/upload.conf;
"""
UPLOAD = """\
client_max_body_size 20m;
"""
WEAKNESS = "\n# the old terminals\nssl_protocols TLSv1 TLSv1.2 TLSv1.3;\n"
"""To be written at the end of the snippet: it takes effect in one host, three includes away from the main file."""
WEAK_LINE = 4
SNIPPET = "snippets/partners/upload.conf"
PARTNER = 217


def host(index: int) -> str:
    return f"host{index:03}.example.org"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def build(folder: Path, hosts: int = 500, partner: int = PARTNER) -> Path:
    """Write the configuration of a server with many hosts, one of which includes three files, each from the other."""
    write(folder, "nginx.conf", MAIN)
    write(folder, "snippets/tls.conf", TLS)
    write(folder, "snippets/partners.conf", PARTNERS)
    write(folder, "snippets/partners/connection.conf", CONNECTION)
    write(folder, SNIPPET, UPLOAD)
    write(folder, "sites/000-default.conf", DEFAULT)
    for index in range(1, hosts + 1):
        include = "    include snippets/partners.conf;\n" if index == partner else ""
        write(folder, f"sites/{host(index)}.conf", SITE.format(name=host(index), include=include))
    return folder


ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "tlslint's tests",
    "GIT_AUTHOR_EMAIL": "tests@example.org",
    "GIT_COMMITTER_NAME": "tlslint's tests",
    "GIT_COMMITTER_EMAIL": "tests@example.org",
    # whoever owns the checkout
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a directory, and return what it prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def commit(folder: Path, message: str = "A commit") -> None:
    """Commit all that is in a directory; make it a repository first if it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
