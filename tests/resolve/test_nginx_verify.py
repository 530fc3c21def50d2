"""What we say nginx refuses, it refuses: small random damage to valid configurations, put to us and to `nginx -t`.

A false alarm fails the test. What nginx refuses and we let pass is counted, and must stay rare.
`TLSLINT_MUTATIONS=2000` is the long run.
"""

import os
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.servers import NGINX_NAMES, NginxBinary, needed_nginx, nginx_test
from tlslint.check import check
from tlslint.discover import discover
from tlslint.finding import Finding, Severity
from tlslint.parse.tree import Tree
from tlslint.policy import load_policy
from tlslint.resolve import nginx_directives as table
from tlslint.resolve.model import Problem
from tlslint.resolve.nginx import resolve
from tlslint.rules.ciphers import unsupported_group, unusable_cipher_list
from tlslint.settings import Settings
from tlslint.target import parse_target

MUTATIONS = int(os.environ.get("TLSLINT_MUTATIONS", "150"))
FIRST = int(os.environ.get("TLSLINT_RANDOM_FIRST", "0"))
CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"

HTTP = """\
error_log stderr;
events {
    worker_connections 64;
}
http {
    server_names_hash_bucket_size 64;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:TLS:1m;
    ssl_session_timeout 1d;
    ssl_session_tickets off;
    ssl_certificate CERTIFICATES/a-rsa.pem;
    ssl_certificate_key CERTIFICATES/a-rsa.key;
    add_header X-A "b" always;
    server {
        listen 127.0.0.1:443 ssl default_server;
        listen 127.0.0.1:8443 ssl;
        server_name a.example.test www.a.example.test;
        ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256;
        ssl_prefer_server_ciphers off;
        ssl_ecdh_curve X25519:prime256v1;
        ssl_dhparam CERTIFICATES/dhparam-2048.pem;
        ssl_buffer_size 4k;
        location / {
            proxy_pass https://127.0.0.1:9;
            proxy_ssl_verify off;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_set_header Host $host;
        }
    }
    server {
        listen 127.0.0.1:443 ssl;
        listen 127.0.0.1:80;
        server_name .b.example.test "~^c[0-9]+\\.example\\.test$";
        ssl_client_certificate CERTIFICATES/client-ca-1.pem;
        ssl_verify_client optional;
        ssl_verify_depth 2;
        ssl_early_data off;
        ssl_conf_command Options PrioritizeChaCha;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        if ($host = x) {
            return 404;
        }
        location = /x {
            add_header X-B c;
            return 204;
        }
    }
    server {
        listen 127.0.0.1:443;
        ssl_reject_handshake on;
        ssl_stapling off;
        return 444;
    }
}
"""
STREAM = """\
error_log stderr;
events {
}
stream {
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_handshake_timeout 10s;
    server {
        listen 127.0.0.1:853 ssl;
        ssl_certificate CERTIFICATES/a-rsa.pem;
        ssl_certificate_key CERTIFICATES/a-rsa.key;
        ssl_session_cache none;
        ssl_alpn dot;
        proxy_pass 127.0.0.1:53;
        proxy_ssl off;
        proxy_timeout 30s;
    }
    server {
        listen 127.0.0.1:854 reuseport;
        ssl_preread on;
        proxy_pass 127.0.0.1:55;
    }
}
"""

VALUES = (
    "on", "off", "ON", "yes", "optional", "optional_no_ca", "none", "builtin:1000", "shared:A:1k", "shared:A:64k",
    "shared:A",
    "1d", "0", "-1", "5min", "100ms", "1h 30m", '"1h 30m"', '"30m 1h"', "10k", "10g", "2x", "auto", "X25519",
    "P-256:P-384",
    "prime256v1,X25519", "brainpoolP256r1", "X25519MLKEM768", "?X25519:P-256", "HIGH:!aNULL", "FOO",
    "TLS_AES_128_GCM_SHA256",
    "FOO:HIGH", "HIGH:@SECLEVEL=9", "TLSv1.4", "tlsv1.2", "TLSv1.1", "", '""', "leaf", "TLSv1.2 TLSv1.3 SSLv3",
    "443", "127.0.0.1:443", "*.x.test", "www.*.test", "*", "a*.test", "_", "~(", "~^(?<x>a)$", ".", "a..test",
    "x" * 70 + ".test",
)  # fmt: skip
LISTEN_WORDS = (
    "ssl", "http2", "quic", "spdy", "default_server", "default", "bind", "reuseport", "backlog=511", "backlog=0",
    "proxy_protocol", "udp", "http2", "deferred", "so_keepalive=on", "so_keepalive=5x", "ipv6only=on", "fastopen=3",
    "multipath", "nonsense", "rcvbuf=x",
)  # fmt: skip
COMMANDS = (
    "Options -SessionTicket",
    "MinProtocol TLSv1.2",
    "Cipherstring HIGH",
    "Foo bar",
    "NumTickets 2",
    "groups P-256",
)

REFUSED = re.compile(r"is refused( by OpenSSL [\d.]+\w?)?$")

Lines = list[str]


def simple(line: str) -> bool:
    return line.rstrip().endswith(";")


def pick(lines: Lines, choice: random.Random, wanted: Callable[[str], bool] = simple) -> int:
    return choice.choice([index for index, line in enumerate(lines) if wanted(line)])


def delete(lines: Lines, choice: random.Random) -> None:
    del lines[pick(lines, choice)]


def repeat(lines: Lines, choice: random.Random) -> None:
    index = pick(lines, choice)
    lines.insert(index, lines[index])


def move(lines: Lines, choice: random.Random) -> None:
    line = lines.pop(pick(lines, choice))
    lines.insert(choice.randrange(1, len(lines)), line)


def copy(lines: Lines, choice: random.Random) -> None:
    lines.insert(choice.randrange(1, len(lines)), lines[pick(lines, choice)])


def unterminate(lines: Lines, choice: random.Random) -> None:
    index = pick(lines, choice)
    lines[index] = lines[index].rstrip().removesuffix(";")


def drop_brace(lines: Lines, choice: random.Random) -> None:
    del lines[pick(lines, choice, lambda line: line.strip() == "}")]


def change_value(lines: Lines, choice: random.Random) -> None:
    index = pick(lines, choice)
    words = lines[index].rstrip().removesuffix(";").split(" ")
    first = next(number for number, word in enumerate(words) if word) + 1
    words[choice.randrange(min(first, len(words) - 1), len(words))] = choice.choice(VALUES)
    lines[index] = " ".join(words) + ";"


def change_listen(lines: Lines, choice: random.Random) -> None:
    index = pick(lines, choice, lambda line: "listen" in line)
    lines[index] = lines[index].rstrip().removesuffix(";") + f" {choice.choice(LISTEN_WORDS)};"


def change_command(lines: Lines, choice: random.Random) -> None:
    lines.insert(pick(lines, choice), f"ssl_conf_command {choice.choice(COMMANDS)};")


def insert(lines: Lines, choice: random.Random) -> None:
    """A directive of the table with values that may or may not fit, anywhere."""
    module = choice.choice(("http", "http", "stream", "main"))
    name = choice.choice(table.names(module))
    if name in ("load_module", "ssl_engine", "user", "error_log", "access_log") or "path" in name:
        return
    facts = table.directive(name, module)
    assert facts is not None
    word = choice.choice((*facts.values, "on", "off", "1", "10s", "64k"))
    words = [word] * choice.choice((facts.min_args, facts.min_args, facts.min_args + 1))
    lines.insert(choice.randrange(1, len(lines)), f"{name} {' '.join(words)};")


CHANGES = (
    delete, repeat, move, copy, unterminate, drop_brace, change_value, change_value, change_value, change_listen,
    change_command, insert, insert, insert,
)  # fmt: skip


def mutated(base: str, choice: random.Random) -> str:
    lines = base.splitlines()
    for _ in range(choice.choice((1, 1, 1, 2))):
        choice.choice(CHANGES)(lines, choice)
    return "\n".join(lines) + "\n"


def said(nginx: NginxBinary, text: str, folder: Path) -> tuple[list[Problem], list[Finding]]:
    """What we say of a configuration: what the resolver met, and what rules say of lists for OpenSSL."""
    path = folder / "nginx.conf"
    path.write_text(text)
    target = "local" if nginx.name == "nginx-system" else nginx.target
    (root,) = discover([str(path)], Settings(root="/", target=target, server="nginx")).roots
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    deployment = resolve(root, tree, parse_target(target, "nginx"))
    return deployment.problems, check(deployment, load_policy("mozilla-intermediate"), LIST_RULES)


def refusals(found: list[Problem], lists: list[Finding]) -> list[str]:
    """What we say keeps nginx from starting, as far as `nginx -t` can tell."""
    problems = [item for item in found if item.severity == "error" and "-t" not in item.label]
    refused = [item for item in lists if item.severity is Severity.ERROR and REFUSED.search(item.message)]
    places = [(item.message, item.span.line) for item in problems] + [
        (item.message, item.span.line) for item in refused
    ]
    return [f"{message} in line {line}" for message, line in places]


def outdated(found: list[Problem]) -> set[int]:
    """The lines with something of which we say that nginx accepts it with a warning."""
    kinds = ("deprecated-directive", "removed-directive")
    return {problem.span.line for problem in found if problem.kind in kinds and problem.severity == "warning"}


LIST_RULES = (unusable_cipher_list, unsupported_group)

NOT_OURS = (
    # files and what is in them
    "No such file", "cannot load", "BIO_new_file", "PEM_read", "failed (2:", "open()", "Is a directory",
    # pairs of certificate and key, and client verification, have rules of their own
    'no "ssl_certificate_key" is defined', "no ssl_client_certificate", "key values mismatch",
    # what has nothing to do with TLS, and names that a resolver would have to find
    "invalid return code", "invalid URL prefix", "no port in upstream", "host not found", "worker_connections",
    "proxy_timeout",
    "no handler for server", "invalid variable name", "invalid number of arguments in \"root\"",
    # modules that a build lacks, and what nginx sells
    "_key_log",
    "requires ngx_", "requires the",
)  # fmt: skip


@pytest.fixture(params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


@pytest.mark.parametrize("base", [HTTP, STREAM], ids=["http", "stream"])
def test_verdicts(nginx: NginxBinary, base: str, tmp_path: Path) -> None:
    base = base.replace("CERTIFICATES", str(CERTIFICATES))
    assert nginx_test(nginx, base)[0]
    assert refusals(*said(nginx, base, tmp_path)) == []
    texts = [mutated(base, random.Random(f"{nginx.name} {FIRST} {number}")) for number in range(MUTATIONS)]
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda text: nginx_test(nginx, text), texts))
    alarms: list[str] = []
    misses: list[str] = []
    refused = 0
    for text, (passed, messages) in zip(texts, verdicts, strict=True):
        problems, lists = said(nginx, text, tmp_path)
        found = refusals(problems, lists)
        if passed:
            warned = {
                int(line) for line in re.findall(r"is (?:deprecated|obsolete),.* in .*:(\d+)$", messages, re.MULTILINE)
            }
            if warned != outdated(problems):
                alarms.append(f"warnings: nginx {warned}, we {outdated(problems)}\n{messages}\n{text}")
        if passed and found:
            alarms.append(f"{found}\n{text}")
        if not passed and not any(part in messages for part in NOT_OURS):
            refused += 1
            if not found:
                misses.append(f"{re.sub(r'nginx: ', '', messages).strip()}")
    print(f"{nginx.name}: {len(texts)} configurations, {refused} refused, {len(misses)} of them not foreseen")
    print("\n".join(misses))
    assert alarms == [], "\n".join(alarms)
    assert refused > len(texts) // 4
    assert len(misses) <= refused // 10
