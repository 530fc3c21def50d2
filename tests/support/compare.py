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


def disagreements(
    predicted: Predicted, seen: Observation, offers: tuple[str, ...] = ("h2", "http/1.1")
) -> Iterator[str]:
    """Each point in which the server contradicts the prediction; `offers` are the ALPN names that it was asked for."""
    outcome = predicted["handshake"]
    if outcome == "rejected" and "internal_error" in predicted["reason"] and not seen.confirmed:
        return  # that comes at the end of the handshake: a client that is asked for a certificate gets some way
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
    undecided = {item["what"] for item in predicted["unknown"]}
    if "client_certificate" not in undecided and predicted["client_certificate"] != seen.client_certificate:
        yield f"client certificate: predicted {predicted['client_certificate']}, seen {seen.client_certificate}"
    yield from _sessions(predicted, seen)
    offered = [name for name in predicted["alpn"] if name in offers]
    if sorted(offered) != sorted(seen.alpn):
        yield f"ALPN: predicted {offered}, seen {seen.alpn}"


def _suites(protocol: str, suites: tuple[str, ...], server_order: bool, seen: Observation) -> Iterator[str]:
    found = seen.ciphers[protocol]
    if set(suites) != set(found):
        extra, missing = set(suites) - set(found), set(found) - set(suites)
        yield f"{protocol} suites: predicted but refused {sorted(extra)}, accepted but not predicted {sorted(missing)}"
        return
    order = seen.server_order.get(protocol)
    if order is None:
        return
    if order != server_order and not (protocol == "TLSv1.3" and len(seen.protocols) > 1):
        words = {True: "server", False: "client"}
        yield f"{protocol} order: predicted {words[server_order]}, seen {words[order]}"
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


WEEK = 7 * 24 * 3600


def _sessions(predicted: Predicted, seen: Observation) -> Iterator[str]:
    """Tickets, early data, and what a client meets that needs a HelloRetryRequest."""
    expected = predicted["sessions"]
    tickets = {protocol: given for protocol, given in expected["tickets"].items() if protocol in seen.tickets}
    if tickets != seen.tickets and not _hides_tickets(seen):
        yield f"tickets: predicted {tickets}, seen {seen.tickets}"
    # OpenSSL announces no more than a week (RFC 8446, section 4.6.1), and counts from one second or the next
    if seen.ticket_lifetime is not None and abs(min(expected["lifetime"], WEEK) - seen.ticket_lifetime) > 1:
        yield f"ticket lifetime: predicted {expected['lifetime']}, seen {seen.ticket_lifetime}"
    if seen.tickets.get("TLSv1.3") and expected["early_data"] != seen.early_data:
        yield f"early data: predicted {expected['early_data']}, seen {seen.early_data}"
    retry = predicted["hello_retry"]
    if (retry is None) != ("TLSv1.3" not in seen.protocols):
        yield f"retry: predicted {retry}, seen protocols {list(seen.protocols)}"
    if (retry == "works" and seen.retry_alert) or (retry == "fails" and not seen.retry_alert):
        yield f"retry: predicted {retry}, seen {seen.retry_alert}"


def _hides_tickets(seen: Observation) -> bool:
    """Without a suite that authenticates, or where the handshake ends early, there is nothing to see."""
    return not seen.confirmed
