"""What becomes of a TLS 1.3 client whose key share is not taken, where two hosts judge its two ClientHellos.

The server answers such a client with a HelloRetryRequest that already names a cipher suite, and chooses again when the
client comes back (RFC 8446, section 4.1.4: the choice has to be the same). nginx before 1.29.2 chooses first by the
default server's settings and then by those of the host that the name selects; another choice ends the handshake with
the alert illegal_parameter, none at all with handshake_failure (measured with every order of three suites).
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

ELSE = "another suite"


class Choice(NamedTuple):
    """How one set of settings chooses a TLS 1.3 suite."""

    suites: tuple[str, ...]
    """OpenSSL names in the server's order."""
    server_order: bool
    prioritizes_chacha: bool

    def choose(self, offer: tuple[str, ...]) -> str | None:
        """Return the suite that a client with this offer gets, or None."""
        if not self.server_order:
            return next((name for name in offer if name in self.suites), None)
        suites = self.suites
        if self.prioritizes_chacha and offer and "CHACHA20" in offer[0]:
            suites = tuple(sorted(suites, key=lambda name: "CHACHA20" not in name))
        return next((name for name in suites if name in offer), None)


@lru_cache(maxsize=256)
def retry_outcome(first: Choice, second: Choice) -> str:
    """Say whether clients that need a HelloRetryRequest get through: `works`, `fails`, or `depends` on their suites.

    Asked of every client that the first choice serves: each selection of suites in each order.
    """
    if first == second:
        return "works"
    outcomes = set()
    for offer in _offers(tuple(sorted({*first.suites, *second.suites}))):
        chosen = first.choose(offer)
        if chosen is not None:
            outcomes.add(chosen == second.choose(offer))
    if len(outcomes) == 2:
        return "depends"
    return "fails" if outcomes == {False} else "works"


def _offers(suites: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(suites) + 1):
        for offer in permutations(suites, count):
            yield offer
            # with a suite of TLS 1.2 in front the first one is not ChaCha20
            yield (ELSE, *offer)
