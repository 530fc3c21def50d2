"""What the rules about key exchange groups share: the lists that are written, and the words in them."""

from collections.abc import Iterator

from tlslint.parse.tree import Argument, Span
from tlslint.record import dataclass
from tlslint.resolve.model import Deployment, Endpoint, Setting
from tlslint.rules.suites import hosts_with_tls
from tlslint.rules.words import governed_by, part_of, value_argument
from tlslint.target import Target
from tlslint.tls.groups import Group, evaluate_groups, groups_default
from tlslint.tls.handshake import build

HYBRID = "X25519MLKEM768"


@dataclass(slots=True)
class GroupUse:
    """A list of groups, written or the library's default, and the endpoints that it governs."""

    setting: Setting[str]
    endpoints: list[Endpoint]

    @property
    def is_default(self) -> bool:
        """Whether the TLS library's own list is in force."""
        return self.setting.known == "auto"

    def groups(self, target: Target) -> tuple[Group, ...]:
        """Return what is on with one of the possible targets, in order; nothing where the list is refused."""
        if self.is_default:
            return groups_default(build(target))
        return evaluate_groups(self.setting.known or "", build(target)).groups


def group_uses(deployment: Deployment) -> Iterator[GroupUse]:
    """Yield the known lists that govern endpoints which complete handshakes."""
    for endpoints in governed_by(deployment, "groups"):
        living = [endpoint for endpoint in endpoints if endpoint.handshake.outcome == "completes"]
        if living and not living[0].tls.groups.is_unknown:
            yield GroupUse(living[0].tls.groups, living)


@dataclass(slots=True)
class WrittenGroups:
    """A list of groups that some host names, in force or not: the server hands it to OpenSSL when it starts."""

    argument: Argument
    labels: list[str]
    setting: Setting[str]

    def span_of(self, name: str) -> Span:
        """Return where a name stands in the list, or the list where it does not."""
        return word_span(self.argument, name)


def written_groups(deployment: Deployment) -> Iterator[WrittenGroups]:
    """Yield every list of groups that is written out and reaches OpenSSL."""
    if deployment.target.library != "openssl":
        return
    found: dict[int, WrittenGroups] = {}
    for host, labels in hosts_with_tls(deployment):
        setting = host.tls.groups
        argument = value_argument(setting)
        if argument is not None and setting.known != "auto" and "$" not in argument and "{{" not in argument:
            found.setdefault(id(setting), WrittenGroups(argument, [], setting)).labels.extend(labels)
    yield from found.values()


def word_span(argument: Argument, name: str) -> Span:
    """Return where a group's name stands in a list of groups, or the whole list where it does not."""
    at = 0
    for word in argument.replace("/", ":").split(":"):
        bare = word.strip().lstrip("?*-")
        if bare == name or bare.lower() == name.lower():
            start = at + word.index(bare)
            return part_of(argument, start, start + len(bare))
        at += len(word) + 1
    return argument.span
