"""Random `stream` and `mail` configurations for comparing predictions with servers; see `support.random_nginx`."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.channel import StartTls
from support.random_nginx import UNKNOWN_NAME, Asked, GeneratedConfig, Generator, Server, block
from support.servers import Version

STREAM_NAMES_SINCE = (1, 25, 5)
MAIL_PROTOCOLS: tuple[StartTls, ...] = ("imap", "pop3", "smtp")
ONLY_HTTP = ("http2 ", "ssl_early_data ")
ALPN_LISTS = ("h2", "http/1.1", "h2 http/1.1", "http/1.1 h2", "imap")


class StreamGenerator(Generator):
    """Makes one `stream` configuration."""

    def settings(self, scale: float, old: bool) -> list[str]:
        lines = [line for line in super().settings(scale, old) if not line.startswith(ONLY_HTTP)]
        if self.chance(25 * scale):
            lines.append(f"ssl_alpn {self.rng.choice(ALPN_LISTS)};")
        return lines

    def servers(self, sockets: list[tuple[str, int]]) -> list[Server]:
        if self.nginx >= STREAM_NAMES_SINCE:
            return super().servers(sockets)
        # one server to a socket, and none has names
        return [Server(number, [socket]) for number, socket in enumerate(sockets)]

    def listen_lines(
        self,
        server: Server,
        plain: set[tuple[str, int]],
        defaults: dict[tuple[str, int], Server],
        seen: set[tuple[str, int]],
    ) -> list[str]:
        if self.nginx < STREAM_NAMES_SINCE:
            defaults = {}
        lines = [line.replace(" http2", "") for line in super().listen_lines(server, plain, defaults, seen)]
        if all(socket in plain for socket in server.listens) and self.chance(60):
            lines.append("ssl_preread on;")
        return lines

    def server_lines(self, server: Server, listens: list[str], http_has_certificate: bool) -> list[str]:
        lines = [line for line in super().server_lines(server, listens, http_has_certificate) if line != "ssl off;"]
        return [f'return "server {server.number}\\n";' if line.startswith("return ") else line for line in lines]

    def generate(self) -> GeneratedConfig:
        made = super().generate()
        main = made.files["nginx.conf"].replace("\nhttp {", "\nstream {")
        return GeneratedConfig({**made.files, "nginx.conf": main}, made.endpoints)


@dataclass(frozen=True, slots=True)
class AskedMail(Asked):
    """A mail socket to ask."""

    protocol: StartTls = "imap"
    starttls: bool = False
    """Whether TLS begins after a command."""


class MailGenerator(Generator):
    """Makes one `mail` configuration."""

    def settings(self, scale: float, old: bool) -> list[str]:
        return [line for line in super().settings(scale, old) if not line.startswith(ONLY_HTTP)]

    def generate(self) -> GeneratedConfig:
        old = self.chance(15)
        mail = ["auth_http 127.0.0.1:9/;", "server_name mail.example.test;", *self.settings(0.45, old)]
        has_certificate = self.chance(35)
        if has_certificate:
            mail += self.certificate_lines(old)
        inherited = self.rng.choice(("on", "only")) if self.chance(30) else "off"
        if inherited != "off":
            mail.append(f"starttls {inherited};")
        blocks, asked = [], []
        for number, socket in enumerate(self.sockets()):
            lines, mine = self.mail_server(number, socket, inherited, has_certificate)
            blocks.append(block("server", lines))
            asked += mine
        body = [*self.included(mail, "mail"), *self.placed(blocks)]
        self.files["nginx.conf"] = "\n".join(["events {}", *block("mail", body), ""])
        return GeneratedConfig(dict(self.files), tuple(asked))

    def mail_server(
        self, number: int, socket: tuple[str, int], inherited: str, has_certificate: bool
    ) -> tuple[list[str], list[AskedMail]]:
        protocol = self.rng.choice(MAIL_PROTOCOLS)
        kind = self.rng.choices(("ssl", "starttls", "plain"), (45, 45, 10))[0]
        address, port = socket
        listen = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        lines = [f"listen {listen}{' ssl' if kind == 'ssl' else ''};", f"protocol {protocol};"]
        if protocol == "smtp":
            lines.append("smtp_greeting_delay 0;")
        if kind == "starttls" and inherited == "off":
            lines.append(f"starttls {self.rng.choice(('on', 'only'))};")
        elif kind == "plain" and inherited != "off":
            lines.append("starttls off;")
        old = self.chance(25)
        tls = self.settings(1.0, old)
        if self.chance(35 if has_certificate else 92):
            tls += self.certificate_lines(old)
        lines += self.included(tls, f"server{number}")
        names = (None, "a.example.test", UNKNOWN_NAME)
        return lines, [AskedMail(address, port, name, None, protocol, kind == "starttls") for name in names]


def generate_stream(
    rng: random.Random, certificates: Path, ports: Sequence[int], nginx: Version, openssl: Version
) -> GeneratedConfig:
    """A random `stream` configuration; see `support.random_nginx.generate`."""
    return StreamGenerator(rng, certificates, ports, nginx, openssl).generate()


def generate_mail(
    rng: random.Random, certificates: Path, ports: Sequence[int], nginx: Version, openssl: Version
) -> GeneratedConfig:
    """A random `mail` configuration whose endpoints are `AskedMail`."""
    return MailGenerator(rng, certificates, ports, nginx, openssl).generate()
