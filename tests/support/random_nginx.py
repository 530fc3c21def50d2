"""Random nginx configurations for comparing predictions with servers.

The weights keep most endpoints answering, and make each interesting thing (a value that the default server governs,
an inherited one, one that the library ignores) turn up every few configurations. Only loopback addresses are bound.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.servers import LOOPBACKS, Version, has_ipv6_loopback

UNKNOWN_NAME = "nobody.example.test"
HTTP2_DIRECTIVE_SINCE = (1, 25, 1)

# what people write: policies, shorthands, single suites, and strings with security levels
MODERN_CIPHERS = (
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
        ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
        ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384"
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
        ":ECDHE-RSA-AES128-GCM-SHA256"
    ),
    "EECDH+AESGCM:EDH+AESGCM",
    "EECDH+CHACHA20:EECDH+AES128:RSA+AES128:EECDH+AES256:RSA+AES256:!MD5",
    "HIGH:!aNULL:!MD5",
    "HIGH:!aNULL:!eNULL:!kRSA:@STRENGTH",
    "HIGH+kEECDH+AESGCM:+AES256",
    "DEFAULT",
    "DEFAULT:!CAMELLIA:!ARIA:!AESCCM",
    "ALL:!aNULL:!eNULL:-SHA1:-SHA256:-SHA384",
    "AES128:AES256:!PSK:!SRP",
    "CHACHA20:AESGCM",
    "ECDHE-RSA-AES128-GCM-SHA265:HIGH",
    "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE+AESGCM ECDHE+CHACHA20 DHE+AESGCM",
    "ECDHE+AESGCM,AES256-SHA",
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:AES128-SHA",
    "kRSA+AES:!SHA1",
)
NARROW_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "aECDSA+AESGCM",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256",
    "AES128-GCM-SHA256",
    "NULL",
    "aNULL",
)
LEVELS = ("@SECLEVEL=0", "@SECLEVEL=1", "@SECLEVEL=2", "@SECLEVEL=3")
OLD_CIPHERS = (
    "ALL:@SECLEVEL=0",
    "ALL:!aNULL:!eNULL:@SECLEVEL=0",
    "DEFAULT:@SECLEVEL=0",
    "HIGH:!aNULL:!MD5:@SECLEVEL=0",
    "@SECLEVEL=0:ALL:COMPLEMENTOFALL",
    "ECDHE+AES:AES:@SECLEVEL=0",
)
CURVES = (
    "auto",
    "prime256v1",
    "secp384r1",
    "X25519:prime256v1:secp384r1",
    "X25519",
    "secp521r1:secp384r1",
    "prime256v1:X25519",
    "P-256:P-384",
    "X448:X25519",
    "brainpoolP256r1:prime256v1",
    "X25519:ffdhe2048:ffdhe3072",
)
CIPHERSUITES = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256:TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_CCM_8_SHA256:TLS_AES_128_GCM_SHA256",
)
CONF_COMMANDS: tuple[tuple[str, str], ...] = (
    *(("Ciphersuites", value) for value in CIPHERSUITES),
    ("CipherString", "ECDHE+AESGCM"),
    ("CipherString", "HIGH:!kRSA:!aNULL"),
    ("CipherString", "DEFAULT:@SECLEVEL=0"),
    ("MinProtocol", "TLSv1.2"),
    ("MinProtocol", "TLSv1.3"),
    ("MinProtocol", "TLSv1"),
    ("MaxProtocol", "TLSv1.2"),
    ("MaxProtocol", "TLSv1.3"),
    ("Protocol", "TLSv1.2"),
    ("Protocol", "-ALL,TLSv1.3"),
    ("Protocol", "-TLSv1.3"),
    ("Protocol", "TLSv1.2,TLSv1.3"),
    ("Groups", "P-256:P-384"),
    ("Groups", "X25519"),
    ("Curves", "secp384r1:prime256v1"),
    ("SignatureAlgorithms", "RSA+SHA256:ECDSA+SHA256:RSA-PSS+SHA256"),
    ("SignatureAlgorithms", "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"),
    ("SignatureAlgorithms", "ECDSA+SHA256"),
    ("Options", "PrioritizeChaCha"),
    ("Options", "PrioritizeChaCha,ServerPreference"),
    ("Options", "ServerPreference"),
    ("Options", "-SessionTicket"),
    ("NumTickets", "0"),
)
ALL_PROTOCOLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
RSA_BUNDLES = ("a-rsa", "b-rsa", "c-rsa", "d-rsa", "w-rsa")
EC_BUNDLES = ("a-ec256", "b-ec256", "c-ec256", "w-ec256", "a-ec384", "a-ec521", "a-ed25519")
ODD_BUNDLES = (
    "a-rsa-leaf",
    "a-rsa-with-root",
    "a-rsa-reordered",
    "a-rsa-duplicate",
    "a-rsa-unrelated",
    "a-rsa-damaged",
    "a-rsa-expired",
)

# (as written, a name that it matches)
NAMES: tuple[tuple[str, str], ...] = (
    ("a.example.test", "a.example.test"),
    ("b.example.test", "b.example.test"),
    ("c.example.test", "c.example.test"),
    ("D.Example.test", "d.example.test"),
    ("www.a.example.test", "www.a.example.test"),
    ("*.w.example.test", "x.w.example.test"),
    (".v.example.test", "v.example.test"),
    ("*.deep.w.example.test", "y.deep.w.example.test"),
    ("mail.*", "mail.example.test"),
    (r"~^r\d+\.example\.test$", "r7.example.test"),
    (r'"~^q[0-9]{1,2}\.example\.test$"', "q12.example.test"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An endpoint to ask."""

    address: str
    port: int
    sni: str | None
    """The name to send; None for no SNI."""
    written: str | None
    """The `server_name` that `sni` is an example of, without quotes; None for no SNI, `*` for a name of nobody."""

    @property
    def listen(self) -> str:
        """The socket as the prediction spells it."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class GeneratedConfig:
    """A configuration and what to ask of the server that runs it."""

    files: dict[str, str]
    """Text by path, relative to the folder of `nginx.conf`."""
    endpoints: tuple[Asked, ...]

    def write(self, folder: Path) -> Path:
        """Write the files below `folder`; the path of `nginx.conf`."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder / "nginx.conf"

    @property
    def text(self) -> str:
        """All files in one text, for messages."""
        return "\n".join(f"##### {name}\n{text}" for name, text in self.files.items())


@dataclass(slots=True)
class Server:
    """A `server` block in the making."""

    number: int
    listens: list[tuple[str, int]] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)


class Generator:
    """Makes one configuration."""

    def __init__(
        self, rng: random.Random, certificates: Path, ports: Sequence[int], nginx: Version, openssl: Version
    ) -> None:
        self.rng = rng
        self.certificates = certificates
        self.ports = ports
        self.nginx = nginx
        self.openssl = openssl
        self.files: dict[str, str] = {}

    def chance(self, percent: float) -> bool:
        return self.rng.random() * 100 < percent

    # --- values

    def quoted(self, value: str) -> str:
        """`value`, in quotes where it needs them and sometimes where it does not."""
        if any(character in value for character in " ;{}") or self.chance(30):
            mark = self.rng.choice("\"'")
            return f"{mark}{value}{mark}"
        return value

    def protocols(self, old: bool) -> list[str]:
        """Some `ssl_protocols` lines; several lines add up."""
        if old:
            tokens = self.rng.sample(ALL_PROTOCOLS, self.rng.randint(1, 4))
        else:
            choices = (["TLSv1.2", "TLSv1.3"], ["TLSv1.2"], ["TLSv1.3"], list(ALL_PROTOCOLS), ["TLSv1.3", "TLSv1.2"])
            tokens = list(self.rng.choices(choices, weights=(50, 18, 18, 10, 4))[0])
        if self.chance(4):
            tokens.append("SSLv3")
        if self.chance(5):
            tokens = [token.lower() for token in tokens]
        if len(tokens) > 1 and self.chance(12):
            cut = self.rng.randint(1, len(tokens) - 1)
            return [f"ssl_protocols {' '.join(tokens[:cut])};", f"ssl_protocols {' '.join(tokens[cut:])};"]
        return [f"ssl_protocols {' '.join(tokens)};"]

    def ciphers(self, old: bool) -> str:
        if old and self.chance(85):
            return self.rng.choice(OLD_CIPHERS)
        value = self.rng.choice(NARROW_CIPHERS if self.chance(12) else MODERN_CIPHERS)
        if self.chance(12):
            value += ":" + self.rng.choice(LEVELS)
        return value

    def pair(self, bundle: str, key: str | None = None) -> list[str]:
        key = key or ("a-rsa" if bundle in ODD_BUNDLES else bundle)
        return [
            f"ssl_certificate {self.quoted(f'{self.certificates}/{bundle}.pem')};",
            f"ssl_certificate_key {self.certificates}/{key}.key;",
        ]

    def certificate_lines(self, old: bool) -> list[str]:
        """One certificate or two, seldom a pair that cannot work."""
        kind = self.rng.choices(("rsa", "ec", "both", "odd", "same", "mismatch", "weak"), (34, 18, 32, 9, 3, 2, 2))[0]
        rsa, ec = self.rng.choice(RSA_BUNDLES), self.rng.choice(EC_BUNDLES)
        if kind == "weak" and not old:
            kind = "rsa"
        match kind:
            case "rsa":
                return self.pair(rsa)
            case "ec":
                return self.pair(ec)
            case "both":
                bundles = [rsa, ec]
                self.rng.shuffle(bundles)
                return [line for bundle in bundles for line in self.pair(bundle)]
            case "odd":
                return self.pair(self.rng.choice(ODD_BUNDLES))
            case "same":
                return [*self.pair("a-rsa"), *self.pair("b-rsa")]
            case "weak":
                return self.pair("weak-rsa1024")
            case _:
                return self.pair("a-rsa", "a-ec256")

    def conf_commands(self) -> list[str]:
        chosen = self.rng.sample(CONF_COMMANDS, self.rng.choices((1, 2, 3), (60, 30, 10))[0])
        return [f"ssl_conf_command {name} {self.quoted(value)};" for name, value in chosen]

    def verification(self) -> list[str]:
        mode = self.rng.choice(("on", "optional", "optional_no_ca", "off"))
        lines = [f"ssl_verify_client {mode};"]
        authority = self.rng.choice(("client-ca-1", "client-ca-2", "client-ca-both"))
        if mode != "optional_no_ca" or self.chance(50):
            lines.append(f"ssl_client_certificate {self.certificates}/{authority}.pem;")
        return lines

    def settings(self, scale: float, old: bool) -> list[str]:
        """TLS directives without certificates; `scale` raises or lowers how many."""
        lines: list[str] = []
        if self.chance(60 * scale):
            lines += self.protocols(old)
        if self.chance((80 if old else 50) * scale):
            lines.append(f"ssl_ciphers {self.quoted(self.ciphers(old))};")
        if self.chance(40 * scale):
            lines.append(f"ssl_prefer_server_ciphers {self.rng.choice(('on', 'off', 'ON'))};")
        if self.chance(25 * scale):
            lines.append(f"ssl_ecdh_curve {self.quoted(self.rng.choice(CURVES))};")
        if self.chance(30 * scale):
            bits = 1024 if old and self.chance(20) else 2048
            lines.append(f"ssl_dhparam {self.certificates}/dhparam-{bits}.pem;")
        if self.chance(25 * scale):
            lines.append(f"ssl_session_tickets {self.rng.choice(('on', 'off'))};")
        if self.chance(15 * scale):
            lines.append(f"ssl_session_timeout {self.rng.choice(('10s', '1h', '0', '30d'))};")
        if self.chance(15 * scale):
            lines.append(f"ssl_session_cache {self.rng.choice(('off', 'none', 'builtin', 'shared:S:1m'))};")
        if self.chance(12 * scale):
            lines.append(f"ssl_early_data {self.rng.choice(('on', 'on', 'off'))};")
        if self.chance(22 * scale):
            lines += self.verification()
        if self.chance(22 * scale):
            lines += self.conf_commands()
        if self.nginx >= HTTP2_DIRECTIVE_SINCE and self.chance(25 * scale):
            lines.append(f"http2 {self.rng.choice(('on', 'on', 'off'))};")
        self.rng.shuffle(lines)
        return lines

    # --- structure

    def included(self, lines: list[str], name: str) -> list[str]:
        """`lines`, or some of them moved to a file that is included in their place."""
        if not lines or not self.chance(25):
            return lines
        cut = self.rng.randint(0, len(lines) - 1)
        moved, text = lines[cut:], ""
        if len(moved) > 1 and self.chance(25):
            self.files[f"snippets/inner/{name}.conf"] = "\n".join(moved[1:]) + "\n"
            moved = [moved[0], f"include snippets/inner/{name}.c*f;"]
        text = "\n".join(moved) + "\n"
        self.files[f"snippets/{name}.conf"] = text
        return [*lines[:cut], f"include snippets/{name}.conf;"]

    def sockets(self) -> list[tuple[str, int]]:
        addresses = [*LOOPBACKS, *(["::1"] if has_ipv6_loopback() else [])]
        every = [(address, port) for address in addresses for port in self.ports]
        return self.rng.sample(every, min(len(every), self.rng.choices((1, 2, 3), (45, 40, 15))[0]))

    def servers(self, sockets: list[tuple[str, int]]) -> list[Server]:
        made = [
            Server(number)
            for number in range(max(len(sockets), self.rng.choices(range(1, 6), (15, 30, 30, 15, 10))[0]))
        ]
        for server, socket in zip(made, sockets, strict=False):
            server.listens.append(socket)
        for server in made:
            for socket in sockets:
                if socket not in server.listens and self.chance(55 if not server.listens else 20):
                    server.listens.append(socket)
            if not server.listens:
                server.listens.append(self.rng.choice(sockets))
            server.names = self.rng.sample(NAMES, self.rng.choices((0, 1, 2, 3), (8, 60, 22, 10))[0])
        self.rng.shuffle(made)
        return made

    def listen_lines(
        self,
        server: Server,
        plain: set[tuple[str, int]],
        defaults: dict[tuple[str, int], Server],
        seen: set[tuple[str, int]],
    ) -> list[str]:
        lines = []
        for address, port in server.listens:
            socket = (address, port)
            words = [f"[{address}]:{port}" if ":" in address else f"{address}:{port}"]
            # the flag belongs to the socket: the first server sets it, the others need not
            if socket not in plain and (socket not in seen or self.chance(88)):
                words.append("ssl")
            if "ssl" in words and self.chance(18 if self.nginx < HTTP2_DIRECTIVE_SINCE else 6):
                words.append("http2")
            if defaults.get(socket) is server:
                words.append("default_server")
            seen.add(socket)
            lines.append(f"listen {' '.join(words)};")
        return lines

    def server_lines(self, server: Server, listens: list[str], http_has_certificate: bool) -> list[str]:
        old = self.chance(25)
        lines = list(listens)
        if server.names:
            lines.append(f"server_name {' '.join(written for written, _ in server.names)};")
        tls = self.settings(1.0, old)
        if self.chance(6):
            tls.append("ssl_reject_handshake on;")
            if self.chance(50):
                tls += self.certificate_lines(old)
        elif self.chance(35 if http_has_certificate else 92):
            tls += self.certificate_lines(old)
        elif self.nginx < HTTP2_DIRECTIVE_SINCE and self.chance(5):
            tls.append("ssl off;")
        lines += self.included(tls, f"server{server.number}")
        lines.append(f'return 200 "server {server.number}";')
        return lines

    def generate(self) -> GeneratedConfig:
        """One configuration; whether nginx takes it is for `nginx -t` to say."""
        sockets = self.sockets()
        plain = {socket for socket in sockets if len(sockets) > 1 and self.chance(8)}
        servers = self.servers(sockets)
        defaults = {
            socket: self.rng.choice([server for server in servers if socket in server.listens])
            for socket in sockets
            if self.chance(40)
        }
        old = self.chance(15)
        http = self.settings(0.45, old)
        has_certificate = self.chance(35)
        if has_certificate:
            http += self.certificate_lines(old)
        http = self.included(http, "http")
        seen: set[tuple[str, int]] = set()
        blocks = []
        for server in servers:
            listens = self.listen_lines(server, plain, defaults, seen)
            blocks.append(block("server", self.server_lines(server, listens, has_certificate)))
        before = self.rng.random() < 0.5
        body = [*(http if before else ()), *self.placed(blocks), *(() if before else http)]
        self.files["nginx.conf"] = "\n".join(["events {}", *block("http", body), ""])
        return GeneratedConfig(dict(self.files), self.asked(sockets, servers))

    def placed(self, blocks: list[list[str]]) -> list[str]:
        """The server blocks in place, or in files of their own whose names do not sort like numbers."""
        if not self.chance(25):
            return [line for lines in blocks for line in lines]
        names = self.rng.sample(("10", "2", "A", "b", "_x", "site"), len(blocks))
        for name, lines in zip(names, blocks, strict=True):
            self.files[f"sites/{name}.conf"] = "\n".join(lines) + "\n"
        return ["include sites/*.conf;"]

    def asked(self, sockets: list[tuple[str, int]], servers: list[Server]) -> tuple[Asked, ...]:
        found = []
        for address, port in sockets:
            here = [name for server in servers if (address, port) in server.listens for name in server.names]
            others = [name for server in servers for name in server.names if name not in here]
            elsewhere = [name for name in others if not any(claims(written, name[1]) for written, _ in here)][:1]
            for written, example in dict.fromkeys(here):
                found.append(Asked(address, port, example, written.strip('"')))
            for _, example in elsewhere:
                found.append(Asked(address, port, example, "*"))
            found.append(Asked(address, port, None, None))
            found.append(Asked(address, port, UNKNOWN_NAME, "*"))
        return tuple(found)


def claims(written: str, name: str) -> bool:
    """Whether a wildcard `server_name` takes a name that it was not made an example of."""
    if written.endswith(".*"):
        return name.startswith(written[:-1])
    return written[:1] in "*." and name.endswith(written.lstrip("*"))


def block(name: str, lines: Sequence[str]) -> list[str]:
    return [f"{name} {{", *(f"    {line}" for line in lines), "}"]


def generate(
    rng: random.Random, certificates: Path, ports: Sequence[int], nginx_version: Version, openssl_version: Version
) -> GeneratedConfig:
    """A random configuration for these versions, on loopback addresses and `ports`, with files of `certificates`."""
    return Generator(rng, certificates, ports, nginx_version, openssl_version).generate()
