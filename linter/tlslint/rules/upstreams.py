"""What the rules about upstream connections share: who uses them, and how their settings are spelt and shown."""

import re
from collections.abc import Iterator
from typing import TypeVar

from tlslint.finding import Severity
from tlslint.parse.tree import Span
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Setting, Upstream, VirtualHost
from tlslint.rules.words import part_of

T = TypeVar("T")

_ADDRESS = regex(r"\d+\.\d+\.\d+\.\d+|\[.*\]|unix:.*", re.IGNORECASE)


def secure_upstreams(deployment: Deployment) -> Iterator[Upstream]:
    """Yield the upstream connections that speak TLS."""
    return (upstream for upstream in deployment.upstreams if upstream.tls)


def labels(upstream: Upstream) -> list[str]:
    """Return the names of the hosts whose requests take this connection."""
    return [_label(host) for host in upstream.virtual_hosts] or [upstream.target]


def _label(host: VirtualHost) -> str:
    if not host.listeners or any(name.kind != "empty" for name in host.names):
        return host.label
    return host.listeners[0].label


def severity_of(upstream: Upstream, usual: Severity = Severity.WARNING) -> Severity:
    """Return how bad a fault is: towards the same machine it is advice only."""
    return Severity.INFO if upstream.local else usual


def spelt(upstream: Upstream, field: str) -> str:
    """Return the directive that sets a field of an upstream, as the server spells it."""
    return upstream.spellings.get(field, field.replace("_", " "))


def subject(upstream: Upstream, setting: Setting[T]) -> str:
    """Name an upstream, unless a directive decides that others may share: then a finding is about all of them."""
    return "upstreams" if setting.explicit else f'upstream "{upstream.host or upstream.target}"'


def span_of(upstream: Upstream, setting: Setting[bool]) -> Span:
    """Return where a setting is made, or where the connection is, for a default."""
    return setting.span or target_span(upstream)


def target_span(upstream: Upstream) -> Span:
    """Return where the target of a connection is written."""
    for argument in upstream.place.directive.arguments:
        at = argument.find(upstream.target)
        if at >= 0:
            return part_of(argument, at, at + len(upstream.target))
    return upstream.place.span


def is_address(upstream: Upstream) -> bool:
    """Whether the host is an address (or a path), for which clients send no SNI."""
    return _ADDRESS.fullmatch(upstream.host) is not None


SERVERS = {"nginx": "nginx", "apache": "Apache"}


def default_or_set(setting: Setting[bool]) -> str:
    """Say where a value comes from, for a label."""
    return "switched off here" if setting.explicit else "off by default"
