"""What is predicted of response headers and redirects is what two real servers send, status by status."""

import http.client
import random
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.servers import NginxBinary, NginxServer, free_ports
from tlslint.discover import discover
from tlslint.parse.tree import Tree
from tlslint.resolve.model import Deployment, Location, Unknown
from tlslint.resolve.nginx import resolve
from tlslint.resolve.nginx_http import ALWAYS_SENT_WITH
from tlslint.settings import Settings
from tlslint.target import parse_target

TREES = 30
REQUESTS = 150
STATUSES = (200, 201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 418, 451, 500, 503)
NAMES = ("X-A", "X-B", "X-C", "Strict-Transport-Security")
INHERIT_SINCE = (1, 29, 3)


@dataclass
class Grown:
    """A random server block: its text, and the paths at which to ask with the location that answers."""

    lines: list[str] = field(default_factory=list)
    paths: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, location as written, and the condition of the `if` that holds for it."""


class Grower:
    """Grows random `add_header` trees."""

    def __init__(self, choice: random.Random, version: Sequence[int]) -> None:
        self.choice = choice
        self.can_merge = tuple(version) >= INHERIT_SINCE
        self.counter = 0

    def headers(self, most: int = 2) -> Iterator[str]:
        if self.can_merge and self.choice.random() < 0.25:
            yield f"add_header_inherit {self.choice.choice(('on', 'off', 'merge'))};"
        for _ in range(self.choice.choice((0, 0, 1, most))):
            self.counter += 1
            value = self.choice.choice((f"v{self.counter}", f'"v{self.counter}; w"', '""', "$mapped", "$fixed"))
            always = self.choice.choice(("", " always"))
            yield f"add_header {self.choice.choice(NAMES)} {value}{always};"

    def answer(self) -> str:
        status = self.choice.choice(STATUSES)
        if status in (301, 302, 303, 307, 308):
            return f"return {status} {self.choice.choice(('https', 'http', '$scheme'))}://r.example.test/x;"
        return f"return {status};"

    def location(self, path: str, depth: int, tree: Grown, indent: str) -> None:
        written = self.choice.choice((path, f"^~ {path}")) if depth else path
        tree.lines.append(f"{indent}location {written} {{")
        tree.lines += [f"{indent}    {line}" for line in self.headers()]
        if self.choice.random() < 0.4:
            tree.lines.append(f"{indent}    if ($arg_q = 1) {{")
            own = list(self.headers())
            tree.lines += [f"{indent}        {line}" for line in own if "inherit" not in line]
            tree.lines += [f"{indent}        {self.answer()}", f"{indent}    }}"]
            tree.paths.append((f"{path}?q=1", written, "$arg_q = 1"))
        if depth < 2 and self.choice.random() < 0.5:
            self.location(f"{path}n{depth}/", depth + 1, tree, indent + "    ")
        tree.lines += [f"{indent}    {self.answer()}", f"{indent}}}"]
        tree.paths.append((path, written, ""))

    def server(self, tree: Grown) -> None:
        tree.lines += [f"    {line}" for line in self.headers()]
        for number in range(self.choice.randint(1, 4)):
            self.location(f"/l{number}/", 0, tree, "    ")
        if self.choice.random() < 0.3:
            tree.lines.append(f"    location / {{ {self.answer()} }}")
            tree.paths.append(("/other", "/", ""))
        else:
            tree.paths.append(("/other", "", ""))


def write(folder: Path, trees: list[Grown], http: list[str], ports: tuple[int, int], certificates: Path) -> None:
    lines = ["events {}", "http {", '    map $scheme $mapped { https "over-tls"; }', *(f"    {line}" for line in http)]
    lines += [f"    ssl_certificate {certificates}/a-rsa.pem;", f"    ssl_certificate_key {certificates}/a-rsa.key;"]
    for number, tree in enumerate(trees):
        lines += ["    server {", f"        listen 127.0.0.1:{ports[0]};", f"        listen 127.0.0.1:{ports[1]} ssl;"]
        lines += [f"        server_name t{number}.example.test;", f"        set $fixed f{number};"]
        lines += ["        error_log /dev/null;", f"        root {folder}/empty;"]
        lines += [f"    {line}" for line in tree.lines] + ["    }"]
    (folder / "nginx.conf").write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def resolved(entry: Path, target: str) -> Deployment:
    settings = Settings(root="/", target=target)
    (root,) = discover([str(entry)], settings).roots
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    return resolve(root, tree, parse_target(target, "nginx"))


def expected_headers(location: Location, status: int, tls: bool) -> list[tuple[str, str]]:
    found = []
    for header in location.headers:
        values = header.over_tls if tls else header.over_plain
        assert not isinstance(values, Unknown)
        assert len(values) == 1
        if values[0] and (header.always or status in ALWAYS_SENT_WITH):
            found.append((header.name, values[0]))
    return found


def ask(ports: tuple[int, int], tls: bool, host: str, path: str) -> tuple[int, list[tuple[str, str]]]:
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", ports[1], timeout=5, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheaders()
    finally:
        connection.close()


def test_headers_and_redirects_arrive_as_predicted(nginx: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    choice = random.Random(f"headers {nginx.name}")
    grower = Grower(choice, nginx.version)
    trees = [Grown() for _ in range(TREES)]
    for tree in trees:
        grower.server(tree)
    first, second = free_ports(2)
    ports = (first, second)
    outer = [line for line in grower.headers() if "$fixed" not in line]
    write(tmp_path, trees, outer, ports, certificates)
    deployment = resolved(tmp_path / "nginx.conf", nginx.target)
    asked = 0
    wrong = []
    with NginxServer(nginx, tmp_path):
        for number, tree in enumerate(trees):
            locations = {(item.path, item.condition): item for item in deployment.virtual_hosts[number].locations}
            for path, written, condition in tree.paths:
                location = locations.get((written, condition)) or locations[written, ""]
                tls = choice.random() < 0.5
                asked += 1
                status, headers = ask(ports, tls, f"t{number}.example.test", path)
                seen = [(name, value) for name, value in headers if name in NAMES]
                if seen != expected_headers(location, status, tls):
                    wrong.append(f"t{number} {path} {status}: {seen} but {expected_headers(location, status, tls)}")
                redirect = location.redirect(tls)
                target = dict(headers).get("Location")
                if (target is None) != (redirect is None) or (redirect and redirect.status != status):
                    wrong.append(f"t{number} {path} {status}: {target} but {redirect}")
                elif target is not None and redirect is not None:
                    scheme = ("https" if tls else "http") if redirect.scheme == "same" else redirect.scheme
                    if not target.startswith(f"{scheme}://"):
                        wrong.append(f"t{number} {path}: {target} but {redirect.scheme}")
    assert asked >= REQUESTS
    assert wrong == [], "\n".join(wrong)


BODIES = (
    "return 301 https://b.example.test$request_uri;",
    "return https://b.example.test/;",
    "return 302 /relative;",
    "return 308 $scheme://$host/x;",
    "if ($scheme = http) { return 301 https://$host$request_uri; } return 200;",
    "if ($https = '') { return 301 https://$host$request_uri; } return 204;",
    "if ($https) { return 302 http://$host$request_uri; } return 204;",
    "if ($https = on) { return 302 http://$host$request_uri; } return 204;",
    "if ($scheme != https) { return 301 https://$host$request_uri; } return 204;",
    "if ($scheme ~ ^http$) { return 301 https://$host$request_uri; } return 204;",
    "if ($ssl_protocol = '') { return 301 https://$host$request_uri; } return 204;",
    "if ($host = t12.example.test) { return 301 https://$host$request_uri; } return 404;",
    "rewrite ^ https://b.example.test/? permanent;",
    "rewrite ^/(.*)$ https://b.example.test/$1 redirect;",
    "rewrite ^/(.*)$ /moved/$1 permanent;",
    "rewrite ^/old/ https://b.example.test/ permanent;",
    "rewrite ^/(?!old/)(.*)$ http://b.example.test/$1;",
    "break; return 301 https://b.example.test/;",
    "return 204; rewrite ^ https://b.example.test/ permanent;",
    "rewrite ^ /elsewhere last; return 301 https://b.example.test/;",
    "location / { return 301 https://b.example.test/; }",
    "location / { rewrite ^ https://b.example.test/ permanent; } location /old/ { return 204; }",
    "return 444;",
    "location = / { return 301 https://b.example.test/; }",
)
"""Server blocks that redirect some requests, all or none."""


def redirected(ports: tuple[int, int], tls: bool, host: str, path: str) -> tuple[int, str] | None:
    try:
        status, headers = ask(ports, tls, host, path)
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return None  # 444
    location = dict(headers).get("Location")
    return None if location is None else (status, location)


def test_redirects_are_as_predicted(nginx: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    first, second = free_ports(2)
    ports = (first, second)
    trees = [Grown([f"    {body}"]) for body in BODIES]
    write(tmp_path, trees, [], ports, certificates)
    deployment = resolved(tmp_path / "nginx.conf", nginx.target)
    decided = 0
    with NginxServer(nginx, tmp_path):
        for number, body in enumerate(BODIES):
            locations = {item.path: item for item in deployment.virtual_hosts[number].locations}
            top = locations[""]
            for tls in (False, True):
                for path in ("/", "/old/x"):
                    seen = redirected(ports, tls, f"t{number}.example.test", path)
                    here = locations.get("/old/") if path.startswith("/old/") else locations.get("= /")
                    answering = [top] if top.final and here is None else [top, here or locations["/"]]
                    redirects = [item for location in answering for item in location.redirects]
                    reach = [item.over_tls if tls else item.over_plain for item in redirects]
                    if True in reach:
                        decided += 1
                        assert seen is not None, (body, tls, path)
                        assert seen[0] in {item.status for item in redirects}, (body, tls, path)
                    elif not any(one is None for one in reach):
                        decided += 1
                        assert seen is None, (body, tls, path)
    assert decided > 3 * len(BODIES)
