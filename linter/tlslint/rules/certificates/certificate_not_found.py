"""A certificate, or another file of the TLS settings, does not exist.

## What it finds
A file that is not there, or is a directory: a certificate, a key, a list of client CAs or of CAs for an upstream, a
revocation list, DH parameters, a key of session tickets, a stapled response. It is an error where tlslint can know it:
with `--root /` on the server itself, where `--require-certificates` says that all of them are here, or where others of
its kin are in the same directory: certificates beside a certificate or CA, keys beside a key.

## Why it matters
The server opens every one of them at its start, whether or not a client ever asks for it.

## What clients see
Connection refused, after the next restart. nginx says `cannot load certificate "…": BIO_new_file() failed (… No such
file or directory …)`, and a reload keeps the old configuration. Apache says `SSLCertificateFile: file '…' does not
exist or is empty`, for hosts without TLS as well.

## How to fix it
Correct the path, or put the file there. In a repository that holds no certificates, say with `--root` or `path-map`
where they are.

## False alarms that it avoids
Certificates are rarely kept beside configuration: a file that is merely not in the repository is counted as not
checked, and so is a key that is kept elsewhere than its certificate, and whatever is made on the machine (revocation
lists, DH parameters, stapled responses). So are names with variables, `engine:` and `store:` names, and files that only
the server's own user may read. What the server does not open is not looked for: in nginx the files of hosts without a
certificate, CAs of clients that are not asked for a certificate, CAs for an upstream that is not verified, and a
stapled response while stapling is off.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import CertificatePair, Deployment, Place
from tlslint.rules.served import also_named, key_span

rule = Rule(
    code="TLS301",
    name="certificate-not-found",
    severity=Severity.ERROR,
    summary="a certificate, or another file of the TLS settings, does not exist",
    why="the server opens these files at its start, whether or not a client asks for them",
    seen='nginx does not start: cannot load certificate "…": BIO_new_file() failed (… No such file or directory …)',
    seen_apache="apache2 -t: SSLCertificateFile: file '…' does not exist or is empty",
    sources=("nginx, ngx_http_ssl_module: ssl_certificate", "Apache HTTP Server, mod_ssl: SSLCertificateFile"),
)
SEEN_DIRECTORY = 'nginx does not start: cannot load certificate "…": PEM_read_bio_X509_AUX() failed (… no start line …)'


SEEN_OTHERS = ("no start line", "No such file or directory")
SEEN_APACHE = "apache2 -t: SSLCertificateKeyFile: file '…' does not exist or is empty"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each file that the server will not find, once."""
    yield from _certificates_and_keys(deployment)
    yield from _others(deployment)


def _others(deployment: Deployment) -> Iterator[Finding]:
    for named, failure, is_missing in deployment.named_files.unread():
        if not is_missing:
            continue
        kind = "directory" if named.is_folder else "file"
        if deployment.server == "apache":
            trouble = "does not exist" if named.is_folder else "does not exist or is empty"
            seen = f"apache2 -t: {named.places[0].directive.name}: {kind} '…' {trouble}"
        else:
            said = SEEN_OTHERS[failure.kind == "missing"]
            seen = f'nginx does not start: its message names the file, and says "{said}"'
        message = f'the {kind} of {named.content.value} "{named.name}" {failure.reason}'
        yield _finding(message, named.places[0].argument(-1).span, seen, also_named(named.places))


def _certificates_and_keys(deployment: Deployment) -> Iterator[Finding]:
    if not any(pair.trouble or pair.key_trouble for pair in deployment.certificates.pairs):
        return
    certificates: dict[str, list[CertificatePair]] = {}
    keys: dict[str, list[CertificatePair]] = {}
    for pair in deployment.certificates.pairs:
        path = _missed(pair, deployment)
        if pair.bundle is None and deployment.certificates.is_missing(pair.trouble, path, pair.reason):
            certificates.setdefault(path, []).append(pair)
        if _lacks_key(pair, deployment):
            keys.setdefault(pair.key_path, []).append(pair)
    for pairs in certificates.values():
        first = pairs[0]
        places = [_place(pair) for pair in pairs]
        seen = SEEN_DIRECTORY if first.trouble == "not-a-file" and deployment.server == "nginx" else rule.seen
        what = "certificate" if places[0] is first.place else "chain"
        yield _finding(f"the {what} {first.reason}", places[0].argument(-1).span, seen, also_named(places))
    for pairs in keys.values():
        first = pairs[0]
        places = [pair.key_place for pair in pairs if pair.key_place is not None]
        nginx = rule.seen.replace("load certificate", "load certificate key")
        seen = nginx if deployment.server == "nginx" else SEEN_APACHE
        yield _finding(f"the key {first.key_reason}", key_span(first), seen, also_named(places))


def _lacks_key(pair: CertificatePair, deployment: Deployment) -> bool:
    certificates = deployment.certificates
    return pair.key is None and certificates.is_missing(pair.key_trouble, pair.key_path, pair.key_reason, "secret")


def _place(pair: CertificatePair) -> Place:
    """Return the directive that names what was not found: that of the chain, where it is the chain's file."""
    is_chain = pair.chain_place is not None and pair.reason.startswith(f'"{pair.chain_file}"')
    return pair.chain_place if is_chain and pair.chain_place is not None else pair.place


def _missed(pair: CertificatePair, deployment: Deployment) -> str:
    if _place(pair) is pair.place or deployment.files is None:
        return pair.path
    return deployment.files.resolve(pair.chain_file, deployment.base)


def _finding(message: str, span: Span, seen: str, related: tuple[Related, ...]) -> Finding:
    return rule.finding(
        message,
        span,
        label="the server looks here",
        seen=seen,
        help="correct the path, or put the file there",
        related=related,
    )
