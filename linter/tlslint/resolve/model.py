"""The `Deployment`: what each listening socket answers for each server name, and where every part of it comes from.

Both resolvers (nginx, Apache) give these types; rules and reports read nothing else. The names are the field's own.
A value that cannot be known without guessing is `Unknown`, with the reason; a rule that meets one says nothing and
the report counts it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tlslint.intention import Fix
from tlslint.parse.tree import Argument, Directive, Span
from tlslint.record import dataclass, field, replace
from tlslint.resolve.include import Unreadable
from tlslint.target import Target

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, Certificate, DhParameters, KeyFacts
    from tlslint.resolve.certificates import Certificates
    from tlslint.resolve.clients import Clients
    from tlslint.resolve.include import Files
    from tlslint.resolve.named_files import NamedFiles

T = TypeVar("T")


class Unknown:
    """The value of something that could not be decided; `reason` is a clause for the reader."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.reason == self.reason

    def __hash__(self) -> int:
        return hash(self.reason)


class Place:
    """A directive that is in force, and the chain of include directives (outermost first) through which it is."""

    __slots__ = ("directive", "doubt", "includes")

    def __init__(self, directive: Directive, includes: tuple[Directive, ...] = (), doubt: str = "") -> None:
        self.directive = directive
        self.includes = includes
        self.doubt = doubt
        """Why its words may be others (Apache: a variable that nobody can know here stands in them), or empty."""

    @property
    def span(self) -> Span:
        """The directive's arguments, or its name where it has none."""
        arguments = self.directive.arguments
        if not arguments:
            return self.directive.name.span
        return Span(self.directive.source, arguments[0].start, arguments[-1].end)

    def argument(self, index: int) -> Argument:
        """Return one argument of the directive; raises IndexError when it has fewer."""
        return self.directive.arguments[index]

    @property
    def last_include(self) -> Directive | None:
        """The include directive that brought the file of this directive in, if any."""
        return self.includes[-1] if self.includes else None

    def __repr__(self) -> str:
        return f"Place({self.directive.name} at {self.directive.source.path}:{self.directive.line})"


class Setting(Generic[T]):
    """A value and its provenance: the directives that set it, or the default and since when that is the default.

    `places` is empty for a default. Several places mean that several directives together make the value
    (nginx unites repeated `ssl_protocols`, both servers collect certificates). `replaced` are lines of the same block
    without effect, because the one that counts comes later (Apache, protocol versions only).
    """

    __slots__ = ("default", "is_unknown", "known", "places", "replaced", "value")

    def __init__(self, value: T | Unknown, places: tuple[Place, ...] = (), default: str = "") -> None:
        self.value = value
        self.is_unknown = isinstance(value, Unknown)
        """Whether nothing can be said of the value."""
        self.known: T | None = None if isinstance(value, Unknown) else value
        """The value, or None where it is unknown."""
        self.places = places
        self.default = default
        self.replaced: tuple[Place, ...] = ()

    @property
    def explicit(self) -> bool:
        """Whether a directive sets it."""
        return bool(self.places)

    @property
    def span(self) -> Span | None:
        """Where the (last) directive that sets it has its arguments."""
        return self.places[-1].span if self.places else None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two settings that the same directives (through whichever includes) make the same."""
        if self.places:
            return tuple(id(place.directive) for place in self.places)
        return (self.default, self.value)

    def __repr__(self) -> str:
        return f"Setting({self.value!r}, {list(self.places) or self.default!r})"


class ConfCommand:
    """One `ssl_conf_command` / `SSLOpenSSLConfCmd`: a command of OpenSSL's own configuration language."""

    __slots__ = ("name", "place", "value")

    def __init__(self, name: str, value: str, place: Place) -> None:
        self.name = name
        self.value = value
        self.place = place


class CertificatePair:
    """A certificate and its key as configured, with what was read from their files.

    `file` and `key_file` are the names as written, `path` and `key_path` the server paths that they mean (empty where
    the name is none of a file). `bundle` is None with a `reason` where the file could not be read, `key` is None with a
    `key_reason` where the key's file could not; `trouble` and `key_trouble` say what kind of reason it is
    (`Unreadable.kind`).

    `chain_file` and `chain_place` are there where the certificates behind the first one come from another file;
    `bundle` then has them in place of its own, which `own_bundle` keeps.
    """

    __slots__ = (
        "_read", "bundle", "chain_file", "chain_place", "file", "key", "key_file", "key_path", "key_place",
        "key_reason", "key_trouble", "own_bundle", "path", "place", "reason", "trouble",
    )  # fmt: skip

    bundle: "Bundle | None"
    reason: str
    trouble: str
    key: "KeyFacts | None"
    key_reason: str
    key_trouble: str
    own_bundle: "Bundle | None"

    def __init__(
        self,
        file: str,
        place: Place,
        key_file: str | None,
        key_place: Place | None,
        read: "Callable[[CertificatePair], tuple[Bundle | Unreadable | None, KeyFacts | Unreadable | None]]",
        *,
        path: str = "",
        key_path: str = "",
    ) -> None:
        self.file = file
        self.place = place
        self.key_file = key_file
        self.key_place = key_place
        self.path = path
        self.key_path = key_path
        self.chain_file = ""
        self.chain_place: Place | None = None
        self._read = read

    def __getattr__(self, name: str) -> Any:
        """Have the files read once it is asked what is in them."""
        if name not in CertificatePair.__annotations__:
            raise AttributeError(name)
        bundle, key = self._read(self)
        self.bundle, self.reason, self.trouble = _contents(self.file, bundle)
        self.key, self.key_reason, self.key_trouble = _contents(self.key_file, key)
        self.own_bundle = self.bundle
        return getattr(self, name)

    @property
    def leaf(self) -> "Certificate | None":
        """The certificate that the server takes as its own: the first of the file."""
        for entry in () if self.bundle is None else self.bundle.entries:
            if entry.served:
                return entry.certificate
        return None

    @property
    def key_type(self) -> str | None:
        """`rsa`, `ec`, …, or None where the file could not be read."""
        leaf = self.leaf
        return leaf.key_type if leaf is not None else None


def _contents(file: str | None, read: T | Unreadable | None) -> tuple[T | None, str, str]:
    """Return what was read from a file, why it was not, and what kind of reason that is."""
    if isinstance(read, Unreadable):
        return None, f'"{file}" {read.reason}', read.kind
    return read, "", ""


def why_unread(certificates: "Setting[tuple[CertificatePair, ...]]") -> str:
    """Return why a certificate that is named is not known."""
    if isinstance(certificates.value, Unknown):
        return certificates.value.reason
    return next((pair.reason for pair in certificates.value if pair.reason), "the certificate could not be read")


def presented(pairs: Sequence[CertificatePair]) -> tuple[CertificatePair, ...]:
    """Return the pairs that a server presents: the last of each key type, if certificate and key belong together.

    OpenSSL keeps one slot for each key type. A key of another type than its certificate goes into another slot, so
    neither is ever used, and no error is given (SSL_CTX_use_certificate(3), SSL_CTX_use_PrivateKey(3)). A file that
    could not be read is kept: its type is unknown.
    """
    certificates: dict[str, CertificatePair] = {}
    keys: dict[str, object] = {}
    unknown: list[CertificatePair] = []
    for pair in pairs:
        kind = pair.key_type
        if pair.file and kind is None:
            unknown.append(pair)
            continue
        if kind is not None:
            certificates[kind] = pair
            if pair.key_file is None:
                # a certificate that comes without a key drops a key that does not fit it
                keys.pop(kind, None)
        if pair.key_file is not None:
            key_type = pair.key.key_type if pair.key is not None else kind
            if key_type is not None:
                keys[key_type] = pair.key
    return (*(pair for kind, pair in certificates.items() if kind in keys), *unknown)


@dataclass(slots=True, frozen=True)
class DirectoryTls:
    """What a section for a part of a host asks for after the handshake: a renegotiation, or a second request.

    A setting is None where the section leaves it to the host.
    """

    place: Place
    """The opening line of the section."""
    verify_client: Setting[str] | None = None
    ciphers: Setting[str] | None = None
    verify_depth: Setting[int] | None = None


@dataclass(slots=True)
class TlsSettings:
    """What is configured for TLS, after inheritance and defaults, as OpenSSL will be told.

    A virtual host has the settings that its own block would have (`VirtualHost.tls`); an endpoint has those that
    really govern it (`Endpoint.tls`), which differ where the socket's default server decides.
    """

    protocols: Setting[frozenset[str]]
    """Protocol versions that the plain directive switches on, e.g. `{"TLSv1.2", "TLSv1.3"}`."""
    effective_protocols: Setting[frozenset[str]]
    """The same after OpenSSL commands (Protocol, MinProtocol, MaxProtocol); places name what decides."""
    ciphers: Setting[str]
    """The cipher string for TLS 1.2 and below that is in force (a CipherString command wins)."""
    ciphersuites: Setting[str | None]
    """The TLS 1.3 suites that are in force; None is the library's default."""
    server_order: Setting[bool]
    """Whether the server's order of suites decides, for TLS 1.2 and below."""
    server_order_tls13: Setting[bool]
    """The same for TLS 1.3, which another host may decide."""
    groups: Setting[str]
    """The list of key exchange groups; `auto` is the library's default."""
    certificates: Setting[tuple[CertificatePair, ...]]
    dh_params: Setting[str | None]
    """Path of the DH parameters; None where there are none."""
    conf_commands: Setting[tuple[ConfCommand, ...]]
    reject_handshake: Setting[bool]
    verify_client: Setting[str]
    """What is asked for in the handshake: `none`, `optional`, `optional_no_ca` or `required`."""
    client_check: Setting[str]
    """The same words for what the server itself makes of the result: an OpenSSL command asks and does not check."""
    client_ca: Setting[str | None]
    trusted_ca: Setting[str | None]
    crl: Setting[str | None]
    client_ocsp: Setting[bool]
    """Whether client certificates are checked with their OCSP responders."""
    verify_depth: Setting[int]
    session_tickets: Setting[bool]
    ticket_keys: Setting[tuple[str, ...]]
    session_cache: Setting[str]
    session_timeout: Setting[int]
    """Seconds."""
    early_data: Setting[bool]
    signature_algorithms: Setting[str | None]
    """What the server may sign with; None is the library's default."""
    stapling: Setting[bool]
    stapling_verify: Setting[bool]
    stapling_file: Setting[str | None]
    stapling_responder: Setting[str | None]
    """A responder's URL that is used instead of the certificate's own."""
    resolver: Setting[bool]
    """Whether the server can ask for addresses while it runs."""
    options: frozenset[str] = frozenset()
    """OpenSSL options switched on (`PrioritizeChaCha`) or, with a minus, off (`-SessionTicket`)."""
    security_level: int | None = None
    """Security level forced by the platform's openssl.cnf; a `@SECLEVEL` in the cipher string wins over it."""
    plain_ciphers: Setting[str] | None = None
    """The cipher string of the plain directive, which a CipherString command replaces."""
    dh: "DhParameters | None" = None
    """The first DH parameters in the file that `dh_params` names; None where it could not be read."""
    surplus_keys: tuple[Place, ...] = ()
    """Keys that are configured beyond the number of certificates: the server never reads them."""
    dh_auto: bool = False
    """Whether the server makes up Diffie-Hellman parameters of its own where none are configured."""
    failure: str = ""
    """Why every handshake ends in an error although the library takes the settings, or empty."""
    ticket_failure: str = ""
    """Why every TLS 1.3 connection ends in an error where the server gives out tickets, or empty."""
    ca_path: Setting[str | None] | None = None
    """The directory of CAs of clients, which needs links that are named by hashes; `client_ca` is unknown then."""
    ca_names: Setting[str | None] | None = None
    """The file (or directory) of the CAs that are named to clients instead of those that are trusted."""
    idle_crl: Setting[str | None] | None = None
    """A list of revoked certificates (or a directory of them) that is loaded and never looked at."""
    crl_check: Setting[str] | None = None
    """What is looked up in the lists: `none`, `leaf` or `chain`."""
    stapling_cache: Setting[str | None] | None = None
    """Where responses are kept, without which Apache staples nothing; None for a server that needs no such setting."""
    directories: "tuple[DirectoryTls, ...]" = ()
    """Sections for a part of the URL space or of the file system that ask for TLS of their own."""
    switches: tuple[tuple[str, Place], ...] = ()
    """OpenSSL options that directives of their own switch on (`SSLCompression on`): their names, and where."""

    @property
    def has_dh_params(self) -> bool:
        """Whether DHE suites may have parameters: unknown ones count."""
        return self.dh_auto or self.dh_params.is_unknown or self.dh_params.known is not None

    def setting(self, name: str) -> Setting[object]:
        """Return a setting by its field name; raises AttributeError for an unknown one."""
        value: Setting[object] = getattr(self, name)
        return value


@dataclass(slots=True)
class ServerName:
    """One name, alias or pattern that a virtual host claims, at the argument that claims it."""

    text: str
    argument: Argument | None
    place: Place | None
    kind: str = "exact"
    """`exact`, `wildcard` (`*.example.com`, `www.example.*`), `dotted` (`.example.com`), `regex`, `empty`, `inherited`.

    Apache gives a host without a name that of the main server (`inherited`).
    """


@dataclass(slots=True)
class Header:
    """A header that is set on messages: name, value as written, whether on error answers too, and where set."""

    name: str
    value: str
    always: bool
    place: Place
    over_tls: tuple[str, ...] | Unknown = ()
    """The values that clients may get over TLS, variables resolved; an empty one is not sent."""
    over_plain: tuple[str, ...] | Unknown = ()
    """The same over plain HTTP."""


@dataclass(slots=True, frozen=True)
class LostHeader:
    """A header of an enclosing level that is dropped, and the directive that makes the server drop it."""

    header: Header
    dropped_by: Place


@dataclass(slots=True, frozen=True)
class Redirect:
    """A redirect: status and target as written, and which requests get it."""

    status: int
    target: str
    place: Place
    scheme: str
    """Where it leads: `https`, `http`, `same` (as the request came), or empty where that cannot be known."""
    over_tls: bool | None
    """Whether every (True), no (False) or some (None) request that comes over TLS gets it."""
    over_plain: bool | None
    """The same for requests over plain HTTP."""


@dataclass(slots=True)
class Location:
    """A place in the URL space with its own response settings: the host's top level (`path` "") or a location."""

    path: str
    """As written, with the modifier: `~ \\.php$`."""
    place: Place
    headers: tuple[Header, ...]
    """The headers that the server itself surely adds here, after its inheritance rules; `doubt` tells of others."""
    lost_headers: tuple[LostHeader, ...] = ()
    """Headers of enclosing levels that are dropped because a level further in sets headers of its own."""
    redirects: tuple[Redirect, ...] = ()
    returns: int | None = None
    """Status of an unconditional answer without content handling (e.g. 444, 404), if any."""
    final: bool = True
    """Whether requests can end here (a location that only rewrites cannot)."""
    condition: str = ""
    """Which requests of the location are meant, as written, where it is not all of them."""
    application: Place | None = None
    """The directive that hands requests to another program, which may send headers of its own."""
    hidden_headers: frozenset[str] = frozenset()
    """Names, in lower case, of headers of that program that are not passed on."""
    doubt: str = ""
    """Why further headers may be sent that cannot be foreseen (a script, an include that was not read), or empty."""

    def redirect(self, tls: bool) -> Redirect | None:
        """Return the redirect that every request gets that ends here and comes over TLS (or plainly)."""
        return next((item for item in self.redirects if (item.over_tls if tls else item.over_plain)), None)


@dataclass(slots=True)
class Upstream:
    """A connection that the server itself makes to another program (proxy, gRPC, uwsgi …), with its client settings."""

    protocol: str
    """The directive family: `proxy`, `grpc`, `uwsgi`, `fastcgi`, `scgi` (nginx), `proxy` (Apache)."""
    target: str
    """As written: `https://backend:8443/`."""
    place: Place
    host: str
    """Host name, address or `unix:` path that is connected to; empty where a variable decides."""
    local: bool
    """Whether every address that it can reach is loopback or a unix socket."""
    tls: bool | None
    """Whether the connection is TLS; None where a variable decides. Where it is False, the settings are unknown."""
    verify: Setting[bool]
    trusted_ca: Setting[str | None]
    server_name: Setting[bool]
    """Whether SNI is sent."""
    name: Setting[str | None]
    """The name that is sent and checked; None is the host of the target."""
    protocols: Setting[frozenset[str]]
    ciphers: Setting[str]
    verify_depth: Setting[int]
    certificate: Setting[str | None]
    crl: Setting[str | None]
    session_reuse: Setting[bool]
    group: Place | None = None
    """The block that lists the servers behind the host's name, if there is one."""
    members: tuple[str, ...] = ()
    """The addresses in that block, as written."""
    request_headers: tuple[Header, ...] = ()
    """Headers (or parameters) that are set on requests towards this upstream."""
    virtual_hosts: list["VirtualHost"] = field(default_factory=list)
    spellings: dict[str, str] = field(default_factory=dict)
    """How this server and protocol spell the settings above: `{"verify": "proxy_ssl_verify", …}`."""
    passes_headers: bool = True
    """Whether headers of the client's request that nothing sets go to the upstream as they came."""
    name_check: Setting[bool] | None = None
    """Whether the certificate's name is checked, where that does not come with the verification."""
    expiry_check: Setting[bool] | None = None
    """The same of the certificate's dates."""
    failure: str = ""
    """Why every request that takes this connection fails, or empty."""
    key: Setting[str | None] | None = None
    """The file with the key of `certificate`, where that is a file of its own."""
    engine: Setting[bool] | None = None
    """Whether TLS is switched on for connections, where that does not come with the target's scheme."""


@dataclass(slots=True)
class LogFormat:
    """An access log that is written: its format text as written, or None where it is the server's own default."""

    format_name: str
    text: str | None
    place: Place | None
    """The directive that switches the log on; None where it is written by default."""
    format_place: Place | None = None
    """The directive that defines the format."""


@dataclass(slots=True)
class Web:
    """What a virtual host does with HTTP requests."""

    locations: tuple[Location, ...] = ()
    logs: tuple[LogFormat, ...] | Unknown = ()


NO_WEB = Web()


@dataclass(slots=True, frozen=True)
class ClientUse:
    """A directive that acts on a client certificate or on the result of its verification."""

    variables: frozenset[str]
    """The server's variables (without `$`) that it goes by, also through others that are made from them."""
    place: Place
    condition: bool = False
    operator: str = ""
    """Of a comparison of the verification's result: `=`, `!=`, `~` …"""
    value: str = ""
    """What it is compared with."""


@dataclass(slots=True, frozen=True)
class ErrorPage:
    """What requests get that are refused for their client certificate, instead of the refusal."""

    statuses: tuple[str, ...]
    target: str
    """As written: `/app`, `@named`, a URL."""
    status: str | None
    """The status that is sent instead (`200`), empty for that of the target, None where the refusal's is kept."""
    place: Place
    application: Place | None = None
    """The directive that hands the request to a program."""
    refuses: bool = False
    """Whether the target answers without content of its own."""
    checks: bool = False
    """Whether the target looks at the client certificate again."""


@dataclass(slots=True, frozen=True)
class ClientChecks:
    """What a host makes of client certificates after the handshake; `doubt` is why there may be more."""

    uses: tuple[ClientUse, ...] = ()
    error_pages: tuple[ErrorPage, ...] = ()
    guarded: bool = False
    """Whether something else may keep strangers out as well: addresses, passwords."""
    doubt: str = ""


NO_CHECKS = ClientChecks()


@dataclass(slots=True, eq=False)
class VirtualHost:
    """One `server {}` or `<VirtualHost>`: its names and what its own block asks for.

    `tls` is what the block asks for, `redirects`… what it does with requests; whether it governs is the endpoint's.
    """

    names: tuple[ServerName, ...]
    place: Place
    module: str
    tls: TlsSettings
    scope: object = None
    """The resolver's own view of the block, for the parts of the model that are worked out on demand."""
    listeners: list["Listener"] = field(default_factory=list)
    incomplete: str = ""
    """Why something inside this block may be missing from the picture (an include that could not be read)."""
    block: Place | None = None
    """The block whose settings all of its hosts inherit (`http`), if there is one."""
    read_web: Callable[["VirtualHost"], Web] | None = None
    """Works out `locations` and `logs`, which only some rules ask for."""
    _web: Web | None = None
    read_client_checks: Callable[["VirtualHost"], ClientChecks] | None = None
    """Works out `client_checks`, which only rules about client certificates ask for."""
    _client_checks: ClientChecks | None = None
    is_main: bool = False
    """Whether it is Apache's main server: all that stands outside of virtual hosts, where it answers itself."""
    tls_switch: Place | None = None
    """What says whether the host speaks TLS, where a host says that for itself (Apache's `SSLEngine`)."""
    is_without_tls: bool = False
    """Whether that surely says no: the server then reads none of the host's keys."""
    unreachable: str = ""
    """Why no connection ever gets to the host, whatever its names are (a clause for the reader), or empty."""

    @property
    def client_checks(self) -> ClientChecks:
        """What the host makes of client certificates after the handshake."""
        if self._client_checks is None:
            self._client_checks = NO_CHECKS if self.read_client_checks is None else self.read_client_checks(self)
        return self._client_checks

    @property
    def locations(self) -> tuple[Location, ...]:
        """The places in the URL space where requests can end, the host's top level first."""
        return self._read_web().locations

    @property
    def logs(self) -> tuple[LogFormat, ...] | Unknown:
        """The access logs that are written at any place of the host."""
        return self._read_web().logs

    def _read_web(self) -> Web:
        if self._web is None:
            self._web = NO_WEB if self.read_web is None else self.read_web(self)
        return self._web

    @property
    def label(self) -> str:
        """How messages name this host: its first name, or file and line where it has none."""
        for name in self.names:
            if name.kind not in ("empty", "inherited"):
                return name.text
        if self.is_main:
            return "the main server"
        return f"the host at {self.place.directive.source.path}:{self.place.directive.line}"

    @property
    def span(self) -> Span:
        """The opening line of the block: its name and arguments."""
        directive = self.place.directive
        end = directive.arguments[-1].end if directive.arguments else directive.name.end
        return Span(directive.source, directive.name.start, end)


@dataclass(slots=True, eq=False)
class Listener:
    """A listening socket: address, port and transport, the flags it ends up with, and who answers on it.

    `tls` is whether connections start with a TLS handshake. `default` answers when no name matches;
    `explicit_default` whether it is marked so. `places` are the directives that open the socket, in order.
    """

    address: str
    """As bound: `0.0.0.0`, `[::]`, `127.0.0.1`, `unix:/run/x.sock`, or the text as written where unresolvable.

    Empty for the made-up socket of a fragment: settings that are in force in whatever server includes the file.
    """
    port: int | None
    transport: str
    """`tcp` or `quic`."""
    module: str
    """`http`, `stream` or `mail`."""
    tls: bool
    default: VirtualHost
    explicit_default: Place | None
    virtual_hosts: list[VirtualHost]
    places: list[tuple[VirtualHost, Place]]
    http2: bool = False
    proxy_protocol: bool = False
    starttls: str = "off"
    incomplete: str = ""
    """Why other hosts may answer here as well (an include that could not be read, a fragment), or empty."""
    stands_for: str = ""
    """Of a made-up socket: the servers that it stands for, in words."""
    is_remainder: bool = False
    """Whether hosts have addresses of a wildcard socket for themselves, and this is what is left of it.

    The machine may have no other address.
    """

    @property
    def label(self) -> str:
        """`0.0.0.0:443`, `[::]:443` or `unix:/run/x.sock`; QUIC sockets say so."""
        if not self.address:
            return "an unknown socket"
        text = self.address if self.port is None else f"{self.address}:{self.port}"
        return f"{text} (quic)" if self.transport == "quic" else text


@dataclass(slots=True, frozen=True)
class Shadow:
    """A setting that a host makes itself and that the socket's default server decides, with another value."""

    field: str
    """Field name of `TlsSettings`."""
    own: "Setting[object]"
    governing: "Setting[object]"
    versions: str = ""
    """Empty where it is so on the target; else the versions on which it is so: `nginx before 1.29.2`."""


NO_SNI = None
ANY_OTHER_NAME = "*"


@dataclass(slots=True, eq=False)
class Endpoint:
    """A listener and a server name: what does a client meet that connects here and asks for this name?

    `sni` is a name or pattern as written, None for a client that sends no name, `*` for a name that nobody claims.
    """

    listener: Listener
    sni: str | None
    name: ServerName | None
    virtual_host: VirtualHost
    """Who is selected by the name (the default server for no or an unclaimed name)."""
    answering: VirtualHost
    """Whose certificate is presented: the selected host, or the default server where the host has none."""
    tls: TlsSettings
    handshake: "Handshake"
    shadowed: tuple[Shadow, ...] = ()
    """What `virtual_host` sets itself but the default server decides, with another value."""
    refused_by: Place | None = None
    """The directive by which every request on such a connection is refused after the handshake, if there is one."""

    @property
    def outcome(self) -> str:
        """The handshake's; unknown where the certificate is chosen during it: the file may not be there."""
        outcome = self.handshake.outcome
        return "unknown" if outcome == "completes" and self.tls.certificates.is_unknown else outcome

    @property
    def unknown(self) -> tuple[tuple[str, str], ...]:
        """What could not be decided, and why: of certificates this endpoint's own reason."""
        return tuple(
            (what, why_unread(self.tls.certificates) if what == "certificates" else why)
            for what, why in self.handshake.unknown
        )

    @property
    def label(self) -> str:
        """`shop.example.org on 0.0.0.0:443`."""
        if not self.listener.address:
            return self.listener.stands_for
        return f"{self.who} on {self.listener.label}"

    @property
    def who(self) -> str:
        """The server name in words."""
        if self.sni is None:
            return "a client without SNI"
        if self.sni == ANY_OTHER_NAME:
            return "any other name"
        return self.sni or '""'


@dataclass(slots=True, eq=False)
class Handshake:
    """The answer to a client: one object for all endpoints that answer alike, from the same directives.

    Protocols and suites are what a scanner on the wire finds, after key types, security level and library.
    """

    outcome: str
    """`completes`, `rejected`, `plaintext` or `unknown`."""
    protocols: tuple[str, ...]
    ciphers: dict[str, tuple[str, ...]]
    """OpenSSL suite names by protocol version, in the server's order."""
    server_order: bool
    groups: tuple[str, ...]
    client_certificate: str
    """`none`, `optional` or `required`."""
    alpn: tuple[str, ...]
    key_types: tuple[str, ...]
    """Key types of the certificates that are presented; empty where they are unknown."""
    tls: TlsSettings
    target: Target
    reason: str = ""
    """Why the handshake is rejected or unknown."""
    unknown: tuple[tuple[str, str], ...] = ()
    """What could not be decided: (`certificates`, why)."""
    security_level: int = 1
    keys: tuple[tuple[str, int, str], ...] = ()
    """Key type, bits and curve of each certificate that is presented; type `unknown` where it could not be read."""
    quic: bool = False
    tickets: dict[str, bool] = field(default_factory=dict)
    """By protocol version: whether the server gives out session tickets; a version is missing where it is unknown."""
    hello_retry: str = ""
    """What a TLS 1.3 client meets that needs a HelloRetryRequest: `works`, `fails`, or `depends` on its cipher suites.

    Empty where TLS 1.3 is not negotiated or it is unknown.
    """
    endpoints: list[Endpoint] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """Labels of all endpoints that answer so."""
        return [endpoint.label for endpoint in self.endpoints]

    @property
    def negotiates_tls12(self) -> bool:
        """Whether a version is negotiable for which the cipher string counts."""
        return any(protocol != "TLSv1.3" for protocol in self.protocols)


@dataclass(slots=True, frozen=True)
class Problem:
    """Something that resolution itself met and that a rule reports: `kind` is the name of that rule."""

    kind: str
    message: str
    span: Span
    severity: str = "error"
    label: str = ""
    help: str = ""
    related: tuple[tuple[Span, str], ...] = ()
    endpoints: tuple[str, ...] = ()
    fix: Fix | None = None
    """What would make it go away, where that is clear."""
    yields_to: tuple[str, ...] = ()
    """Names of rules that may say more of the same fault, at its span or at a related one."""


@dataclass(slots=True, eq=False)
class Deployment:
    """Everything that one running server would be: the result of resolution, the only thing that rules read."""

    server: str
    """`nginx` or `apache`."""
    entry: str
    """Path of the entry file, as the user knows it."""
    target: Target
    listeners: list[Listener]
    virtual_hosts: list[VirtualHost]
    endpoints: list[Endpoint]
    handshakes: list[Handshake]
    upstreams: list[Upstream]
    problems: list[Problem]
    directives: list[tuple[Place, str]]
    """Every TLS-relevant directive in force and its context path (`http/server`), for rules about spelling."""
    unknown: list[tuple[str, str, Span | None]]
    """What could not be decided while resolving: what, why, where."""
    name: str = ""
    """What the settings call it, where they name several deployments."""
    fragment: str = ""
    """The context in which a file that is only a part of a configuration was read, or empty."""
    notes: tuple[str, ...] = ()
    """What was assumed on the way, for the reader."""
    assumed_modules: frozenset[str] = frozenset()
    """Apache's modules that are taken to be loaded, because what loads them may be out of sight."""
    complete: bool = True
    """False where an include could not be read, so that something may be missing from the picture."""
    key_logging: list[Place] = field(default_factory=list)
    """Directives that make the server, or a library in it, write session keys to a file."""
    key_logging_environment: list[Span] = field(default_factory=list)
    """Where the environment in which the server is started (a file beside its configuration) has it write them."""
    modules: frozenset[str] = frozenset()
    """The modules that are surely loaded, by the server's own names for them (`socache_shmcb_module`)."""
    default_protocols: dict[str, frozenset[str]] = field(default_factory=dict)
    """What the server switches on where nothing is set, by version, for every version that the target may be."""
    given: Target | None = None
    """The target as it was given: None for a version that is not known, where `target` has the current release."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The moment for which dates are judged (aware, UTC)."""
    require_certificates: bool = False
    """Whether a file that is not here is missing on the server too, instead of merely out of sight."""
    trust_store: tuple[str, ...] = ("system",)
    """Which roots clients trust: files, `system` for this machine's, `none`."""
    weak_key_lists: tuple[str, ...] = ()
    """Files and directories that list RSA keys whose private half is known."""
    expiry_days: tuple[int, int] = (30, 7)
    """With how many days left a certificate is a warning, and an error; never more than a third of its life."""
    files: "Files | None" = None
    """The files that were there to be read."""
    base: str = "/"
    """The server path from which relative names of certificates are taken."""
    misdirected: "Callable[[VirtualHost, VirtualHost, bool], str]" = lambda opened, asked, with_sni: ""
    """Says in what a host differs, so that requests for it are refused (421) on a connection opened for another one.

    First the host that the connection was opened for, then the one that is asked for, and whether the client sent a
    server name. Empty where requests are answered. Apache compares hosts so; what nginx refuses is a rule's to say.
    """
    name_policy: Place | None = None
    """The directive that says how far hosts may differ before requests are refused so (`SSLVHostSNIPolicy`)."""
    document_roots: Callable[[], list[tuple[str, Place]]] = list
    """Works out which server directories clients can read files of, and which directives say so."""
    _certificates: "Certificates | None" = None
    _clients: "Clients | None" = None
    _named_files: "NamedFiles | None" = None

    @property
    def clients(self) -> "Clients":
        """The files that decide who is a client, each read once."""
        if self._clients is None:
            # only where client certificates are asked for
            from tlslint.resolve.clients import Clients

            self._clients = Clients(self)
        return self._clients

    @property
    def named_files(self) -> "NamedFiles":
        """The other files of TLS settings that the server opens: lists of CAs, revocation lists, parameters."""
        if self._named_files is None:
            from tlslint.resolve.named_files import NamedFiles

            self._named_files = NamedFiles(self)
        return self._named_files

    @property
    def certificates(self) -> "Certificates":
        """The certificates of all hosts and what there is to say of them, each file once."""
        if self._certificates is None:
            # only for rules about certificates
            from tlslint.resolve.certificates import Certificates

            self._certificates = Certificates(self)
        return self._certificates

    def targets(self) -> tuple[Target, ...]:
        """Return one concrete target for each OpenSSL that the target may have; the server's version is `target`'s."""
        return _targets(self)

    def tls_listeners(self) -> Iterator[Listener]:
        """Yield the sockets that speak TLS."""
        return (listener for listener in self.listeners if listener.tls)

    def offers(self) -> Iterator[Handshake]:
        """Yield the distinct handshakes that complete: what rules about protocols and suites look at."""
        return (handshake for handshake in self.handshakes if handshake.outcome == "completes")


@lru_cache(maxsize=1)
def _targets(deployment: Deployment) -> tuple[Target, ...]:
    # the same objects each time, because much is remembered by target
    given = deployment.target if deployment.given is None else deployment.given
    if deployment.target.library != "openssl" or given.openssl is not None:
        return (deployment.target,)
    return tuple(replace(deployment.target, openssl=version) for version in given.openssl_versions)
