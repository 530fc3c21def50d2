"""Chains of every shape: shuffled, truncated, duplicated, cross-signed; against OpenSSL and cryptography's verifier."""

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.issue import Authority, issue, leaf
from tlslint.pki.chain import Authorities, Fault, analyse

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CA_BROWSER_FORUM_DV = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)])


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A root, also cross-signed by another one, intermediates from the topmost downwards, and a leaf."""

    other_root: Authority
    root: Authority
    cross: Authority
    intermediates: tuple[Authority, ...]
    leaf: Authority

    @property
    def chain(self) -> list[Authority]:
        """Leaf first, without any root."""
        return [self.leaf, *reversed(self.intermediates)]


@cache
def hierarchy(depth: int, kind: str = "ec") -> Hierarchy:
    name = f"{kind} {depth}"
    other_root = issue(f"Other Root {name}")
    root = issue(f"Root {name}", kind=kind)
    cross = issue(f"Root {name}", other_root, kind=kind)
    intermediates: list[Authority] = []
    for level in range(depth):
        issuer = intermediates[-1] if intermediates else root
        intermediates.append(issue(f"CA {level} {name}", issuer, kind=kind))
    issuer = intermediates[-1] if intermediates else root
    end = leaf("chain.example.test", issuer, kind=kind, extensions=[CA_BROWSER_FORUM_DV])
    return Hierarchy(other_root, root, cross, tuple(intermediates), end)


STRANGERS = (
    issue("Stranger Root"),
    issue("Stranger CA", issue("Unseen Root")),
    leaf("stranger.example.test", issue("Unseen Root")),
    issue("CA 0 ec 2", key_name="impostor"),
)
"""The last one has the name of a real intermediate, and another key."""


def shas(authorities: Sequence[Authority]) -> tuple[str, ...]:
    return tuple(authority.read.sha256 for authority in authorities)


@st.composite
def served(draw: st.DrawFn) -> tuple[Hierarchy, list[Authority], set[Fault], list[Authority]]:
    """A chain with known faults: the hierarchy, what is served, the faults, and what should be served."""
    h = hierarchy(draw(st.integers(1, 3)))
    cross = draw(st.booleans())
    upper = [*reversed(h.intermediates), *([h.cross] if cross else [])]
    faults: set[Fault] = set()
    expected = [h.leaf, *upper]
    dropped = draw(st.integers(0, len(h.intermediates)))
    if dropped:
        # a gap directly above the leaf: what is above it hangs in the air
        gap = h.intermediates[-1]
        upper = [ca for ca in upper if ca is not gap]
        faults.add(Fault.MISSING_INTERMEDIATE)
        if upper:
            faults.add(Fault.UNRELATED)
    items = list(upper)
    shuffled = list(items)
    random.Random(draw(st.integers(0, 1000))).shuffle(shuffled)
    if shuffled != items and Fault.UNRELATED not in faults:
        faults.add(Fault.OUT_OF_ORDER)
    items = shuffled
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), h.root)
        faults.add(Fault.UNRELATED if dropped else Fault.ROOT_SERVED)
    for stranger in draw(st.lists(st.sampled_from(STRANGERS), max_size=2, unique=True)):
        items.insert(draw(st.integers(0, len(items))), stranger)
        faults.add(Fault.UNRELATED)
    position = draw(st.integers(0, len(items)))
    if position and not draw(st.booleans()):
        position = 0
    if position and items[0] is STRANGERS[2]:
        position = 0  # with a leaf of another chain in front, only the key could tell which one is meant
    items.insert(position, h.leaf)
    if position:
        faults.add(Fault.LEAF_NOT_FIRST)
    if draw(st.booleans()):
        items.append(items[draw(st.integers(0, len(items) - 1))])
        faults.add(Fault.DUPLICATE)
    if dropped:
        expected = [h.leaf]
    return h, items, faults, expected


@settings(max_examples=300, deadline=None)
@given(served())
def test_verdict_and_proposed_order(case: tuple[Hierarchy, list[Authority], set[Fault], list[Authority]]) -> None:
    h, items, faults, expected = case
    chain = analyse([item.read for item in items], key_sha256=h.leaf.read.public_key_sha256)
    assert set(chain.faults) == faults
    assert tuple(certificate.sha256 for certificate in chain.proposed) == shas(expected)


@settings(max_examples=200, deadline=None)
@given(served())
def test_the_proposal_is_complete_and_final(
    case: tuple[Hierarchy, list[Authority], set[Fault], list[Authority]],
) -> None:
    h, items, _, _ = case
    others = [certificate.read for certificate in (*h.intermediates, h.root)]
    key = h.leaf.read.public_key_sha256
    first = analyse([item.read for item in items], others, key_sha256=key)
    again = analyse(first.proposed, others, key_sha256=key)
    assert again.healthy
    assert again.proposed == first.proposed
    assert verifies(first.proposed[0].der, [c.der for c in first.proposed[1:]], [h.root.der])


def verifies(subject: bytes, intermediates: Sequence[bytes], roots: Sequence[bytes]) -> bool:
    """The verdict of cryptography's own verifier."""
    store = Store([x509.load_der_x509_certificate(der) for der in roots])
    verifier = PolicyBuilder().store(store).time(NOW).max_chain_depth(10)
    try:
        verifier.build_server_verifier(x509.DNSName("chain.example.test")).verify(
            x509.load_der_x509_certificate(subject), [x509.load_der_x509_certificate(der) for der in intermediates]
        )
    except VerificationError:
        return False
    return True


def openssl_verifies(subject: Authority, intermediates: Sequence[Authority], roots: Sequence[Authority]) -> bool:
    """The verdict of `openssl verify`."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, members in (("leaf", [subject]), ("untrusted", intermediates), ("roots", roots)):
            Path(folder, name).write_bytes(b"".join(member.pem for member in members))
        command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", f"{folder}/roots", "-attime"]
        command += [str(int(NOW.timestamp())), "-untrusted", f"{folder}/untrusted", f"{folder}/leaf"]
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


@settings(max_examples=40, deadline=None)
@given(served(), st.booleans())
def test_completeness_agrees_with_both_verifiers(
    case: tuple[Hierarchy, list[Authority], set[Fault], list[Authority]], trust_other: bool
) -> None:
    h, items, _, _ = case
    anchor = h.other_root if trust_other else h.root
    others = [item for item in items if item is not h.leaf]
    chain = analyse([item.read for item in items], anchors=[anchor.read], key_sha256=h.leaf.read.public_key_sha256)
    assert chain.trusted == verifies(h.leaf.der, [o.der for o in others], [anchor.der])
    # a root served beside its cross-signed version leads OpenSSL astray: it follows one of them and does not turn back
    if others and not (h.root in items and h.cross in items):
        assert chain.trusted == openssl_verifies(h.leaf, others, [anchor])


@pytest.mark.parametrize("kind", ["rsa", "ec", "p384", "ed25519", "ed448", "ml-dsa-65"])
def test_every_kind_of_signature_is_verified(kind: str) -> None:
    h = hierarchy(1, kind)
    assert h.leaf.read.issued_by(h.intermediates[0].read) is True
    assert h.leaf.read.issued_by(h.root.read) is False
    assert h.leaf.read.signed_with_key_of(h.root.read) is False
    assert h.root.read.self_signed
    assert not h.cross.read.self_signed
    assert analyse([a.read for a in h.chain], anchors=[h.root.read]).healthy


def test_names_alone_decide_nothing() -> None:
    h = hierarchy(2)
    impostor = STRANGERS[3].read
    assert h.intermediates[1].read.issuer_key == impostor.subject_key
    assert h.intermediates[1].read.issued_by(impostor) is False
    assert analyse([h.leaf.read, h.intermediates[1].read, impostor]).unrelated == (impostor,)


def test_a_cross_signed_root_is_an_intermediate() -> None:
    h = hierarchy(1)
    chain = analyse([h.leaf.read, h.intermediates[0].read, h.cross.read], anchors=[h.other_root.read])
    assert chain.healthy
    assert chain.trusted
    assert len(chain.path) == 3
    # clients that know the younger root need no more than its intermediate
    assert analyse([h.leaf.read, h.intermediates[0].read, h.cross.read], anchors=[h.root.read]).trusted


def test_two_versions_of_an_intermediate_are_no_fault() -> None:
    h = hierarchy(1)
    by_other = issue("CA 0 ec 1", h.other_root)
    chain = analyse([h.leaf.read, h.intermediates[0].read, by_other.read])
    assert chain.healthy
    assert chain.alternatives == (by_other.read,)
    assert len(chain.proposed) == 3


def test_roots_that_cross_sign_each_other_end() -> None:
    first, second = issue("Ring A"), issue("Ring B")
    first_by_second, second_by_first = issue("Ring A", second), issue("Ring B", first)
    end = leaf("ring.example.test", first)
    chain = analyse([end.read, first_by_second.read, second_by_first.read])
    assert chain.healthy
    assert len(chain.path) == 3


def test_self_signed_certificate_alone() -> None:
    for certificate in (leaf("self.example.test", None), issue("self-ca.example.test")):
        chain = analyse([certificate.read])
        assert chain.healthy
        assert chain.anchor == certificate.read
        assert analyse([certificate.read], anchors=[STRANGERS[0].read]).trusted is False


def test_private_root_may_be_absent() -> None:
    ca = issue("Private Root")
    chain = analyse([leaf("intranet.example.test", ca).read])
    assert chain.healthy
    assert chain.missing is not None
    assert not chain.missing.certain
    known = analyse([leaf("intranet.example.test", ca).read], others=[ca.read])
    assert (known.missing, known.anchor) == (None, ca.read)


def test_missing_intermediate_is_described_and_found_in_other_files() -> None:
    h = hierarchy(2)
    alone = analyse([h.leaf.read])
    assert alone.missing is not None
    assert alone.missing.issuer == "CN=CA 1 ec 2"
    found = analyse([h.leaf.read], others=Authorities(a.read for a in (h.root, *h.intermediates)))
    assert found.missing is not None
    assert found.missing.found == (h.intermediates[1].read, h.intermediates[0].read)
    assert found.anchor == h.root.read


def test_the_key_says_which_certificate_is_the_leaf() -> None:
    first, second = leaf("one.example.test", None), leaf("two.example.test", None)
    chain = analyse([first.read, second.read], key_sha256=second.read.public_key_sha256)
    assert chain.leaf == second.read
    assert set(chain.faults) == {Fault.LEAF_NOT_FIRST, Fault.UNRELATED}


def test_path_length_is_kept() -> None:
    root = issue("Narrow Root")
    narrow = issue("Narrow CA", root, path_length=0)
    below = issue("Too Deep", narrow)
    end = leaf("chain.example.test", below)
    chain = analyse([end.read, below.read, narrow.read], anchors=[root.read])
    assert chain.faults == (Fault.PATH_TOO_LONG,)
    assert not openssl_verifies(end, [below, narrow], [root])


@pytest.mark.parametrize("allowed", [0, 1, None])
@pytest.mark.parametrize("served_root", [False, True])
def test_the_path_length_of_the_root_counts_too(allowed: int | None, served_root: bool) -> None:
    root = issue("Root With A Limit", path_length=allowed)
    upper = issue("Upper", root)
    end = leaf("chain.example.test", upper)
    served_certificates = [end.read, upper.read, *([root.read] if served_root else [])]
    chain = analyse(served_certificates, anchors=[root.read])
    assert (chain.overfull is None) == openssl_verifies(end, [upper], [root])
    assert chain.overfull == ((root.read, 1) if allowed == 0 else None)


def test_a_served_root_can_break_the_path_through_its_cross_signed_version() -> None:
    h = hierarchy(1)
    served_certificates = [h.leaf, h.intermediates[0], h.root, h.cross]
    chain = analyse([a.read for a in served_certificates], anchors=[h.other_root.read])
    assert chain.faults == (Fault.ROOT_SERVED,)
    assert not openssl_verifies(h.leaf, served_certificates[1:], [h.other_root])
    by_digest = {a.read: a for a in served_certificates}
    assert openssl_verifies(h.leaf, [by_digest[c] for c in chain.proposed[1:]], [h.other_root])


def test_many_namesakes_end() -> None:
    root = issue("Many Root")
    end = leaf("chain.example.test", issue("Many"))
    namesakes = [issue("Many", root, key_name="shared many").read for _ in range(300)]
    chain = analyse([end.read, *namesakes, *namesakes])
    assert chain.path == (end.read,)
    assert Fault.DUPLICATE in chain.faults


def test_an_empty_chain_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        analyse([])
