"""What nginx itself objects to (or silently ignores) in sockets and names, as problems for the rules to report."""

from collections.abc import Iterator

from tlslint.resolve.model import Listener, Problem
from tlslint.resolve.nginx_names import NameTable


def name_problems(listener: Listener, table: NameTable) -> Iterator[Problem]:
    """Yield names that a socket ignores because an earlier host has them, and names that nginx refuses."""
    hosts = listener.virtual_hosts
    for host, index, first in table.conflicts:
        name = hosts[host].names[index]
        if name.argument is None:
            continue
        earlier = hosts[first]
        repeats = earlier is hosts[host]
        yield Problem(
            "conflicting-server-name",
            f'"{name.text}" stands twice in this host' if repeats else "{endpoint} is answered by an earlier host",
            name.argument.span,
            severity="info" if repeats else "warning",
            label="ignored" if repeats else "ignored here",
            help="remove it" if repeats else "keep the name in one of the hosts",
            related=() if repeats else ((earlier.span, "this host has the name already"),),
            endpoints=(f"{name.text} on {listener.label}",),
        )
    for problem in table.problems:
        name = hosts[problem.host].names[problem.name]
        if problem.level == "emerg" and name.argument is not None:
            yield Problem("server-will-not-start", problem.message, name.argument.span, label="nginx does not start")
