"""The inventory as JSON: the contract `tlslint-inventory/1` (`data/inventory.schema.json`).

Members are added, never renamed.
"""

from collections.abc import Sequence
from typing import Any

from tlslint.inventory import Answer, CertificateEntry, CrlEntry, Inventory, Judged, NamedFile, Naming, Unread
from tlslint.report.as_json import dumped
from tlslint.report.inventory_words import moment, serial
from tlslint.report.show import target_data
from tlslint.resolve.model import Deployment, Endpoint

SCHEMA = "tlslint-inventory/1"
MAX_USERS = 1000
"""Labels that are given for one certificate: every authority of a public bundle may be used by every endpoint."""


def render(inventory: Inventory, *, certificates: bool = True, protocols: bool = True) -> str:
    """Return the inventory, or one part of it, as one JSON document."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "now": moment(inventory.now),
        "policy": inventory.policy.spelling,
        "deployments": [_deployment(inventory, deployment) for deployment in inventory.deployments],
    }
    if certificates:
        document["certificates"] = [_certificate(entry) for entry in inventory.certificates]
        document["crls"] = [_crl(entry) for entry in inventory.crls]
    if protocols:
        document["handshakes"] = [_answer(answer) for answer in inventory.answers]
    document["unread"] = [_unread(item) for item in inventory.unread]
    return dumped(document)


def _deployment(inventory: Inventory, deployment: Deployment) -> dict[str, Any]:
    return {
        "name": deployment.name or None,
        "policy": inventory.policy_of(deployment).spelling,
        "server": deployment.server,
        "entry": deployment.entry,
        "target": target_data(deployment.server, deployment.target),
        "complete": deployment.complete,
        "fragment": deployment.fragment or None,
    }


def _certificate(entry: CertificateEntry) -> dict[str, Any]:
    certificate = entry.certificate
    return {
        "role": entry.role.value,
        "sha256": certificate.sha256,
        "subject": certificate.subject,
        "names": list(entry.names),
        "issuer": certificate.issuer,
        "serial": serial(certificate.serial),
        "key": {"type": certificate.key_type, "bits": certificate.key_bits, "curve": certificate.curve},
        "signature": certificate.signature_algorithm,
        "not_before": moment(certificate.not_before),
        "not_after": moment(certificate.not_after),
        "lifetime_seconds": round(entry.life.lifetime.total_seconds()),
        "days_left": entry.life.days_left,
        "state": entry.life.state.value,
        "is_ca": certificate.is_ca,
        "chain": [other.sha256 for other in entry.chain],
        "problem": certificate.extensions_problem,
        "files": [_file(file) for file in entry.files],
        **_users(entry.users),
    }


def _crl(entry: CrlEntry) -> dict[str, Any]:
    crl = entry.crl
    return {
        "role": "crl",
        "sha256": entry.sha256,
        "issuer": crl.issuer,
        "last_update": moment(crl.last_update),
        "next_update": None if crl.next_update is None else moment(crl.next_update),
        "days_left": entry.days_left,
        "state": entry.state,
        "revoked": crl.revoked,
        "files": [_file(file) for file in entry.files],
        **_users(entry.users),
    }


def _file(file: NamedFile) -> dict[str, Any]:
    return {"file": file.file, "directives": [_naming(naming) for naming in file.namings]}


def _naming(naming: Naming) -> dict[str, Any]:
    return {"directive": naming.directive or None, "file": naming.file, "line": naming.line}


def _users(labels: Sequence[str]) -> dict[str, Any]:
    return {"endpoint_count": len(labels), "endpoints": list(labels[:MAX_USERS])}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "entry": answer.entry,
        "handshake": answer.outcome,
        "reason": answer.reason or None,
        "protocols": [_judged(item) for item in answer.protocols],
        "ciphers": {protocol: [_judged(item) for item in suites] for protocol, suites in answer.suites.items()},
        "groups": [_judged(item) for item in answer.groups],
        "keys": [_judged(item) for item in answer.keys],
        "client_certificate": answer.client_certificate,
        "configured": {
            name: [_place(place) for place in places[:MAX_USERS]] for name, places in answer.configured.items()
        },
        "unknown": [{"what": what, "why": why} for what, why in answer.unknown],
        "endpoint_count": len(answer.endpoints),
        "endpoints": [_endpoint(endpoint) for endpoint in answer.endpoints],
    }


def _judged(item: Judged) -> dict[str, Any]:
    return {"name": item.name, "verdict": item.verdict.value, "reason": item.reason or None}


def _place(place: Naming | str) -> dict[str, Any]:
    return {"default": place} if isinstance(place, str) else _naming(place)


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    listener = endpoint.listener
    return {
        "listen": listener.address if listener.port is None else f"{listener.address}:{listener.port}",
        "transport": listener.transport,
        "module": listener.module,
        "sni": endpoint.sni,
    }


def _unread(item: Unread) -> dict[str, Any]:
    return {
        "role": None if item.role is None else item.role.value,
        "file": item.file or None,
        "why": item.why,
        "directives": [_naming(naming) for naming in item.namings],
        **_users(item.users),
    }
