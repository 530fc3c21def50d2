"""The certificates of a deployment: each file once, however many hosts name it, with the endpoints that present it.

What costs time (chains, roots, the modes of keys) is worked out when a rule first asks for it, once for each file.
"""

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Literal

from tlslint.record import dataclass, field
from tlslint.regex import regex
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import CertificatePair, Deployment, Endpoint, Place, Setting, VirtualHost

if TYPE_CHECKING:
    # read only when there is a certificate to look at
    from tlslint.pki.bundle import Bundle, KeyFacts
    from tlslint.pki.certificate import Certificate
    from tlslint.pki.chain import Authorities, Chain

Pairs = tuple[CertificatePair, ...]
Kin = Literal["certificate", "secret", "made"]
"""What is kept together: certificates and CAs, which are public; keys; what is made on the machine or changes daily."""

MAX_NEIGHBOURS = 64
"""Files beside a certificate that are searched for what is missing in it."""

FULL_CHAINS = ("fullchain.pem", "fullchain.cer")
"""What certbot and dehydrated, and acme.sh, call the file that holds the whole chain."""

_CERTIFICATE_NAME = regex(r"[^.].*\.(?:pem|crt|cer|cert|bundle|ca-bundle|chain)", re.IGNORECASE)
_HARMLESS_GROUPS = frozenset(("root", "wheel", "ssl-cert"))


@dataclass(slots=True, eq=False)
class Served:
    """A certificate file that clients are meant to get: the pairs that name it, and the endpoints that present it."""

    bundle: "Bundle"
    pairs: list[CertificatePair] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)

    @property
    def leaf(self) -> "Certificate | None":
        """The certificate that the server takes as its own: the first of the file."""
        return self.bundle.certificates[0] if self.bundle.certificates else None

    @property
    def labels(self) -> list[str]:
        """The labels of those endpoints."""
        return [endpoint.label for endpoint in self.endpoints]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A certificate whose key is another one's.

    `refused` is whether the server notices, which it does for a key of the certificate's own type only.
    """

    pair: CertificatePair
    refused: bool


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Who can get at a private key's file.

    `tracked` is whether git keeps it in the checkout in which it lies, `readers` are the users besides its owner that
    may read it (in words; empty in a checkout, which has no modes of its own), `published_by` is the directive that
    makes the directory a document root in which it lies.
    """

    tracked: bool = False
    readers: str = ""
    published_by: Place | None = None


class Certificates:
    """What the rules about certificates look at."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.sets: list[Setting[Pairs]] = list(_distinct(deployment))
        """Every set of certificates that some host has, whether or not a client can get it."""
        self.pairs: list[CertificatePair] = [pair for setting in self.sets for pair in setting.known or ()]
        used = {id(host.tls.certificates) for host in _hosts(deployment) if not host.is_without_tls}
        self._loaded = [setting for setting in self.sets if id(setting) in used]
        self.loaded: list[CertificatePair] = [pair for setting in self._loaded for pair in setting.known or ()]
        """Those of hosts that speak TLS or may do so: Apache does not look at the others."""
        self._served: list[Served] | None = None
        self._chain_of: dict[Served, Chain | None] = {}
        self._chains: dict[tuple[object, ...], Chain] = {}
        self._key_files: dict[str, KeyFile] = {}
        self._read: Authorities | None = None
        self._beside: dict[str, Authorities] = {}
        self._joined: dict[tuple[str, ...], Authorities] = {}
        self._published: dict[str, tuple[int, Place]] | None = None
        """The document roots, each with its rank and the first directive that makes it one."""
        self._real_folder = cache(os.path.realpath)
        self._publisher = cache(self._find_publisher)
        self._status = cache(os.stat)

    def _await_facts(self) -> None:
        if self.deployment.files is not None:
            self.deployment.files.await_all()

    # -- what is served --------------------------------------------------------------------------------------------

    @property
    def served(self) -> list[Served]:
        """The files of which clients get certificates, in order of the endpoints."""
        if self._served is None:
            self._served = list(self._collect().values())
        return self._served

    def _collect(self) -> dict[int, Served]:
        found: dict[int, Served] = {}
        by_setting: dict[int, list[Served]] = {}
        for endpoint in self.deployment.endpoints:
            setting = endpoint.tls.certificates
            if endpoint.handshake.outcome == "plaintext" or endpoint.tls.reject_handshake.known:
                continue
            files = by_setting.get(id(setting))
            if files is None:
                files = by_setting[id(setting)] = []
                for pair in meant(setting.known or ()):
                    assert pair.bundle is not None
                    served = found.setdefault(id(pair.bundle), Served(pair.bundle))
                    served.pairs.append(pair)
                    files.append(served)
            for served in files:
                served.endpoints.append(endpoint)
        return found

    # -- chains ----------------------------------------------------------------------------------------------------

    def chain(self, served: Served) -> "Chain | None":
        """Return the analysis of what is sent; None where the server refuses the file or part of it is unreadable."""
        if served not in self._chain_of:
            self._chain_of[served] = self._chain(served)
        return self._chain_of[served]

    def _chain(self, served: Served) -> "Chain | None":
        self._await_facts()
        bundle = served.bundle
        certificates = bundle.certificates
        if bundle.server_verdict or not certificates or not bundle.complete:
            return None
        digests = [pair.key.public_key_sha256 for pair in served.pairs if pair.key is not None]
        key_digest = next(filter(None, digests), None)
        key = (certificates, key_digest)
        found = self._chains.get(key)
        if found is None:
            found = self._chains[key] = self._analyse(served, certificates, key_digest)
        return found

    def _analyse(self, served: Served, certificates: Sequence["Certificate"], key_digest: str | None) -> "Chain":
        from tlslint.pki.chain import analyse

        anchors = trusted_roots(self.deployment.trust_store)
        chain = analyse(certificates, None, anchors, key_digest)
        if chain.missing is None:
            return chain
        others = self._others(served)
        # a private root need not be anywhere: most chains are analysed once
        return analyse(certificates, others, anchors, key_digest) if others.issuers(chain.missing.child) else chain

    def _others(self, served: Served) -> "Authorities":
        """Return the CAs that the configuration's other files hold, and those in the certificate's own directory."""
        from tlslint.pki.chain import Authorities, JoinedAuthorities

        if self._read is None:
            self._read = Authorities(_authorities(self._named_bundles()))
        folders = tuple(sorted({posixpath.dirname(pair.path) for pair in served.pairs if pair.path}))
        known = self._joined.get(folders)
        if known is None:
            known = self._joined[folders] = JoinedAuthorities([self._read, *map(self._neighbours, folders)])
        return known

    def _named_bundles(self) -> Iterator["Bundle"]:
        files, base = self.deployment.files, self.deployment.base
        yield from {id(pair.bundle): pair.bundle for pair in self.pairs if pair.bundle is not None}.values()
        names = {
            setting.known
            for endpoint in self.deployment.endpoints
            for setting in (endpoint.tls.trusted_ca, endpoint.tls.client_ca)
        }
        for name in sorted(filter(None, names)) if files is not None else ():
            assert files is not None
            bundle = files.authorities(files.resolve(name, base))
            if not isinstance(bundle, Unreadable):
                yield bundle

    def _neighbours(self, folder: str) -> "Authorities":
        from tlslint.pki.chain import Authorities

        known = self._beside.get(folder)
        if known is None:
            known = self._beside[folder] = Authorities(_authorities(self._bundles_in(folder)))
        return known

    def _bundles_in(self, folder: str) -> Iterator["Bundle"]:
        files = self.deployment.files
        names = files.names(folder) if files is not None else []
        if files is None or isinstance(names, Unreadable):
            return
        for name in islice(filter(_CERTIFICATE_NAME.fullmatch, names), MAX_NEIGHBOURS):
            bundle = files.bundle(posixpath.join(folder, name))
            if not isinstance(bundle, Unreadable):
                yield bundle

    def full_chain(self, pair: CertificatePair, missing: Sequence["Certificate"]) -> str | None:
        """Return the name of the file beside a certificate's that begins with it and holds what is missing there.

        ACME clients write both; the name is relative to what the configuration writes.
        """
        files, leaf = self.deployment.files, pair.leaf
        for name in FULL_CHAINS if files is not None and pair.path else ():
            assert files is not None
            bundle = files.bundle(posixpath.join(posixpath.dirname(pair.path), name))
            if isinstance(bundle, Unreadable) or bundle.server_verdict or not bundle.complete:
                continue
            if bundle.certificates[:1] == (leaf,) and set(missing) <= set(bundle.certificates):
                return posixpath.join(posixpath.dirname(pair.file), name)
        return None

    # -- keys ------------------------------------------------------------------------------------------------------

    def mismatches(self) -> Iterator[Mismatch]:
        """Yield the certificates whose key does not belong to them, each combination of files once."""
        self._await_facts()
        seen: set[tuple[int, int]] = set()
        for setting in self._loaded:
            for mismatch in _mismatches(setting.known or (), self.deployment.server == "apache"):
                key = (id(mismatch.pair.bundle), id(mismatch.pair.key))
                if key not in seen:
                    seen.add(key)
                    yield mismatch

    def key_file(self, path: str) -> KeyFile:
        """Return who can get at the private key in a file, given by its server path."""
        known = self._key_files.get(path)
        if known is None:
            known = self._key_files[path] = self._look_at(path)
        return known

    def _look_at(self, path: str) -> KeyFile:
        # only here, because most runs see no key
        from tlslint.resolve.checkout import checkout_of, is_tracked

        files = self.deployment.files
        if files is None:
            return KeyFile()
        folder, name = os.path.split(files.real_path(path))
        host = os.path.join(self._real_folder(folder), name)
        in_checkout = checkout_of(host) is not None
        return KeyFile(
            tracked=in_checkout and is_tracked(host),
            readers="" if in_checkout else _readers(host, self._status),
            published_by=self._publisher(posixpath.dirname(path)),
        )

    def _find_publisher(self, folder: str) -> Place | None:
        if self._published is None:
            self._published = {}
            for order, (root, place) in enumerate(self.deployment.document_roots()):
                self._published.setdefault(root.rstrip("/"), (order, place))
        around = (folder[: slash.start()] for slash in re.finditer(r"/|\Z", folder.rstrip("/")))
        found = [self._published[folder] for folder in around if folder in self._published]
        return min(found, key=lambda published: published[0])[1] if found else None

    # -- absence ---------------------------------------------------------------------------------------------------

    def is_missing(self, trouble: str, path: str, reason: str, kin: Kin = "certificate") -> bool:
        """Whether a file that could not be read is certainly not what the server needs, instead of out of sight.

        Certificates are rarely kept beside configuration. So a file is missing only where the whole machine is here,
        where others of its kin lie in the same directory, or where the user says that all of them are here.
        """
        if trouble == "not-a-file":
            return reason.endswith("is a directory")  # a FIFO may well be filled
        if self.deployment.require_certificates:
            return bool(path) and trouble in ("missing", "outside")
        if trouble != "missing" or not path:
            return False
        files = self.deployment.files
        if files is not None and files.whole_machine:
            return True
        return kin != "made" and posixpath.dirname(path) in self._folders_with[kin]

    @cached_property
    def _folders_with(self) -> dict[Kin, set[str]]:
        """The directories in which certificates, or keys, were there to be read."""
        certificates = (pair.path for pair in self.pairs if pair.bundle is not None)
        keys = (pair.key_path for pair in self.pairs if pair.key is not None)
        return {
            "certificate": {posixpath.dirname(path) for path in certificates if path},
            "secret": {posixpath.dirname(path) for path in keys if path},
        }


def _hosts(deployment: Deployment) -> Iterator[VirtualHost]:
    """Yield all hosts, those that answer and belong to no socket included; some more than once."""
    yield from deployment.virtual_hosts
    for endpoint in deployment.endpoints:
        yield endpoint.answering


def _distinct(deployment: Deployment) -> Iterator[Setting[Pairs]]:
    """Yield the certificate settings of all hosts, and of endpoints that belong to no host of their own."""
    seen: set[int] = set()
    for host in _hosts(deployment):
        setting = host.tls.certificates
        if id(setting) not in seen:
            seen.add(id(setting))
            yield setting


def meant(pairs: Sequence[CertificatePair]) -> Pairs:
    """Return the pairs that were read and that clients are meant to get: the last of each key type.

    Unlike what is presented, that includes pairs whose key does not fit.
    """
    by_type: dict[str, CertificatePair] = {}
    for index, pair in enumerate(pairs):
        if pair.bundle is not None:
            by_type[pair.key_type or f"#{index}"] = pair
    return tuple(by_type.values())


def _mismatches(pairs: Sequence[CertificatePair], at_once: bool) -> Iterator[Mismatch]:
    """Follow OpenSSL, which has a slot for each key type, through one host's certificates and keys.

    A key goes into the slot of its own type, where it is compared with the certificate that is there already. So a key
    of another type than its certificate waits for a later one (SSL_CTX_use_PrivateKey(3)). httpd looks `at_once`
    whether the slot of the key holds its certificate (AH02565).
    """
    if not pairs or pairs[0].leaf is None:
        return
    # only here: most runs read no certificate
    from tlslint.pki.bundle import key_matches

    certificates: dict[str, CertificatePair] = {}
    waiting: list[CertificatePair] = []
    keys: dict[str, CertificatePair] = {}
    for pair in pairs:
        leaf, key = pair.leaf, pair.key
        if leaf is None or pair.bundle is None or pair.bundle.server_verdict or key is None or key.key_type is None:
            return  # what the server reads is not known well enough to go on
        certificates[leaf.key_type] = pair
        if key.key_type == leaf.key_type:
            if key_matches(leaf, key) is False:
                yield Mismatch(pair, refused=True)
                return
        elif at_once and not _holds(certificates.get(key.key_type), key):
            yield Mismatch(pair, refused=True)
            return
        else:
            waiting.append(pair)
        keys[key.key_type] = pair
    for pair in waiting:
        leaf = pair.leaf
        assert leaf is not None
        holder = keys.get(leaf.key_type)
        if certificates[leaf.key_type] is pair and (
            holder is None or holder.key is None or key_matches(leaf, holder.key) is False
        ):
            yield Mismatch(pair, refused=False)


def _holds(pair: CertificatePair | None, key: "KeyFacts") -> bool:
    """Whether a pair has the certificate of a key, as far as can be told."""
    from tlslint.pki.bundle import key_matches

    return pair is not None and pair.leaf is not None and key_matches(pair.leaf, key) is not False


def _authorities(bundles: Iterator["Bundle"]) -> Iterator["Certificate"]:
    return (certificate for bundle in bundles for certificate in bundle.all_certificates if certificate.is_ca)


@cache
def trusted_roots(names: tuple[str, ...]) -> "Authorities | None":
    """Return the roots that clients trust, or None where nothing is known of them; raises `TrustStoreError`."""
    from tlslint.pki.anchors import load_trust_store

    return load_trust_store(names)


def _readers(host: str, folder_status: Callable[[str], os.stat_result]) -> str:
    """Say who besides the owner may read a file, considering the directories on the way to it."""
    try:
        status = os.stat(host)
        if not status.st_mode & (stat.S_IROTH | stat.S_IRGRP):
            return ""
        folders = [folder_status(folder) for folder in _folders(host)]
    except OSError:
        return ""
    if status.st_mode & stat.S_IROTH and all(folder.st_mode & stat.S_IXOTH for folder in folders):
        return "every user of the machine"
    if status.st_mode & stat.S_IRGRP and all(_lets_group_in(folder, status.st_gid) for folder in folders):
        group = _group(status.st_gid)
        # users have a group of their own with their number on most systems
        return "" if group in _HARMLESS_GROUPS or status.st_gid in (0, status.st_uid) else f'the group "{group}"'
    return ""


def _folders(path: str) -> Iterator[str]:
    folder = os.path.dirname(path)
    while True:
        yield folder
        if folder == os.path.dirname(folder):
            return
        folder = os.path.dirname(folder)


def _lets_group_in(folder: os.stat_result, group: int) -> bool:
    return bool(folder.st_mode & (stat.S_IXGRP if folder.st_gid == group else stat.S_IXOTH))


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
