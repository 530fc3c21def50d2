"""Random Apache configurations for comparing predictions with a server, in the manner of `random_nginx`.

Most of them start. Values that the first host of an address governs, inherited ones and ones that httpd reads in its
own way turn up every few configurations. Only loopback addresses are bound, and no name is ever looked up.
"""

import fnmatch
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.random_nginx import (
    ALL_PROTOCOLS,
    CIPHERSUITES,
    CONF_COMMANDS,
    CURVES,
    EC_BUNDLES,
    LEVELS,
    MODERN_CIPHERS,
    NARROW_CIPHERS,
    ODD_BUNDLES,
    OLD_CIPHERS,
    RSA_BUNDLES,
    UNKNOWN_NAME,
    Asked,
)
from support.servers import LOOPBACKS, has_ipv6_loopback

MODULES = ("ssl", "socache_shmcb", "macro", "http2", "headers")
ROOT = "@ROOT@"
MAIN_NAME = "main.example.test"

NAMES: tuple[tuple[str, str], ...] = (
    ("a.example.test", "a.example.test"),
    ("b.example.test", "b.example.test"),
    ("c.example.test", "c.example.test"),
    ("D.Example.test", "d.example.test"),
    ("www.a.example.test", "www.a.example.test"),
    ("x.w.example.test", "x.w.example.test"),
)
PATTERNS: tuple[tuple[str, str], ...] = (
    ("*.w.example.test", "y.w.example.test"),
    ("mail.*", "mail.example.test"),
    ("?.v.example.test", "q.v.example.test"),
    ("*.a.example.test", "ftp.a.example.test"),
    ("*.example.test", "z.example.test"),
)
PROTOCOL_LINES = (
    "all",
    "all -SSLv3",
    "all -SSLv3 -TLSv1 -TLSv1.1",
    "-all +TLSv1.2 +TLSv1.3",
    "+TLSv1.2 +TLSv1.3",
    "TLSv1.2 +TLSv1.3",
    "TLSv1.2",
    "+TLSv1.3",
    "TLSv1.2 TLSv1.3",
    "TLSv1.3 TLSv1.2",
    "all TLSv1.2",
    "all -TLSv1.1",
    "all -TLSv1.2",
    "all -tlsv1.3",
    "-SSLv2 ALL -sslv3",
)
APACHE_COMMANDS = (
    *(command for command in CONF_COMMANDS if command[0] != "Options"),
    ("Protocol", "-TLSv1.2"),
    ("Protocol", "ALL,-TLSv1.3"),
    ("ECDHParameters", "secp384r1"),
    ("VerifyMode", "Request"),
    ("Options", "PrioritizeChaCha"),
    ("Options", "-ServerPreference"),
    ("Options", "ServerPreference,PrioritizeChaCha"),
    ("Options", "-SessionTicket"),
    ("Options", "SessionTicket"),
    ("minprotocol", "TLSv1.1"),
    ("CIPHERSTRING", "ECDHE+AESGCM:AES128-SHA"),
)


HARMLESS = (
    "SSLInsecureRenegotiation on",
    "SSLCompression off",
    "SSLStrictSNIVHostCheck on",
    "SSLOptions +StdEnvVars",
    "SSLProxyProtocol -all",
    "SSLProxyCipherSuite NOSUCH",
    "SSLUseStapling off",
    "SSLOCSPEnable off",
)
"""What no handshake shows."""


@dataclass(frozen=True, slots=True)
class ApacheConfig:
    """A configuration and what to ask of the server that runs it."""

    files: dict[str, str]
    """Text by path, relative to the folder of `apache2.conf`; `ROOT` stands for that folder."""
    endpoints: tuple[Asked, ...]

    def write(self, folder: Path) -> Path:
        """Write the files below `folder`; the path of `apache2.conf`."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(ROOT, str(folder)), encoding="utf-8")
        return folder / "apache2.conf"

    @property
    def text(self) -> str:
        """All files in one text, for messages; without what is in PEM files."""
        shown = {name: text for name, text in self.files.items() if name.endswith(".conf")}
        return "\n".join(f"##### {name}\n{text}" for name, text in shown.items())


@dataclass(slots=True)
class Host:
    """A virtual host in the making."""

    number: int
    addresses: list[tuple[str, int]] = field(default_factory=list)
    """`*` is every address."""
    name: tuple[str, str] | None = None
    aliases: list[tuple[str, str]] = field(default_factory=list)

    def patterns(self) -> list[tuple[str, str]]:
        """Its names in the order in which httpd compares them."""
        exact = [alias for alias in self.aliases if not set(alias[0]) & set("*?")]
        name = [self.name] if self.name else [(MAIN_NAME, MAIN_NAME)]
        return [*name, *exact, *(alias for alias in self.aliases if alias not in exact)]


class Generator:
    """Makes one configuration."""

    def __init__(self, rng: random.Random, certificates: Path, ports: Sequence[int], modules: Path) -> None:
        self.rng = rng
        self.certificates = certificates
        self.ports = ports
        self.modules = modules
        self.files: dict[str, str] = {}
        self.defines: list[str] = []
        self.macros: list[str] = []
        self.secure = False
        """Whether the sockets are said to be for HTTPS, which has hosts speak TLS of themselves."""

    def chance(self, percent: float) -> bool:
        return self.rng.random() * 100 < percent

    # --- values

    def quoted(self, value: str) -> str:
        if " " in value or self.chance(30):
            mark = self.rng.choice("\"'")
            return f"{mark}{value}{mark}"
        return value

    def spelled(self, name: str) -> str:
        """A directive's name in some case."""
        return self.rng.choice((name.lower(), name.upper())) if self.chance(6) else name

    def protocols(self) -> str:
        if self.chance(45):
            return self.rng.choice(PROTOCOL_LINES[:8])
        if self.chance(60):
            return self.rng.choice(PROTOCOL_LINES)
        signs = self.rng.choices(("+", "-", ""), (60, 20, 20), k=self.rng.randint(1, 4))
        return " ".join(f"{sign}{self.rng.choice((*ALL_PROTOCOLS, 'all'))}" for sign in signs)

    def ciphers(self, old: bool) -> str:
        if old and self.chance(85):
            return self.rng.choice(OLD_CIPHERS)
        value = self.rng.choice(NARROW_CIPHERS[:-2] if self.chance(12) else MODERN_CIPHERS)
        return f"{value}:{self.rng.choice(LEVELS)}" if self.chance(12) else value

    def read(self, name: str) -> str:
        return (self.certificates / name).read_text(encoding="utf-8")

    def combined(self, bundle: str, key: str) -> str:
        """The name of a file with certificate and key, and sometimes more."""
        blocks = [self.read(f"{bundle}.pem"), self.read(f"{key}.key")]
        if self.chance(50):
            blocks.reverse()
        if self.chance(20):
            blocks.insert(0, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n")
        if self.chance(20):
            blocks.append(self.read("dhparam-2048.pem"))
        name = f"tls/{bundle}-{len(self.files)}.pem"
        self.files[name] = "".join(blocks)
        return name

    def pair(self, bundle: str) -> list[str]:
        """A certificate and its key, the key first now and then."""
        key = "a-rsa" if bundle in ODD_BUNDLES else bundle
        lines = [
            f"{self.spelled('SSLCertificateFile')} {self.quoted(f'{self.certificates}/{bundle}.pem')}",
            f"SSLCertificateKeyFile {self.certificates}/{key}.key",
        ]
        if self.chance(20):
            lines.reverse()
        return lines

    def certificate_lines(self, old: bool) -> list[str]:
        kinds = ("rsa", "ec", "both", "odd", "same", "combined", "mismatch", "weak")
        kind = self.rng.choices(kinds, (34, 18, 30, 8, 3, 8, 1, 1))[0]
        rsa, ec = self.rng.choice(RSA_BUNDLES), self.rng.choice(EC_BUNDLES)
        match kind:
            case "rsa":
                lines = self.pair(rsa)
            case "ec":
                lines = self.pair(ec)
            case "both":
                bundles = [rsa, ec]
                self.rng.shuffle(bundles)
                lines = [line for bundle in bundles for line in self.pair(bundle)]
            case "odd":
                lines = self.pair(self.rng.choice(ODD_BUNDLES))
            case "same":
                lines = [*self.pair("a-rsa"), *self.pair("b-rsa")]
            case "combined":
                bundle = self.rng.choice((rsa, ec))
                lines = [f"SSLCertificateFile {self.combined(bundle, bundle)}"]
            case "weak":
                lines = self.pair("weak-rsa1024") if old else self.pair(rsa)
            case _:
                lines = [
                    f"SSLCertificateFile {self.certificates}/a-rsa.pem",
                    f"SSLCertificateKeyFile {self.certificates}/b-rsa.key",
                ]
        if self.chance(5):
            bundle = self.rng.choice((rsa, ec))
            lines += [
                f"SSLOpenSSLConfCmd Certificate {self.certificates}/{bundle}.pem",
                f"SSLOpenSSLConfCmd PrivateKey {self.certificates}/{bundle}.key",
            ]
        if self.chance(7):
            chain = self.rng.choice(("intermediate-ec", "intermediate-rsa", "a-rsa", "root-rsa"))
            lines.append(f"SSLCertificateChainFile {self.certificates}/{chain}.pem")
        return lines

    def conf_commands(self) -> list[str]:
        chosen = self.rng.sample(APACHE_COMMANDS, self.rng.choices((1, 2, 3), (60, 30, 10))[0])
        return [f"SSLOpenSSLConfCmd {name} {self.quoted(value)}" for name, value in chosen]

    def authorities(self) -> list[str]:
        if self.chance(15):
            name = f"tls/store-{len(self.files)}.pem"
            pool = ("intermediate-rsa", "intermediate-ec", "root-rsa", "client-ca-1", "root-ec")
            self.files[name] = "".join(self.read(f"{one}.pem") for one in self.rng.sample(pool, 3))
            return [f"SSLCACertificateFile {name}"]
        authority = self.rng.choice(("client-ca-1", "client-ca-2", "client-ca-both"))
        return [f"SSLCACertificateFile {self.certificates}/{authority}.pem"]

    def verification(self) -> list[str]:
        mode = self.rng.choice(("require", "optional", "optional_no_ca", "none", "Optional", "off", "on"))
        lines = [f"SSLVerifyClient {mode}"]
        if self.chance(85):
            lines += self.authorities()
        if self.chance(20):
            lines.append(f"SSLVerifyDepth {self.rng.choice((0, 1, 3))}")
        if self.chance(15):
            lines.append(f"SSLCARevocationFile {self.certificates}/client-ca-1-crl.pem")
            if self.chance(60):
                lines.append(f"SSLCARevocationCheck {self.rng.choice(('leaf', 'chain', 'none'))}")
        return lines

    def tickets_file(self) -> str:
        name = f"tls/tickets-{self.rng.choice('ab')}"
        self.files[name] = name[-1] * 48
        return f"SSLSessionTicketKeyFile {name}"

    def settings(self, scale: float, old: bool) -> list[str]:
        """TLS directives without certificates; `scale` raises or lowers how many."""
        lines: list[str] = []
        if self.chance(60 * scale):
            lines.append(f"{self.spelled('SSLProtocol')} {self.protocols()}")
        if self.chance((80 if old else 50) * scale):
            kind = self.rng.choice(("SSL ", "")) if self.chance(30) else ""
            lines.append(f"SSLCipherSuite {kind}{self.quoted(self.ciphers(old))}")
        if self.chance(20 * scale):
            lines.append(f"SSLCipherSuite TLSv1.3 {self.quoted(self.rng.choice(CIPHERSUITES))}")
        if self.chance(40 * scale):
            lines.append(f"SSLHonorCipherOrder {self.rng.choice(('on', 'off', 'On # server'))}")
        if self.chance(15 * scale):
            lines.append(f"SSLOpenSSLConfCmd Curves {self.quoted(self.rng.choice(CURVES[1:]))}")
        if self.chance(25 * scale):
            lines.append(f"SSLSessionTickets {self.rng.choice(('on', 'off'))}")
        if self.chance(6 * scale):
            lines.append(self.tickets_file())
        if self.chance(15 * scale):
            lines.append(f"SSLSessionCacheTimeout {self.rng.choice((10, 3600, 0, 90000))}")
        if self.chance(22 * scale):
            lines += self.verification()
        elif self.chance(6 * scale):
            lines += self.authorities()
        if self.chance(22 * scale):
            lines += self.conf_commands()
        if self.chance(10 * scale):
            lines.append(self.rng.choice(HARMLESS))
        if self.chance(20 * scale):
            lines.append(f"Protocols {self.rng.choice(('h2 http/1.1', 'http/1.1', 'h2', 'http/1.1 h2'))}")
        self.rng.shuffle(lines)
        return lines

    # --- structure

    def wrapped(self, lines: list[str], name: str) -> list[str]:
        """`lines`, with some of them by way of an include, a macro, a variable or a condition."""
        if not lines:
            return lines
        cut = self.rng.randint(0, len(lines) - 1)
        kept, moved = lines[:cut], lines[cut:]
        match self.rng.choices(("plain", "include", "macro", "define", "condition"), (45, 15, 15, 15, 10))[0]:
            case "include":
                self.files[f"snippets/{name}.conf"] = "\n".join(moved) + "\n"
                word = self.rng.choice(("Include", "IncludeOptional"))
                return [*kept, f"{word} snippets/{name}.{self.rng.choice(('conf', 'c*f'))}"]
            case "macro":
                self.macros += [f"<Macro {name} $anything>", *moved, "</Macro>"]
                return [*kept, f"Use {name} value"]
            case "define":
                word, _, rest = moved[0].partition(" ")
                if '"' in rest or "'" in rest:
                    return lines
                self.defines.append(f'Define {name}.value "{rest}"')
                return [*kept, f"{word} ${{{name}.value}}", *moved[1:]]
            case "condition":
                yes, no = self.rng.choice(
                    (
                        ("<IfModule ssl_module>", "</IfModule>"),
                        ("<IfModule !mod_nosuch.c>", "</IfModule>"),
                        ("<IfVersion >= 2.4>", "</IfVersion>"),
                        ("<IfDefine !NOSUCH>", "</IfDefine>"),
                    )
                )
                never = ["<IfDefine NOSUCH>", "SSLProtocol TLSv1.2", "SSLHonorCipherOrder on", "</IfDefine>"]
                return [*kept, yes, *moved, no, *(never if self.chance(50) else ())]
        return lines

    def sockets(self) -> list[tuple[str, int]]:
        addresses = [*LOOPBACKS, *(["::1"] if has_ipv6_loopback() else [])]
        every = [(address, port) for address in addresses for port in self.ports]
        return self.rng.sample(every, min(len(every), self.rng.choices((1, 2, 3), (50, 35, 15))[0]))

    def hosts(self, sockets: list[tuple[str, int]]) -> list[Host]:
        made = [Host(number) for number in range(self.rng.choices(range(1, 6), (15, 30, 30, 15, 10))[0])]
        names = self.rng.sample(NAMES, len(made)) if len(made) <= len(NAMES) else list(NAMES)
        for host, name in zip(made, names, strict=False):
            count = self.rng.choices((1, 2), (75, 25))[0]
            chosen = self.rng.sample(sockets, min(count, len(sockets)))
            # an address of its own hides the hosts for every address
            host.addresses = [("*", port) if self.chance(60) else (address, port) for address, port in chosen]
            host.addresses = list(dict.fromkeys(host.addresses))
            host.name = name if self.chance(94) or any(address != "*" for address, _ in host.addresses) else None
            if self.chance(35):
                host.aliases = self.rng.sample((*NAMES, *PATTERNS), self.rng.choice((1, 2)))
        return made

    def host_lines(self, host: Host, main_has_certificate: bool, main_engine: bool) -> list[str]:
        old = self.chance(25)
        lines = []
        if host.name:
            lines.append(f"ServerName {host.name[0]}{self.rng.choice(('', '', '', ':443'))}")
        if host.aliases:
            lines.append(f"ServerAlias {' '.join(written for written, _ in host.aliases)}")
        tls = self.settings(1.0, old)
        if self.chance(8):
            section = self.rng.choice(("Location /in", "Directory /srv", "If \"%{HTTPS} == 'on'\""))
            tail = section.partition(" ")[0]
            words = self.rng.choice(("SSLVerifyClient require", "SSLCipherSuite AES128-SHA", "SSLVerifyDepth 3"))
            lines += [f"<{section}>", words, f"</{tail}>"]
        if self.chance(60 if self.secure else 0):
            pass  # the socket is for HTTPS
        elif not main_engine or self.chance(40):
            tls.append(f"SSLEngine {self.rng.choices(('on', 'On', 'off'), (80, 12, 8))[0]}")
        if self.chance(40 if main_has_certificate else 97):
            tls += self.certificate_lines(old)
        return [*lines, *self.wrapped(tls, f"host{host.number}")]

    def generate(self) -> ApacheConfig:
        """One configuration; whether Apache takes it is for Apache to say."""
        sockets = self.sockets()
        hosts = self.hosts(sockets)
        old = self.chance(15)
        main = self.settings(0.4, old)
        if self.chance(50):
            main.append(f"SSLSessionCache {self.rng.choice(('shmcb:tlslint-cache(64000)', 'none', 'nonenotnull'))}")
        has_certificate = self.chance(30)
        if has_certificate:
            main += self.certificate_lines(old)
        engine = self.chance(35 if has_certificate else 2)
        self.secure = self.chance(15)
        if engine:
            main.append("SSLEngine on")
        main = self.wrapped(main, "main")
        blocks = []
        for host in hosts:
            addresses = " ".join(
                f"{self.rng.choice(('*', '_default_')) if address == '*' else bracketed(address)}:{port}"
                for address, port in host.addresses
            )
            body = [f"    {line}" for line in self.host_lines(host, has_certificate, engine)]
            blocks.append([f"<VirtualHost {addresses}>", *body, "</VirtualHost>"])
        before = self.chance(50)
        head = [
            f"ServerRoot {ROOT}",
            f"ServerName {MAIN_NAME}",
            *(f"LoadModule {name}_module {self.modules}/mod_{name}.so" for name in MODULES),
            *(f"Listen {bracketed(address)}:{port}{' https' if self.secure else ''}" for address, port in sockets),
        ]
        placed = self.placed(blocks)
        body = [*head, *self.defines, *self.macros, *(main if before else ()), *placed, *(() if before else main)]
        self.files["apache2.conf"] = "\n".join([*body, ""])
        return ApacheConfig(dict(self.files), tuple(self.asked(sockets, hosts)))

    def placed(self, blocks: list[list[str]]) -> list[str]:
        """The virtual hosts in place, or in files of their own, which are read in the order of their names."""
        if not self.chance(25):
            return [line for lines in blocks for line in lines]
        names = sorted(self.rng.sample(("10", "2", "A", "b", "_x", "site"), len(blocks)))
        for name, lines in zip(names, blocks, strict=True):
            self.files[f"sites/{name}.conf"] = "\n".join(lines) + "\n"
        return ["IncludeOptional sites/*.conf"]

    def asked(self, sockets: list[tuple[str, int]], hosts: list[Host]) -> list[Asked]:
        found = []
        for address, port in sockets:
            here = chain(hosts, address, port)
            names = [pattern for host in here for pattern in host.patterns()] if len(here) > 1 else []
            examples = dict.fromkeys(example for _, example in names)
            examples.update(dict.fromkeys(example for host in hosts for _, example in host.patterns()[:1]))
            examples[UNKNOWN_NAME] = None
            for example in examples:
                written = next((text for text, _ in names if claims(text, example)), "*")
                found.append(Asked(address, port, example, written))
            found.append(Asked(address, port, None, None))
        return found


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def chain(hosts: list[Host], address: str, port: int) -> list[Host]:
    """The hosts that httpd considers for a connection to an address."""
    own = [host for host in hosts if (address, port) in host.addresses]
    return own or [host for host in hosts if ("*", port) in host.addresses]


def claims(written: str, name: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), written.lower())


def generate(rng: random.Random, certificates: Path, ports: Sequence[int], modules: Path) -> ApacheConfig:
    """A random configuration on loopback addresses and `ports`, with files of `certificates`; `modules` is a folder."""
    return Generator(rng, certificates, ports, modules).generate()
