"""The virtual host map of a real Apache: what `apache2 -S` prints, as data."""

import re
from dataclasses import dataclass, field

_ENTRY = re.compile(r"(\S+):(\*|\d+) +(?:is a NameVirtualHost|(\S*) \((.*):(\d+)\))")
_HOST = re.compile(r" +port (\*|\d+) namevhost (\S*) \((.*):(\d+)\)")
_ALIAS = re.compile(r" +(wild )?alias (.*)")


@dataclass
class MappedHost:
    """A virtual host as Apache prints it: its name, the place of its start tag, its aliases."""

    name: str
    file: str
    line: int
    aliases: list[str] = field(default_factory=list)
    wild_aliases: list[str] = field(default_factory=list)


VhostMap = dict[tuple[str, int], list[MappedHost]]


def parse_map(output: str) -> VhostMap:
    """Read what `apache2 -S` prints: by address and port (0 is every port) the hosts, the first one the default."""
    found: VhostMap = {}
    hosts: list[MappedHost] = []
    for line in output.partition("VirtualHost configuration:\n")[2].splitlines():
        if line.startswith("ServerRoot:"):
            break
        entry, host, alias = _ENTRY.fullmatch(line), _HOST.fullmatch(line), _ALIAS.fullmatch(line)
        if host:
            hosts.append(MappedHost(host[2], host[3], int(host[4])))
        elif entry:
            hosts = found.setdefault((entry[1], 0 if entry[2] == "*" else int(entry[2])), [])
            if entry[4]:
                hosts.append(MappedHost(entry[3], entry[4], int(entry[5])))
        elif alias:
            (hosts[-1].wild_aliases if alias[1] else hosts[-1].aliases).append(alias[2])
    return found
