"""What a rule wants to hold, in the model's words: a fix is a title, how safe it is, and such intentions.

A rule states them without knowing how the server spells them; the server's dialect in `tlslint/fix` finds the place and
gives edits on spans, or says why it cannot. So a rule with a fix is written once for all servers.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from tlslint.record import dataclass

if TYPE_CHECKING:
    from tlslint.parse.tree import Argument, Source, Span
    from tlslint.pki.certificate import Certificate
    from tlslint.resolve.model import CertificatePair, Listener, Place, Setting, Upstream, VirtualHost


class Safety(IntEnum):
    """How much a fix may change for clients; of several the lowest counts.

    `SAFE`: every client that could connect under the policy still can, and the server starts on every version that the
    target allows. `UNSAFE`: applied only on request. `MANUAL`: shown, never applied.
    """

    MANUAL = 1
    UNSAFE = 2
    SAFE = 3

    @property
    def label(self) -> str:
        """The safety as it is written: `safe`, `unsafe` or `manual`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class SetValue:
    """A setting has this value wherever the one that is in force now (`setting`) is in force.

    `field` is the field's name in `TlsSettings`, `value` is in that field's words: versions as any collection of names,
    suites and groups as a list of names or OpenSSL's own text, switches as bool, times as seconds.

    Lines that make the value together become one. Where nothing makes it, it is written once at the outermost level
    that serves all `hosts` (those whose settings govern: `Endpoint.answering`, or the default server that decides).
    """

    field: str
    value: Any
    setting: "Setting[Any]"
    hosts: "tuple[VirtualHost, ...]" = ()


@dataclass(frozen=True, slots=True)
class SetUpstream:
    """The same for a setting of connections that the server makes itself; `field` is one of `Upstream`'s."""

    field: str
    value: Any
    upstream: "Upstream"


@dataclass(frozen=True, slots=True)
class AddDirective:
    """A host (or the block in which `beside` stands) has a further directive, spelt as its server does."""

    name: str
    arguments: tuple[str, ...]
    host: "VirtualHost | None" = None
    beside: "Place | None" = None
    """Written right after this directive."""


@dataclass(frozen=True, slots=True)
class RemoveDirective:
    """A directive goes, and nothing else on its line; a comment there stays."""

    place: "Place"


@dataclass(frozen=True, slots=True)
class RenameDirective:
    """A directive gets another name; its arguments stay."""

    place: "Place"
    name: str


@dataclass(frozen=True, slots=True)
class ReplaceArguments:
    """A directive has these arguments instead of its own; those that are the same stay as they are written."""

    place: "Place"
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddArgument:
    """A directive gets one more argument at its end, such as `default_server` of a `listen`."""

    place: "Place"
    word: str


@dataclass(frozen=True, slots=True)
class RemoveArgument:
    """One argument of a directive goes, and the directive with it where it was the only one."""

    place: "Place"
    argument: "Argument"


@dataclass(frozen=True, slots=True)
class ReplacePart:
    """A part of an argument (as `part_of` gives it) reads otherwise; an empty text drops it.

    In a list with separators (`separator`) dropping takes one of them along.
    """

    place: "Place"
    span: "Span"
    text: str
    separator: str = ""


@dataclass(frozen=True, slots=True)
class AddRejectingHost:
    """A default host that rejects every handshake answers on these sockets, in a block of its own."""

    listeners: "tuple[Listener, ...]"


@dataclass(frozen=True, slots=True)
class RewriteBundle:
    """A certificate file holds these certificates in this order; keys and text in it stay.

    Certificates that the file does not hold yet are added.
    """

    pair: "CertificatePair"
    certificates: "tuple[Certificate, ...]"


Intention = (
    SetValue | SetUpstream | AddDirective | RemoveDirective | RenameDirective | ReplaceArguments | AddArgument
    | RemoveArgument | ReplacePart | AddRejectingHost | RewriteBundle
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """The text between two offsets of a file is replaced; nothing else of the file changes."""

    source: "Source"
    start: int
    end: int
    text: str
    backup: bool = False
    """Whether a copy of the file as it was is kept beside it."""
    file: str | None = None
    """The file on this machine, links resolved; `-` for standard input, None for what comes from no file."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What would make a finding go away.

    Rules give `title` (in the imperative: `allow TLSv1.2 and TLSv1.3 only`), `safety` and `intentions`, for `MANUAL`
    also `commands` for the reader. The dialect of the server makes `edits` of the intentions afterwards, or a `refusal`
    (why it cannot be applied); either takes their place.
    """

    title: str
    safety: Safety
    intentions: tuple[Intention, ...] = ()
    commands: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    refusal: str = ""

    @property
    def applicable(self) -> bool:
        """Whether there are edits that may be made at all."""
        return bool(self.edits) and self.safety is not Safety.MANUAL and not self.refusal
