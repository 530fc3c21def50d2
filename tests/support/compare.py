"""Compare a prediction (an endpoint of `tlslint show`) with what a scanner saw."""

from collections.abc import Iterator
from typing import Any

from support.random_nginx import Asked
from support.scanner import Observation

Predicted = dict[str, Any]


def predicted_for(endpoints: list[Predicted], asked: Asked) -> Predicted | None:
    """The prediction that answers the question: by the name as written, else what an unclaimed name gets."""
    here = [endpoint for endpoint in endpoints if endpoint["listen"] == asked.listen]
    plain = [endpoint for endpoint in here if endpoint["handshake"] == "plaintext"]
    if plain:
        return plain[0]
    return next((endpoint for endpoint in here if endpoint["sni"] == asked.written), None)


def disagreements(predicted: Predicted, seen: Observation) -> Iterator[str]:
    """Each point in which the server contradicts the prediction."""
    outcome = predicted["handshake"]
    if outcome != seen.handshake:
        yield f"handshake: predicted {outcome} ({predicted['reason']}), seen {seen.handshake} ({seen.alert})"
        return
    if outcome != "completes":
        return
    if tuple(predicted["protocols"]) != seen.protocols:
        yield f"protocols: predicted {predicted['protocols']}, seen {list(seen.protocols)}"
    for protocol in seen.protocols:
        if protocol in predicted["protocols"]:
            yield from _suites(protocol, tuple(predicted["ciphers"][protocol]), predicted["server_order"], seen)
    yield from _groups(predicted, seen)
    chains = {
        certificate["key_type"]: tuple(certificate["chain"])
        for certificate in predicted["certificates"]
        if certificate["chain"] is not None
    }
    for kind, chain in seen.chains.items():
        if chains.get(kind) != chain:
            yield f"chain ({kind}): predicted {chains.get(kind)}, seen {chain}"
    if predicted["client_certificate"] != seen.client_certificate:
        yield f"client certificate: predicted {predicted['client_certificate']}, seen {seen.client_certificate}"
    offered = [name for name in predicted["alpn"] if name in ("h2", "http/1.1")]
    if sorted(offered) != sorted(seen.alpn):
        yield f"ALPN: predicted {offered}, seen {seen.alpn}"


def _suites(protocol: str, suites: tuple[str, ...], server_order: bool, seen: Observation) -> Iterator[str]:
    found = seen.ciphers[protocol]
    if set(suites) != set(found):
        extra, missing = set(suites) - set(found), set(found) - set(suites)
        yield f"{protocol} suites: predicted but not accepted {sorted(extra)}, accepted but not predicted {sorted(missing)}"
        return
    order = seen.server_order.get(protocol)
    if order is None:
        return
    if order != server_order and not (protocol == "TLSv1.3" and len(seen.protocols) > 1):
        yield f"{protocol} order: predicted {'server' if server_order else 'client'}, seen {'server' if order else 'client'}"
    elif order and suites != found:
        yield f"{protocol} order: predicted {suites}, seen {found}"


def _groups(predicted: Predicted, seen: Observation) -> Iterator[str]:
    if not seen.groups:
        return  # the scanner looks for groups in TLS 1.2 and 1.3 only
    found = {group for groups in seen.groups.values() for group in groups}
    expected = set(predicted["groups"])
    # an ECDSA certificate is chosen in TLS 1.2 only for a client that has its curve, so that a group alone is not tried
    hidden = "TLSv1.2" in seen.protocols and not any("RSA" in name for name in seen.ciphers["TLSv1.2"])
    partial = hidden or ("TLSv1.2" not in seen.protocols and len(seen.protocols) > 1)
    if found != expected and not (partial and found <= expected):
        extra, missing = sorted(expected - found), sorted(found - expected)
        yield f"groups: predicted but not accepted {extra}, accepted but not predicted {missing}"
