"""What the rules about HTTP share: who is served over TLS, and what a Strict-Transport-Security header says."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from tlslint.parse.tree import Source, Span
from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Endpoint, Header, Location, Place, Unknown, VirtualHost
from tlslint.rules.words import negotiating

HSTS = "strict-transport-security"
ACME = "/.well-known"
HTTP_PORT = 80


@dataclass(slots=True)
class SecureHost:
    """A virtual host that answers HTTP requests over TLS, with its endpoints there."""

    host: VirtualHost
    endpoints: list[Endpoint]

    @property
    def labels(self) -> list[str]:
        """The labels of the endpoints."""
        return [endpoint.label for endpoint in self.endpoints]


@lru_cache(maxsize=1)
def secure_hosts(deployment: Deployment) -> tuple[SecureHost, ...]:
    """Return the hosts that answer HTTP requests over TLS, in order."""
    found: dict[VirtualHost, SecureHost] = {}
    for endpoint in negotiating(deployment):
        host = endpoint.virtual_host
        if endpoint.listener.module == "http":
            if host not in found:
                found[host] = SecureHost(host, [])
            found[host].endpoints.append(endpoint)
    return tuple(found.values())


def half_read(deployment: Deployment) -> set[Source]:
    """Return the files with syntax errors: nothing can be said to be missing from a host in one of them."""
    return {problem.span.source for problem in deployment.problems if problem.kind == "syntax-error"}


def is_challenge(location: Location) -> bool:
    """Whether a location is there for programs that look under `/.well-known`, such as ACME clients."""
    return ACME in location.path.replace("\\", "")


def serves_content(location: Location, tls: bool) -> bool:
    """Whether visitors get pages here: no redirect, no refusal, no ACME challenge."""
    return location.final and location.returns is None and location.redirect(tls) is None and not is_challenge(location)


def may_be_sent(values: tuple[str, ...] | Unknown) -> bool:
    """Whether a header with these values may reach a client."""
    return isinstance(values, Unknown) or any(values)


def distinct_headers(locations: Iterable[Location]) -> Iterator[Header]:
    """Yield each header that is set in these places once, in order."""
    seen: set[int] = set()
    for headers in {id(location.headers): location.headers for location in locations}.values():
        for header in headers:
            if id(header) not in seen:
                seen.add(id(header))
                yield header


def is_hsts(header: Header) -> bool:
    """Whether it is a Strict-Transport-Security header that may be sent over TLS."""
    return header.name.lower() == HSTS and may_be_sent(header.over_tls)


def hsts_headers(location: Location) -> list[Header]:
    """Return the Strict-Transport-Security headers that the server may add in a location over TLS."""
    return [header for header in location.headers if is_hsts(header)]


def final_hsts_headers(host: VirtualHost) -> Iterator[Header]:
    """Yield each Strict-Transport-Security header that a host may add where requests end, once."""
    return filter(is_hsts, distinct_headers(location for location in host.locations if location.final))


def value_span(header: Header) -> Span:
    """Return where the value of a header is written, or its whole directive's arguments."""
    words = header.place.directive.arguments
    return next((word.span for word in words if str(word) == header.value), header.place.span)


def name_span(place: Place, name: str) -> Span:
    """Return where a header's name is written, or the arguments of the directive."""
    return next((word.span for word in place.directive.arguments if word.lower() == name.lower()), place.span)


def known_values(header: Header) -> tuple[str, ...]:
    """Return the values that a header may have over TLS and that are known; an absent header has none."""
    return () if isinstance(header.over_tls, Unknown) else tuple(value for value in header.over_tls if value)


@dataclass(slots=True, frozen=True)
class Directives:
    """A Strict-Transport-Security value, read as RFC 6797 section 6.1 has it."""

    max_age: int | None
    """Seconds; None where there is none, or it is no number."""
    include_subdomains: bool
    preload: bool
    problem: str = ""
    """What makes clients ignore the header, or a part of it."""


_DIRECTIVE = regex(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*("[^"]*"|[^\s;"]+)\s*)?')


@lru_cache(maxsize=1024)
def read_hsts(value: str) -> Directives:
    """Read a Strict-Transport-Security value."""
    found: dict[str, str | None] = {}
    problem = ""
    for part in value.split(";"):
        if not part.strip():
            continue
        match = _DIRECTIVE.fullmatch(part)
        if match is None:
            problem = problem or f'"{part.strip()}" is no directive'
            continue
        name = match[1].lower()
        if name in found:
            problem = problem or f"{match[1]} is there twice"
        found.setdefault(name, match[2])
    text = (found.get("max-age") or "").strip('"')
    max_age = int(text) if text.isascii() and text.isdecimal() else None
    if max_age is None and not problem:
        problem = f'max-age is "{text}"' if "max-age" in found else "it has no max-age"
    return Directives(max_age, "includesubdomains" in found, "preload" in found, problem)
