"""Apache's dialect: which directive makes a setting, how words are quoted, and where a new line belongs."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tlslint.fix.dialect import Dialect, as_list, as_versions, as_word, siblings_of
from tlslint.fix.text import CannotSpell, after, before, inside, padded, unit
from tlslint.intention import AddRejectingHost, Edit
from tlslint.parse.apache import decode
from tlslint.parse.apache import parse as parse_apache
from tlslint.parse.tree import Argument, Directive, Source, Tree, walk
from tlslint.record import dataclass
from tlslint.resolve.apache_scope import Section
from tlslint.resolve.model import Upstream, VirtualHost
from tlslint.target import Version

_SWITCHES = {
    "server_order": "SSLHonorCipherOrder",
    "session_tickets": "SSLSessionTickets",
    "stapling": "SSLUseStapling",
}
_TEXTS = {
    "client_ca": "SSLCACertificateFile",
    "crl": "SSLCARevocationFile",
    "verify_depth": "SSLVerifyDepth",
    "session_cache": "SSLSessionCache",
    "session_timeout": "SSLSessionCacheTimeout",
    "stapling_responder": "SSLStaplingForceURL",
    "stapling_cache": "SSLStaplingCache",
}
_VERIFY = {"required": "require"}
_COMMANDS = {"groups": "Groups", "signature_algorithms": "SignatureAlgorithms"}
_GLOBAL = frozenset(("sslsessioncache", "sslsessioncachetimeout", "sslstaplingcache"))
"""What may stand outside of all sections only."""
_SINCE = {
    "sslopensslconfcmd": Version("2.4.8"),
    "sslsessiontickets": Version("2.4.11"),
}
_TLS13_SUITES_SINCE = Version("2.4.36")
_REQUIRE_SINCE = Version("2.4")
UNASKED = "default.invalid"
"""A name that nobody has (RFC 6761, section 6.4)."""
_DECIDED_BY_FIRST = frozenset(
    (
        "sslcertificatefile", "sslcertificatekeyfile", "sslcertificatechainfile", "sslprotocol", "sslciphersuite",
        "sslhonorcipherorder", "sslsessiontickets", "sslsessionticketkeyfile", "sslsessioncachetimeout",
        "sslopensslconfcmd", "sslinsecurerenegotiation", "sslcompression", "sslstrictsnivhostcheck", "protocols",
    )
)  # fmt: skip
"""What the first host of an address decides for connections to all of them, on some version at least."""
_NEEDS_QUOTES = re.compile(r"""[\s"'\\]|^$""")


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a new directive goes: below a line of its kind, or at the beginning of a section."""

    below: Directive | None
    section: Directive | None
    siblings: tuple[Directive, ...] = ()


class ApacheDialect(Dialect):
    """Apache: a directive ends with its line, sections have tags, and a virtual host inherits from the main server."""

    CONF_COMMAND = "SSLOpenSSLConfCmd"
    QUALIFIED = ("SSLCipherSuite",)

    def spelt(self, field: str, value: Any) -> tuple[str, tuple[str, ...]]:
        """Return the directive and its arguments that give a setting a value; raises `CannotSpell`."""
        if field in ("protocols", "effective_protocols"):
            return "SSLProtocol", ("-all", *(f"+{name}" for name in as_versions(value)))
        if field in ("ciphers", "plain_ciphers"):
            return "SSLCipherSuite", (as_list(value),)
        if field == "ciphersuites":
            if any(version < _TLS13_SUITES_SINCE for version in self.versions):
                raise CannotSpell(f"SSLCipherSuite takes TLS 1.3 suites since httpd {_TLS13_SUITES_SINCE}")
            return "SSLCipherSuite", ("TLSv1.3", as_list(value))
        if field in _COMMANDS:
            return self.CONF_COMMAND, (_COMMANDS[field], as_list(value))
        if field in _SWITCHES:
            return _SWITCHES[field], ("on" if value else "off",)
        if field in _TEXTS:
            return _TEXTS[field], (str(value),)
        if field in ("verify_client", "client_check"):
            return "SSLVerifyClient", (_VERIFY.get(value, value),)
        raise CannotSpell(f"Apache has no directive for {field.replace('_', ' ')}")

    def quoted(self, value: str, quote: str) -> str:
        """Return a word as it is written."""
        if not quote and _NEEDS_QUOTES.search(value):
            quote = '"'
        if not quote:
            return value
        return quote + re.sub(rf"\\|{quote}", lambda found: "\\" + found[0], value) + quote

    def unquoted(self, argument: Argument) -> str:
        """Return what the server reads where this word stands, if nothing is replaced in it."""
        raw, quote = argument.raw, argument.quote
        if quote and raw.startswith(quote):
            raw = raw[1:-1] if len(raw) > 1 and raw.endswith(quote) else raw[1:]
        return raw if "${" in raw else decode(raw, quote)

    def parse(self, source: Source) -> Tree:
        """Return the tree of a file."""
        return parse_apache(source)

    def check_known(self, name: str, module: str) -> None:
        """Raise `CannotSpell` where a version that the target may be does not take a directive."""
        since = _SINCE.get(name.lower())
        for version in self.versions:
            if since is not None and version < since:
                raise CannotSpell(f"httpd {version} does not know {name}")

    def line(self, name: str, arguments: Sequence[str], siblings: Sequence[Directive]) -> str:
        """Return a whole directive."""
        return padded(name, [self.quoted(word, "") for word in arguments], siblings)

    # -- where a line belongs ----------------------------------------------------------------------------------------

    def added(self, host: VirtualHost, name: str, arguments: Sequence[str]) -> Edit:
        """Return the edit that gives a host a further directive."""
        return self.added_at(self._own(host, name), name, arguments)

    def homes(self, hosts: Sequence[VirtualHost], field: str, name: str) -> Iterator[_Home]:
        """Yield the places, as few as possible, where a directive serves all these hosts."""
        main = self._main(hosts)
        shared = self._global(main) if main is not None else None
        if shared is None and main is not None and name.lower() in _GLOBAL:
            shared = self._global(main, "listen")
        if shared is None and name.lower() in _GLOBAL:
            raise CannotSpell("the main server has no TLS settings beside which it could stand")
        if shared is not None and (name.lower() in _GLOBAL or not self._overridden(hosts, name)):
            yield shared
            return
        found: dict[tuple[int, int], _Home] = {}
        for host in hosts:
            home = self._own(host, name)
            anchor = home.below or home.section
            assert anchor is not None
            found.setdefault((id(anchor.source), anchor.start), home)
        yield from found.values()

    @staticmethod
    def _main(hosts: Sequence[VirtualHost]) -> Section | None:
        for host in hosts:
            scope = host.scope
            while isinstance(scope, Section) and scope.parent is not None:
                scope = scope.parent
            if isinstance(scope, Section):
                return scope
        return None

    def _overridden(self, hosts: Sequence[VirtualHost], name: str) -> bool:
        """Whether a host has a line of its own, which takes the place of the main server's."""
        return any(
            isinstance(host.scope, Section) and host.scope.parent is not None and name.lower() in host.scope.own
            for host in hosts
        )

    def _global(self, main: Section, prefix: str = "ssl") -> _Home | None:
        """Return where the main server has directives whose names begin so, if it has any."""
        places = [
            place
            for place in main.items
            if place.directive.name.lower().startswith(prefix)
            and not any(step.name.lower() == "use" for step in place.includes)
        ]
        if not places:
            return None
        last = places[-1].directive
        together = tuple(place.directive for place in places if place.directive.source is last.source)
        return _Home(last, None, together)

    def _own(self, host: VirtualHost, name: str) -> _Home:
        section = self._directive(host.place)
        if section.block is None:
            main = self._main([host])
            shared = self._global(main) if main is not None else None
            if shared is None:
                raise CannotSpell("the main server has no TLS settings beside which it could stand")
            return shared
        prefix = "ssl" if name.lower().startswith("ssl") else name.lower()[:6]
        siblings = siblings_of(section.block, prefix)
        # the switch comes first, below the name
        if siblings and name.lower() != "sslengine":
            return _Home(siblings[-1], None, tuple(siblings))
        nested = [child for child in walk(section.block) if child.block is None and child.name.lower() == "sslengine"]
        if nested:
            return _Home(nested[-1], None, tuple(nested))
        names = siblings_of(section.block, "server")
        return _Home(names[-1] if names else None, section, ())

    def added_at(self, home: _Home, name: str, arguments: Sequence[str]) -> Edit:
        """Return the edit that writes a directive at one of those places."""
        line = self.line(name, arguments, home.siblings)
        if home.below is not None:
            return after(home.below, line, shared_lines=False)
        assert home.section is not None
        return inside(home.section, line)

    def upstream_arguments(self, field: str, value: Any) -> tuple[str, ...]:
        """Return the arguments that give a setting of connections to upstreams a value."""
        if field == "protocols":
            return ("-all", *(f"+{version}" for version in as_versions(value)))
        return ("require" if value else "none",) if field == "verify" else (as_word(value),)

    def added_upstream(self, upstream: Upstream, field: str, name: str, arguments: tuple[str, ...]) -> list[Edit]:
        """Return the edits that write a directive in the host that passes requests on, or for all that do."""
        if not upstream.virtual_hosts:
            raise CannotSpell("no host is known that needs it")
        passing = self._directive(upstream.place)
        host = upstream.virtual_hosts[0]
        section = host.place.directive
        if section.source is passing.source and section.start < passing.start < section.end:
            homes = [self._near(self._own(host, name), passing)]
        else:
            homes = list(self.homes(upstream.virtual_hosts, field, name))
        return [self.added_at(home, name, arguments) for home in homes]

    @staticmethod
    def _near(home: _Home, passing: Directive) -> _Home:
        """Return where a line about a connection goes: below its kin, or below what passes requests on."""
        children = [] if home.section is None else [child.start for child in home.section.block or ()]
        return _Home(passing, None, ()) if passing.start in children else home

    def _rejecting_host(self, intention: AddRejectingHost) -> list[Edit]:
        """A first host that refuses every request: Apache has none that rejects the handshake.

        It has the certificate and all else that the present first host decides for the others of its address.
        """
        first = intention.listeners[0].default if intention.listeners else None
        if first is None or any(listener.default is not first for listener in intention.listeners):
            raise CannotSpell("the sockets have different first hosts")
        section = self._directive(first.place)
        if section.block is None or first.is_main:
            raise CannotSpell("the first host of the address is no virtual host")
        if not first.tls.certificates.known:
            raise CannotSpell("the certificate that it would present is not known")
        if any(version < _REQUIRE_SINCE for version in self.versions):
            raise CannotSpell(f"httpd {min(self.versions)} has no Require all")
        words = " ".join(argument.raw for argument in section.arguments)
        inner = unit(section.source)
        own = [f"{inner}{line}" for line in self._decided(first, section)]
        lines = [f"<VirtualHost {words}>", f"{inner}ServerName {UNASKED}", f"{inner}SSLEngine on", *own]
        closing = [
            f'{inner}<Location "/">',
            f"{inner}{inner}Require all denied",
            f"{inner}</Location>",
            "</VirtualHost>",
        ]
        return [before(section, [*lines, *closing])]

    def _decided(self, host: VirtualHost, section: Directive) -> Iterator[str]:
        """Yield the lines of a host about TLS, and those that include such lines, each once."""
        scope = host.scope
        assert isinstance(scope, Section)
        seen: set[int] = set()
        for place in scope.items:
            if place.directive.name.lower() not in _DECIDED_BY_FIRST:
                continue
            if place.doubt or any(step.name.lower() == "use" for step in place.includes):
                raise CannotSpell("a macro or a variable makes the settings that would have to be repeated")
            steps = (*place.includes, place.directive)
            line = next(
                (step for step in steps if step.source is section.source and section.start < step.start < section.end),
                None,
            )
            if line is not None and line.start not in seen:
                seen.add(line.start)
                yield " ".join(line.source.text[line.start : line.end].replace("\\\n", " ").split())
