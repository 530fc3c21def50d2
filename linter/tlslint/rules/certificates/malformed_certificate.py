"""A certificate or key file cannot be read as the server reads it.

## What it finds
Files in which the server finds no certificate (empty, DER, UTF-16, lines that end in CR alone, indented marks), blocks
that are cut short or damaged, and key files without a private key that the server can read. It warns of blocks that the
server passes over without a word: a damaged BEGIN line drops a certificate from the chain.

## Why it matters
The server does not start with a file that it cannot read. What it silently drops is missing in the chain.

## What clients see
Connection refused, after the next restart. nginx says `cannot load certificate "…": PEM_read_bio_X509_AUX() failed (…
no start line …)`, or `bad end line`, `bad base64 decode`, `ASN1 lib`, and a reload keeps the old configuration. Apache
says `AH02562: Failed to configure certificate … (with chain)`, `apache2 -t` says nothing, and a reload ends the server.

## How to fix it
Get the file again from where it came, in PEM form: `openssl x509 -inform DER -in file -out file.pem` converts DER.

## False alarms that it avoids
The file is read byte for byte as OpenSSL does: text around blocks, CRLF, a byte order mark, trailing blanks and old
labels are fine. A commented-out block is meant. What only tlslint cannot read is counted as not checked.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import CertificatePair, Deployment
from tlslint.rules.served import also_named, elsewhere, file_span, key_span, named

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle

rule = Rule(
    code="TLS302",
    name="malformed-certificate",
    severity=Severity.ERROR,
    summary="a certificate or key file cannot be read as the server reads it",
    why="the server does not start with a file that it cannot read",
    seen='nginx does not start: cannot load certificate "…": PEM_read_bio_X509_AUX() failed (…)',
    seen_apache="Apache does not start (apache2 -t says nothing): AH02562: Failed to configure certificate …",
    sources=("OpenSSL: PEM_read_bio_X509_AUX(3)", "RFC 7468"),
)
SEEN_KEY = 'nginx does not start: cannot load certificate key "…": PEM_read_bio_PrivateKey() failed (…)'
SEEN_KEY_APACHE = "Apache does not start (apache2 -t says nothing): AH02579: Init: Private key not found"
WHY_DROPPED = "clients get a shorter chain than the file was meant to hold"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each file that the server refuses, and each block that it drops without a word."""
    by_bundle: dict[int, list[CertificatePair]] = {}
    by_key: dict[int, list[CertificatePair]] = {}
    for pair in deployment.certificates.loaded:
        if pair.bundle is not None:
            by_bundle.setdefault(id(pair.bundle), []).append(pair)
        if pair.key is not None and _is_refused(pair):
            by_key.setdefault(id(pair.key), []).append(pair)
    for pairs in by_bundle.values():
        bundle = pairs[0].bundle
        assert bundle is not None
        yield from _refused(bundle, pairs, deployment)
    for pairs in by_key.values():
        yield _refused_key(pairs, deployment)
    yield from _dropped(deployment)


def _refused(bundle: "Bundle", pairs: list[CertificatePair], deployment: Deployment) -> Iterator[Finding]:
    verdict = bundle.server_verdict
    if verdict is None:
        return
    problem = next(problem for problem in bundle.problems if problem.kind.value == "fatal")
    where = "" if problem.line == 1 else f" (line {problem.line})"
    yield rule.finding(
        f'the server cannot read "{pairs[0].file}"{where}: {problem.message}',
        file_span(pairs[0]),
        label=verdict,
        seen=_seen(bundle, verdict, pairs[0], deployment.server),
        help="replace it by the certificate and its chain in PEM form",
        related=also_named(pair.place for pair in pairs),
    )


def _seen(bundle: "Bundle", verdict: str, pair: CertificatePair, server: str) -> str:
    if server == "nginx":
        function = "PEM_read_bio_X509" if bundle.certificates else "PEM_read_bio_X509_AUX"
        return f'nginx does not start: cannot load certificate "…": {function}() failed (… {verdict} …)'
    if not bundle.size:
        return "apache2 -t: SSLCertificateFile: file '…' does not exist or is empty"
    code, which = ("AH02561", "…") if pair.chain_file else ("AH02562", "… (with chain)")
    return (
        f"Apache does not start (apache2 -t says nothing): {code}: Failed to configure certificate {which}: {verdict}"
    )


def _is_refused(pair: CertificatePair) -> bool:
    """Whether the server finds no key in the file; a key of an unusual kind it may know and tlslint not.

    Where only the certificate's file is named, the key is missing, and this file is none of a key.
    """
    key = pair.key
    if key is None or not key.problem or pair.key_place is pair.place:
        return False
    return key.count == 0 or key.unsupported


def _refused_key(pairs: list[CertificatePair], deployment: Deployment) -> Finding:
    first = pairs[0]
    assert first.key is not None
    return rule.finding(
        f'the server cannot read the key in "{first.key_file}": {first.key.problem}',
        key_span(first),
        label="no usable private key",
        seen=SEEN_KEY if deployment.server == "nginx" else SEEN_KEY_APACHE,
        help="replace it by the private key in PEM form",
        related=also_named(pair.key_place for pair in pairs if pair.key_place is not None),
    )


def _dropped(deployment: Deployment) -> Iterator[Finding]:
    """What is dropped and then missed is missing-intermediate's to say."""
    for served in deployment.certificates.served:
        dropped = [problem for problem in served.bundle.problems if problem.kind.value == "silent"]
        if not dropped or served.bundle.server_verdict:
            continue
        chain = deployment.certificates.chain(served)
        if chain is not None and chain.missing is not None and chain.missing.certain:
            continue
        for problem in dropped:
            yield rule.finding(
                f"line {problem.line} of {named(served)}, served for {{endpoint}}: {problem.message}",
                file_span(served.pairs[0]),
                severity=Severity.WARNING,
                label="not all of it is sent",
                why=WHY_DROPPED,
                seen="no message at all: the server starts and sends what is left",
                help="repair the block, or remove it",
                endpoints=served.labels,
                related=elsewhere(served),
            )
