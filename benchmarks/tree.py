"""Generates an nginx configuration of many virtual hosts, one file each, as the benchmarks read it.

    python benchmarks/tree.py FOLDER --hosts 1000 --certificates shared|distinct

A process of its own, so that the memory that generating takes is not counted to the programs that are measured.
"""

import argparse
import datetime
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

PORTS = {"http": 18080, "https": 18443}
SHARED_CERTIFICATES = 3

MAIN = """\
worker_processes auto;
pid logs/nginx.pid;
error_log logs/error.log warn;

events {{
    worker_connections 1024;
}}

http {{
    access_log off;
    server_tokens off;
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;
{temporary_paths}
    include snippets/tls.conf;

    # whoever asks for no known name
    server {{
        listen 127.0.0.1:{https} ssl default_server;
        server_name _;
        ssl_reject_handshake on;
    }}

    include sites/*.conf;
}}
"""

TEMPORARY_PATHS = ("client_body_temp_path", "proxy_temp_path")

TLS_SNIPPET = """\
# what all sites have in common
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_prefer_server_ciphers off;
ssl_session_timeout 1d;
ssl_session_cache shared:SSL:10m;
ssl_session_tickets off;
"""

HEADERS_SNIPPET = """\
add_header Strict-Transport-Security "max-age=63072000" always;
add_header X-Content-Type-Options nosniff;
"""

SITE = """\
# {name}
server {{
    listen 127.0.0.1:{http};
    server_name {name} www-{name};

    location /.well-known/acme-challenge/ {{
        root /srv/acme;
    }}
    location / {{
        return 301 https://$host$request_uri;
    }}
}}

server {{
    listen 127.0.0.1:{https} ssl;
    server_name {name} www-{name};

    ssl_certificate     certificates/{certificate}.pem;
    ssl_certificate_key certificates/{certificate}.key;
{own}    include snippets/headers.conf;

    root /srv/{name}/public;
    index index.html;

    location / {{
        try_files $uri $uri/ @app;
    }}
    location ~* \\.(?:css|js|png|svg|woff2)$ {{
        expires 30d;
    }}
    location @app {{
        proxy_pass http://127.0.0.1:{backend};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 60s;
    }}
}}
"""

OWN_LINES = {
    10: "    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\n",
    7: "    ssl_ciphers HIGH:!aNULL:!MD5;\n    ssl_prefer_server_ciphers on;\n",
    13: "    ssl_session_tickets on;\n",
    11: '    location /downloads/ {\n        add_header Cache-Control "public";\n    }\n',
}
"""Lines that every nth host has of its own, some of them weak: a tree without findings would be no work."""


def write_tree(folder: Path, hosts: int, certificates: str) -> None:
    """Write the configuration of `hosts` hosts, with `shared` or `distinct` certificates, into a new folder."""
    for name in ("sites", "snippets", "certificates", "logs"):
        (folder / name).mkdir(parents=True)
    temporary = "".join(f"    {name} logs/{name};\n" for name in TEMPORARY_PATHS)
    (folder / "nginx.conf").write_text(MAIN.format(temporary_paths=temporary, **PORTS))
    (folder / "snippets/tls.conf").write_text(TLS_SNIPPET)
    (folder / "snippets/headers.conf").write_text(HEADERS_SNIPPET)
    for index in range(hosts):
        (folder / f"sites/{site_name(index)}.conf").write_text(site(index, certificates))
    for name, names in certificate_names(hosts, certificates):
        write_certificate(folder / "certificates", name, names)


def site_name(index: int) -> str:
    return f"shop{index:05}.example.test"


def certificate_of(index: int, certificates: str) -> str:
    return site_name(index) if certificates == "distinct" else f"shared{index % SHARED_CERTIFICATES}"


def site(index: int, certificates: str) -> str:
    return SITE.format(
        name=site_name(index),
        certificate=certificate_of(index, certificates),
        own="".join(lines for every, lines in OWN_LINES.items() if index % every == 0),
        backend=20000 + index % 1000,
        **PORTS,
    )


def certificate_names(hosts: int, certificates: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each certificate's file name and the DNS names in it."""
    if certificates == "distinct":
        for index in range(hosts):
            yield site_name(index), [site_name(index), f"www-{site_name(index)}"]
    else:
        for index in range(min(hosts, SHARED_CERTIFICATES)):
            yield f"shared{index}", ["*.example.test", "example.test"]


# --- certificates -------------------------------------------------------------------------------------------------

NOT_BEFORE = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=10)
LIFETIME = datetime.timedelta(days=90)


def authority() -> tuple[x509.Name, ec.EllipticCurvePrivateKey, bytes]:
    """Make an intermediate certificate authority: its name, its key and its certificate as PEM."""
    root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Benchmark Root")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Benchmark Intermediate")])
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        builder(name, root, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return name, key, certificate.public_bytes(serialization.Encoding.PEM)


def builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_BEFORE + LIFETIME)
    )


ISSUER, ISSUER_KEY, ISSUER_PEM = authority()


def write_certificate(folder: Path, file: str, names: list[str]) -> None:
    """Write an EC certificate for `names` with its intermediate, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    certificate = (
        builder(subject, ISSUER, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ISSUER_KEY, hashes.SHA256())
    )
    (folder / f"{file}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + ISSUER_PEM)
    (folder / f"{file}.key").touch(mode=0o600)
    (folder / f"{file}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def main() -> None:
    options = argparse.ArgumentParser(description="Generate an nginx configuration of many virtual hosts.")
    options.add_argument("folder", type=Path)
    options.add_argument("--hosts", type=int, required=True)
    options.add_argument("--certificates", choices=("shared", "distinct"), default="shared")
    given = options.parse_args()
    write_tree(given.folder, given.hosts, given.certificates)


if __name__ == "__main__":
    main()
