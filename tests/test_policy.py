import copy
import importlib.util
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlslint import policy as policy_module
from tlslint.policy import (
    BundledPolicy,
    Policy,
    PolicyError,
    ProtocolVerdict,
    bundled_policies,
    load_policy,
    policies_directory,
    schema,
)

ROOT = Path(__file__).resolve().parent.parent
GUIDELINES = Path(os.environ.get("TLSLINT_GUIDELINES", ROOT.parent / "shared" / "guidelines"))
BUNDLED = bundled_policies()
IDENTITY = {"$schema", "name", "version", "title", "sources", "notes", "citations", "extends"}

needs_guidelines = pytest.mark.skipif(
    not GUIDELINES.is_dir(), reason="Mozilla's guideline files are not here; TLSLINT_GUIDELINES names their directory"
)


def spelling(bundled: BundledPolicy) -> str:
    return f"{bundled.name}@{bundled.version}"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_policy(document: object, name: str = "policy.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return write_policy


def problems_of(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(PolicyError) as caught:
        load_policy(str(path))
    assert caught.value.origin == str(path)
    return [(problem.path, problem.message) for problem in caught.value.problems]


# The bundled policies


def test_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("bundled", BUNDLED, ids=spelling)
def test_bundled_policy_obeys_the_schema(bundled: BundledPolicy) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(Path(bundled.path).read_text(encoding="utf-8")))


@pytest.mark.parametrize("bundled", BUNDLED, ids=spelling)
def test_bundled_policy_is_the_same_by_name_and_through_validation(bundled: BundledPolicy) -> None:
    by_name = load_policy(spelling(bundled))
    assert by_name == load_policy(str(bundled.path))
    assert by_name.spelling == spelling(bundled)
    assert by_name.title == bundled.title


@pytest.mark.parametrize("bundled", BUNDLED, ids=spelling)
def test_every_value_of_a_bundled_policy_is_cited_and_nothing_else_is(bundled: BundledPolicy) -> None:
    document = json.loads(Path(bundled.path).read_text(encoding="utf-8"))
    given_fields = {name for name, value in document.items() if name not in IDENTITY and value is not None}
    assert set(document["citations"]) == given_fields
    assert document["sources"]


def test_bundled_policies_are_the_ones_in_the_folder() -> None:
    files = {path.name for path in Path(policies_directory()).glob("*.json")} - {"policy.schema.json"}
    assert {Path(bundled.path).name for bundled in BUNDLED} == files
    versions = {"5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8"}
    for level, known in (("modern", versions | {"6.0"}), ("intermediate", versions | {"6.0"}), ("old", versions)):
        assert {bundled.version for bundled in BUNDLED if bundled.name == f"mozilla-{level}"} == known


def test_schema_and_dataclass_have_the_same_fields() -> None:
    definition = schema()
    in_schema = set(definition["properties"]) - IDENTITY
    assert in_schema == set(Policy.__dataclass_fields__) - IDENTITY
    assert in_schema == set(definition["$defs"]["field"]["enum"])
    assert all("description" in value for value in definition["properties"].values())


def test_schema_lists_the_curves_of_groups_in_the_same_spelling() -> None:
    definitions = schema()["$defs"]
    assert set(definitions["curve"]["enum"]) <= set(definitions["group"]["enum"])


# The names in the schema are the ones that libraries know


def library_ciphers() -> Iterator[tuple[str, set[str]]]:
    from nassl.legacy_ssl_client import LegacySslClient
    from nassl.ssl_client import OpenSslVersionEnum, SslClient
    from OpenSSL import SSL

    for name, kind, text in (
        ("1.0.2", LegacySslClient, "ALL:COMPLEMENTOFALL"),
        ("1.1.1", SslClient, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"),
    ):
        client = kind(ssl_version=OpenSslVersionEnum.SSLV23)
        client.set_cipher_list(text)
        yield name, set(client.get_cipher_list())
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    yield "current", set(SSL.Connection(context).get_cipher_list())


def test_cipher_names_of_the_schema_are_those_of_real_libraries() -> None:
    listed = set(schema()["$defs"]["cipher"]["enum"])
    known: set[str] = set()
    for library, names in library_ciphers():
        old_names = {name for name in names if not name.startswith("TLS_")}
        assert old_names <= listed, library
        known |= old_names
    assert listed == known


def test_tls13_and_group_names_of_the_schema_are_known_to_the_current_library() -> None:
    definitions = schema()["$defs"]
    questions = [("ciphersuites", name) for name in definitions["tls13_cipher"]["enum"]]
    questions += [("groups", name) for name in (*definitions["group"]["enum"], "no-such-group")]
    answers = subprocess.run(
        [sys.executable, ROOT / "tools" / "openssl_oracles.py", "worker", "cryptography"],
        input="".join(json.dumps(question) + "\n" for question in questions),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    errors = dict(zip(questions, (json.loads(answer)["error"] for answer in answers), strict=True))
    # a group that TLS 1.3 does not have is taken, but alone it makes no ClientHello
    unknown = {name for (_, name), error in errors.items() if error not in (None, "no ClientHello")}
    # OpenSSL 4.0 was the first without the curves that RFC 8422 deprecates
    assert unknown == {"no-such-group", "secp224r1", "secp256k1"}


# Mozilla's guidelines


@needs_guidelines
def test_mozilla_policies_are_what_the_script_makes() -> None:
    made = dict(tool("mozilla_policies").policies(GUIDELINES))
    assert len(made) == 29
    folder = Path(policies_directory())
    shipped = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("mozilla-*.json")}
    assert shipped == made


def mozilla_levels() -> list[Any]:
    return [
        pytest.param(path, level, id=f"{level}-{path.stem}")
        for path in sorted(GUIDELINES.glob("[0-9]*.json"))
        for level in json.loads(path.read_text(encoding="utf-8"))["configurations"]
    ]


@needs_guidelines
@pytest.mark.parametrize(("path", "level"), mozilla_levels())
def test_mozilla_policy_equals_the_guideline_in_each_field(path: Path, level: str) -> None:
    guideline = json.loads(path.read_text(encoding="utf-8"))
    asked = guideline["configurations"][level]
    policy = load_policy(f"{level}@{guideline['version']}")

    def names(key: str) -> tuple[str, ...] | None:
        value = asked.get(key)
        return None if value is None else tuple("prime256v1" if name == "secp256r1" else name for name in value)

    ciphers = tuple(asked["openssl_ciphers"] if "openssl_ciphers" in asked else asked["ciphers"]["openssl"])
    tls13_ciphers = names("ciphersuites") or names("openssl_ciphersuites")
    assert (policy.name, policy.version) == (f"mozilla-{level}", path.stem)
    assert policy.title == f"Mozilla {level} {path.stem}"
    assert set(policy.protocols) == set(asked["tls_versions"])
    assert policy.required_protocols == ("TLSv1.3",)
    assert (policy.ciphers, policy.recommended_ciphers) == (ciphers, ciphers)
    assert (policy.tls13_ciphers, policy.recommended_tls13_ciphers) == (tls13_ciphers, tls13_ciphers)
    assert (policy.groups, policy.recommended_groups) == (names("tls_curves"), names("tls_curves"))
    assert policy.server_preferred_order is asked["server_preferred_order"]
    assert policy.certificate_key_types == names("certificate_types")
    assert policy.certificate_curves == names("certificate_curves")
    assert policy.certificate_signatures == names("certificate_signatures")
    assert policy.minimum_rsa_bits == asked["rsa_key_size"]
    assert policy.minimum_dh_bits == asked["dh_param_size"]
    assert policy.minimum_ecdh_bits == asked["ecdh_param_size"]
    assert policy.maximum_certificate_days == asked["maximum_certificate_lifespan"]
    assert policy.recommended_certificate_days == asked.get("recommended_certificate_lifespan")
    assert policy.ocsp_staple is asked["ocsp_staple"]
    assert policy.hsts_min_age == asked["hsts_min_age"]
    assert policy.oldest_clients == tuple(asked["oldest_clients"])
    unopinionated = (policy.minimum_ecdsa_bits, policy.session_tickets, policy.maximum_session_seconds)
    assert unopinionated == (None, None, None)
    assert not policy.explicit_protocols
    assert not policy.require_post_quantum


def test_what_changed_between_guidelines_shows_in_the_policies() -> None:
    with_dhe, without = load_policy("intermediate@5.7"), load_policy("intermediate@5.8")
    assert set(with_dhe.ciphers or ()) - set(without.ciphers or ()) == {
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-CHACHA20-POLY1305",
    }
    assert "X25519MLKEM768" not in (with_dhe.groups or ())
    assert (without.groups or ())[0] == "X25519MLKEM768"
    assert load_policy("old@5.7").minimum_dh_bits == 1024
    assert load_policy("old@5.8").minimum_dh_bits == 2048
    assert load_policy("intermediate@5.0").groups == ("X25519", "prime256v1", "secp384r1")
    assert load_policy("modern").ciphers == ()
    assert "DES-CBC3-SHA" in (load_policy("old").ciphers or ())


# Standards


def test_standards_allow_much_and_recommend_little() -> None:
    for name in ("nist-sp-800-52r2", "bsi-tr-02102-2", "stig"):
        policy = load_policy(name)
        assert policy.ciphers is not None
        assert policy.recommended_ciphers is not None
        assert set(policy.recommended_ciphers) < set(policy.ciphers)
        assert not any("CHACHA20" in suite or suite.startswith("AES") for suite in policy.ciphers)
        assert all("GCM" in suite for suite in policy.recommended_ciphers)


def test_pci_leaves_suites_open() -> None:
    policy = load_policy("pci-dss-4")
    assert (policy.ciphers, policy.recommended_ciphers, policy.groups) == (None, None, None)
    assert policy.judge_protocol("TLSv1.1") is ProtocolVerdict.WEAK
    assert policy.required_protocols == ()


def test_stig_wants_explicit_protocols_and_takes_its_suites_from_nist() -> None:
    stig, nist = load_policy("stig"), load_policy("nist-sp-800-52r2")
    assert stig.explicit_protocols
    assert stig.maximum_session_seconds == 15 * 60
    assert stig.ciphers == nist.ciphers
    assert stig.minimum_rsa_bits is None
    assert stig.source_of("explicit_protocols") == "stig 2026-01, V-278381 and V-214278"
    assert stig.source_of("ciphers") == "nist-sp-800-52r2 2019-08, section 3.3.1"
    assert {source.title for source in nist.sources} < {source.title for source in stig.sources}


# Names


@pytest.mark.parametrize(
    ("spec", "spelled"),
    [
        ("mozilla-intermediate", "mozilla-intermediate@6.0"),
        ("intermediate", "mozilla-intermediate@6.0"),
        ("modern", "mozilla-modern@6.0"),
        ("mozilla-modern@6.0", "mozilla-modern@6.0"),
        ("old", "mozilla-old@5.8"),
        ("mozilla-old@5.8", "mozilla-old@5.8"),
        ("intermediate@5.7", "mozilla-intermediate@5.7"),
        ("nist-sp-800-52r2", "nist-sp-800-52r2@2019-08"),
        ("pci-dss-4", "pci-dss-4@4.0.1"),
    ],
)
def test_names(spec: str, spelled: str) -> None:
    assert load_policy(spec).spelling == spelled


def test_versions_are_ordered_by_number() -> None:
    numbers = ["5.10", "5.9", "2026-01", "10.0", "6.0"]
    assert sorted(numbers, key=policy_module._version_key) == ["5.9", "5.10", "6.0", "10.0", "2026-01"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "intermediat",
            "no such policy; did you mean 'intermediate'?; there are: bsi-tr-02102-2, mozilla-intermediate",
        ),
        ("Mozilla-Modern", "did you mean 'mozilla-modern'?"),
        ("xyzzy", "no such policy; there are: bsi-tr-02102-2, "),
        ("", "no such policy"),
        ("old@6.0", "mozilla-old has no version '6.0'; there are: 5.8, 5.7,"),
        ("modern@", "mozilla-modern has no version ''"),
        ("modern@6", "mozilla-modern has no version '6'"),
    ],
)
def test_unknown_names(spec: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(spec)
    assert message in str(caught.value)
    assert [problem.path for problem in caught.value.problems] == [""]


def test_a_bundled_name_wins_over_a_file_of_that_name(write: Write, tmp_path: Path) -> None:
    write({"name": "mine", "protocols": ["TLSv1.3"]}, "modern")
    assert load_policy("modern", base=tmp_path).name == "mozilla-modern"
    assert load_policy("./modern", base=tmp_path).name == "mine"


def test_a_file_without_slash_or_suffix_is_pointed_out(write: Write, tmp_path: Path) -> None:
    write({"name": "mine", "protocols": ["TLSv1.3"]}, "company")
    with pytest.raises(PolicyError, match=r"for the file of that name write \./company"):
        load_policy("company", base=tmp_path)


def test_file_paths_are_relative_to_the_base(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write({"name": "mine", "protocols": ["TLSv1.3"]}, "conf/policy.json")
    assert load_policy("conf/policy.json", base=tmp_path).name == "mine"
    assert load_policy(str(path), base=Path("/nowhere")).name == "mine"
    monkeypatch.chdir(tmp_path / "conf")
    assert load_policy("policy.json").name == "mine"


# What a policy answers


def test_verdicts_on_protocols() -> None:
    modern, old = load_policy("modern"), load_policy("old")
    assert modern.judge_protocol("TLSv1.3") is ProtocolVerdict.ALLOWED
    assert modern.judge_protocol("TLSv1.2") is ProtocolVerdict.OMITTED
    assert modern.judge_protocol("TLSv1.1") is ProtocolVerdict.WEAK
    assert old.judge_protocol("TLSv1") is ProtocolVerdict.ALLOWED
    assert old.judge_protocol("SSLv3") is ProtocolVerdict.WEAK
    assert old.judge_protocol("SSLv2") is ProtocolVerdict.WEAK


def test_newer_protocol_than_the_policy_is_merely_omitted(write: Write) -> None:
    path = write({"name": "mine", "protocols": ["TLSv1.2"], "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256"]})
    assert load_policy(str(path)).judge_protocol("TLSv1.3") is ProtocolVerdict.OMITTED


def test_citations() -> None:
    policy = load_policy("intermediate")
    assert policy.source_of("protocols") == "mozilla-intermediate 6.0, tls_versions"
    assert policy.source_of("required_protocols") == "mozilla-intermediate 6.0, tls_versions"
    assert policy.source_of("recommended_ciphers") == "mozilla-intermediate 6.0, ciphers.openssl"
    assert policy.source_of("session_tickets") == "mozilla-intermediate 6.0"
    with pytest.raises(AttributeError):
        policy.source_of("protocolls")


@pytest.mark.parametrize("name", ["intermediate", "stig"])
def test_policies_can_be_hashed_pickled_and_compared(name: str) -> None:
    policy = load_policy(name)
    again = pickle.loads(pickle.dumps(policy))
    assert again == policy
    assert hash(again) == hash(policy)
    assert again.source_of("protocols") == policy.source_of("protocols")


# Extending

BASE: dict[str, Any] = {
    "name": "base",
    "version": "7",
    "protocols": ["TLSv1.3", "TLSv1.2"],
    "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA"],
    "recommended_ciphers": ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"],
    "groups": ["X25519", "prime256v1"],
    "maximum_certificate_days": 200,
    "recommended_certificate_days": 90,
    "hsts_min_age": 100,
    "notes": ["a note"],
    "sources": [{"title": "Handbook", "date": "2026-02"}],
}


def test_defaults_of_a_policy_of_its_own(write: Write) -> None:
    policy = load_policy(str(write({"name": "mine", "protocols": ["TLSv1.3", "TLSv1.2"], "groups": ["X25519"]})))
    assert (policy.version, policy.title) == ("1", "mine 1")
    assert policy.protocols == ("TLSv1.2", "TLSv1.3")
    assert policy.required_protocols == ("TLSv1.3",)
    assert policy.recommended_groups == ("X25519",)
    assert (policy.ciphers, policy.recommended_ciphers, policy.hsts_min_age) == (None, None, None)
    assert policy.explicit_protocols is False
    assert policy.source_of("recommended_groups") == "mine 1, groups"


def test_fields_replace_inherited_ones_and_are_cited_where_they_are_set(write: Write) -> None:
    write(BASE, "base.json")
    path = write(
        {
            "name": "mine",
            "extends": "base.json",
            "hsts_min_age": 200,
            "citations": {"hsts_min_age": "§ 3"},
            "sources": [{"title": "Annex"}],
        }
    )
    policy = load_policy(str(path))
    assert (policy.spelling, policy.title) == ("mine@1", "mine 1")
    assert policy.hsts_min_age == 200
    assert policy.source_of("hsts_min_age") == "mine 1, § 3"
    assert policy.source_of("ciphers") == "base 7, ciphers"
    assert policy.groups == ("X25519", "prime256v1")
    assert [source.title for source in policy.sources] == ["Annex", "Handbook"]
    assert policy.notes == ()


def test_null_withdraws_an_inherited_value(write: Write) -> None:
    write(BASE, "base.json")
    policy = load_policy(str(write({"name": "mine", "extends": "./base.json", "ciphers": None, "hsts_min_age": None})))
    assert (policy.ciphers, policy.hsts_min_age) == (None, None)
    assert policy.source_of("hsts_min_age") == "mine 1"


def test_lists_can_be_edited(write: Write) -> None:
    write(BASE, "base.json")
    edits = {
        "groups": {"add": ["secp384r1", "X25519"], "remove": ["prime256v1"]},
        "ciphers": {"remove": ["ECDHE-RSA-AES256-GCM-SHA384"]},
        "protocols": {"add": ["TLSv1"]},
    }
    policy = load_policy(str(write({"name": "mine", "extends": "base.json", **edits})))
    assert policy.groups == ("X25519", "secp384r1")
    assert policy.ciphers == ("ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA")
    assert policy.recommended_ciphers == ("ECDHE-RSA-AES128-GCM-SHA256",)
    assert policy.protocols == ("TLSv1", "TLSv1.2", "TLSv1.3")


def test_inherited_recommendations_shrink_with_the_limits(write: Write) -> None:
    write({**BASE, "required_protocols": ["TLSv1.2"]}, "base.json")
    stricter = {"protocols": ["TLSv1.3"], "ciphers": ["AES128-SHA"], "maximum_certificate_days": 47}
    policy = load_policy(str(write({"name": "mine", "extends": "base.json", **stricter})))
    assert policy.required_protocols == ("TLSv1.3",)
    assert policy.recommended_ciphers == ("AES128-SHA",)
    assert policy.recommended_certificate_days == 47


def test_extending_a_bundled_policy_by_its_short_name(write: Write) -> None:
    path = write({"name": "mine", "extends": "intermediate@5.7", "session_tickets": False})
    policy = load_policy(str(path))
    assert policy.session_tickets is False
    assert policy.ciphers == load_policy("mozilla-intermediate@5.7").ciphers
    assert policy.source_of("ciphers") == "mozilla-intermediate 5.7, ciphers.openssl"


def test_a_chain_of_files_in_folders(write: Write) -> None:
    write(BASE, "common/base.json")
    write({"name": "middle", "extends": "../common/base.json", "hsts_min_age": 1}, "team/middle.json")
    policy = load_policy(str(write({"name": "mine", "extends": "team/middle.json", "minimum_rsa_bits": 3072.0})))
    assert (policy.hsts_min_age, policy.maximum_certificate_days, policy.minimum_rsa_bits) == (1, 200, 3072)
    assert isinstance(policy.minimum_rsa_bits, int)
    assert policy.source_of("hsts_min_age") == "middle 1, hsts_min_age"


def test_a_cycle_is_reported_with_the_way_round(write: Write, tmp_path: Path) -> None:
    first = write({"name": "a", "extends": "b.json"}, "a.json")
    second = write({"name": "b", "extends": "../" + tmp_path.name + "/a.json"}, "b.json")
    with pytest.raises(PolicyError) as caught:
        load_policy(str(first))
    assert caught.value.origin == str(second)
    assert caught.value.problems[0].path == "$.extends"
    assert f"extends itself: {first} -> {second} -> {first}" in str(caught.value)


def test_the_depth_of_extending_is_bounded(write: Write) -> None:
    for index in range(16):
        write({"name": "link", "extends": f"p{index + 1}.json"}, f"p{index}.json")
    write({"name": "end", "protocols": ["TLSv1.3"]}, "p16.json")
    with pytest.raises(PolicyError, match="extends more than 16 policies"):
        load_policy(str(write({"name": "link", "extends": "p1.json"}, "p0.json")))
    assert load_policy(str(write({"name": "start", "extends": "p2.json"}, "p1.json"))).name == "start"


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("intermediatte", "'intermediatte': no such policy; did you mean 'intermediate'?"),
        ("old@6.0", "mozilla-old has no version '6.0'"),
        ("missing.json", "no such file: "),
    ],
)
def test_extending_what_is_not_there(write: Write, extends: str, message: str) -> None:
    [(path, text)] = problems_of(write({"name": "mine", "extends": extends}))
    assert path == "$.extends"
    assert message in text


def test_a_mistake_in_an_extended_file_names_that_file(write: Write) -> None:
    base = write({**BASE, "hsts_min_age": "long"}, "base.json")
    with pytest.raises(PolicyError) as caught:
        load_policy(str(write({"name": "mine", "extends": "base.json"})))
    assert str(caught.value) == f'{base}: $.hsts_min_age: "long" is not a whole number or null'


# Mistakes

OWN: dict[str, Any] = {"name": "mine", "protocols": ["TLSv1.2", "TLSv1.3"]}
GCM = "ECDHE-RSA-AES128-GCM-SHA256"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, [("$", "'name' is missing"), ("$", 'a policy needs "protocols", or "extends"')]),
        ({"name": "mine"}, [("$", 'a policy needs "protocols", or "extends"')]),
        ({**OWN, "protocls": []}, [("$.protocls", "unknown key; did you mean 'protocols'?")]),
        ({**OWN, "not a key": 1}, [('$["not a key"]', "unknown key")]),
        ({**OWN, "x": 1, "y": 2}, [("$.x", "unknown key"), ("$.y", "unknown key")]),
        ({**OWN, "name": "Mine"}, [("$.name", '"Mine" is not allowed here')]),
        ({**OWN, "name": "mine\n"}, [("$.name", '"mine\\n" is not allowed here')]),
        ({**OWN, "title": ""}, [("$.title", "may not be empty")]),
        ({**OWN, "title": "a\u001bb"}, [("$.title", "is not allowed here; expected: ")]),
        ({**OWN, "title": "a" * 401}, [("$.title", "longer than 400 characters")]),
        ({**OWN, "version": 6.0}, [("$.version", "6.0 is not a string")]),
        ({**OWN, "protocols": []}, [("$.protocols", "may not be empty")]),
        ({**OWN, "protocols": None}, [("$.protocols", "null is not a list or an object")]),
        (
            {**OWN, "protocols": ["TLSv1.2", "TLS1.3"]},
            [("$.protocols[1]", "unknown name \"TLS1.3\"; did you mean 'TLSv1.3'?")],
        ),
        ({**OWN, "protocols": ["SSLv2"]}, [("$.protocols[0]", "did you mean 'SSLv3'?")]),
        ({**OWN, "protocols": ["TLSv1.0"]}, [("$.protocols[0]", "here it is called 'TLSv1'")]),
        ({**OWN, "protocols": ["TLSv1.2", "TLSv1.2"]}, [("$.protocols", '"TLSv1.2" is there twice')]),
        ({**OWN, "protocols": "TLSv1.2"}, [("$.protocols", '"TLSv1.2" is not a list or an object')]),
        (
            {**OWN, "required_protocols": ["TLSv1.3", "TLSv1.1"]},
            [("$.required_protocols[1]", "'TLSv1.1' is not in protocols")],
        ),
        (
            {**OWN, "ciphers": [GCM, "AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA265"]},
            [("$.ciphers[3]", f"did you mean '{GCM}'?")],
        ),
        (
            {**OWN, "ciphers": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]},
            [("$.ciphers[0]", "suites for TLS 1.2 and below have OpenSSL's names here")],
        ),
        ({**OWN, "ciphers": [7]}, [("$.ciphers[0]", "7 is not a name"), ("$.ciphers[0]", "7 is not a string")]),
        ({**OWN, "ciphers": []}, [("$.ciphers", "TLSv1.2 is allowed, but no cipher suite for it is")]),
        ({**OWN, "tls13_ciphers": [GCM]}, [("$.tls13_ciphers[0]", "unknown name")]),
        (
            {**OWN, "ciphers": [GCM], "recommended_ciphers": [GCM, "AES128-SHA"]},
            [("$.recommended_ciphers[1]", "'AES128-SHA' is not in ciphers")],
        ),
        ({**OWN, "groups": ["secp256r1"]}, [("$.groups[0]", "here it is called 'prime256v1'")]),
        ({**OWN, "groups": ["P-384"]}, [("$.groups[0]", "here it is called 'secp384r1'")]),
        (
            {**OWN, "groups": ["X25519"], "require_post_quantum": True},
            [("$.groups", "a hybrid post-quantum group is required, but none is allowed")],
        ),
        ({**OWN, "groups": {"add": ["X25519"]}}, [("$.groups", "there is no inherited list to edit")]),
        ({**OWN, "groups": {"plus": ["X25519"]}}, [("$.groups.plus", "unknown key")]),
        ({**OWN, "groups": {}}, [("$.groups", "may not be empty")]),
        ({**OWN, "groups": {"add": ["x"]}}, [("$.groups.add[0]", "unknown name")]),
        ({**OWN, "groups": {"add": []}}, [("$.groups.add", "may not be empty")]),
        ({**OWN, "certificate_key_types": ["ec"]}, [("$.certificate_key_types[0]", "here it is called 'ecdsa'")]),
        (
            {**OWN, "certificate_signatures": ["sha256WithRSA"]},
            [("$.certificate_signatures[0]", "did you mean 'sha256WithRSAEncryption'?")],
        ),
        ({**OWN, "minimum_rsa_bits": True}, [("$.minimum_rsa_bits", "true is not a whole number or null")]),
        ({**OWN, "minimum_rsa_bits": 2048.5}, [("$.minimum_rsa_bits", "2048.5 is not a whole number or null")]),
        ({**OWN, "minimum_rsa_bits": 0}, [("$.minimum_rsa_bits", "out of range; the smallest value is 1")]),
        ({**OWN, "hsts_min_age": -1}, [("$.hsts_min_age", "the smallest value is 0")]),
        ({**OWN, "hsts_min_age": 10**12}, [("$.hsts_min_age", "the largest value is 3153600000")]),
        ({**OWN, "ocsp_staple": 1}, [("$.ocsp_staple", "1 is not true or false or null")]),
        (
            {**OWN, "maximum_certificate_days": 47, "recommended_certificate_days": 90},
            [("$.recommended_certificate_days", "90 is more than maximum_certificate_days, 47")],
        ),
        (
            {**OWN, "citations": {"protocol": "x"}},
            [("$.citations.protocol", "no such field; did you mean 'protocols'?")],
        ),
        ({**OWN, "citations": {"protocols": 1}}, [("$.citations.protocols", "1 is not a string")]),
        ({**OWN, "sources": [{"url": "https://x"}]}, [("$.sources[0]", "'title' is missing")]),
        (
            {**OWN, "sources": [{"title": "t", "url": "ftp://x"}]},
            [("$.sources[0].url", "expected: Where the document")],
        ),
        ({**OWN, "sources": [{"title": "t", "dates": ""}]}, [("$.sources[0].dates", "did you mean 'date'?")]),
        ({**OWN, "sources": [{"title": "t", "date": "May 2026"}]}, [("$.sources[0].date", "year-month-day")]),
        ({**OWN, "extends": 5}, [("$.extends", "5 is not a string")]),
        (
            {"name": "mine", "extends": "intermediate", "ciphers": {"remove": ["ECDHE-RSA-AES128-SHA"]}},
            [("$.ciphers.remove[0]", "'ECDHE-RSA-AES128-SHA' is not in the inherited list; did you mean")],
        ),
        (
            {"name": "mine", "extends": "modern", "protocols": {"add": ["TLSv1.2"]}},
            [("$.protocols", "TLSv1.2 is allowed, but no cipher suite for it is")],
        ),
        (
            {"name": "mine", "extends": "modern", "protocols": {"remove": ["TLSv1.3"]}},
            [("$.protocols", "no protocol version is left")],
        ),
        (
            {"name": "mine", "extends": "modern", "certificate_key_types": {"remove": ["ecdsa"]}},
            [("$.certificate_key_types", "nothing is left; null withdraws the field")],
        ),
        (
            {"name": "mine", "extends": "nist-sp-800-52r2", "recommended_ciphers": {"add": ["AES128-SHA"]}},
            [("$.recommended_ciphers.add[0]", "'AES128-SHA' is not in ciphers")],
        ),
        (
            {"name": "mine", "extends": "intermediate@5.7", "require_post_quantum": True},
            [("$.require_post_quantum", "a hybrid post-quantum group is required")],
        ),
        ([], [("$", "a policy is a JSON object")]),
        ("null", [("$", "a policy is a JSON object")]),
    ],
)
def test_mistakes_have_their_json_path(write: Write, document: object, expected: list[tuple[str, str]]) -> None:
    found = problems_of(write(document))
    assert [path for path, _ in found] == [path for path, _ in expected]
    for (_, message), (_, part) in zip(found, expected, strict=True):
        assert part in message


def test_all_mistakes_are_reported_in_order_one_to_a_line(write: Write) -> None:
    path = write({**OWN, "ciphers": [GCM, *("x" * length for length in range(1, 12))], "hsts_age": 1})
    with pytest.raises(PolicyError) as caught:
        load_policy(str(path))
    places = [f"$.ciphers[{index}]" for index in range(1, 12)]
    assert [problem.path for problem in caught.value.problems] == [*places, "$.hsts_age"]
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == f"{path}: $.hsts_age: unknown key; did you mean 'hsts_min_age'?"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (b'{\n  "name": "mine",\n  "protocols" ["TLSv1.3"]\n}', "line 3, column 15", "not valid JSON: Expecting ':'"),
        (b"", "line 1, column 1", "not valid JSON"),
        (b'{"name": "mine", "name": "mine"}', "$", "the key 'name' is there twice"),
        (b'{"hsts_min_age": NaN}', "$", "NaN is no number"),
        (b'{"name": "\xff"}', "$", "not valid JSON: 'utf-8' codec"),
        (b'{"title": "\\ud800"}', "$", "surrogates not allowed"),
        (b"[" * 100_000, "$", "nested too deeply"),
        (b'{"hsts_min_age": ' + b"9" * 5000 + b"}", "$", "not valid JSON"),
        (b" " * 1_000_001, "", "larger than 1,000,000 bytes"),
    ],
    ids=["syntax", "empty", "twice", "nan", "utf-8", "surrogate", "deep", "long-number", "large"],
)
def test_what_is_no_json(tmp_path: Path, content: bytes, where: str, message: str) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(content)
    [(place, text)] = problems_of(path)
    assert place == where
    assert message in text


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(OWN).encode())
    assert load_policy(str(path)).name == "mine"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "missing.json") == [("", "cannot be read: No such file or directory")]
    assert problems_of(tmp_path) == [("", "cannot be read: not a regular file")]
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    assert problems_of(pipe) == [("", "cannot be read: not a regular file")]
    with pytest.raises(PolicyError, match="no file can have this name"):
        load_policy("a\0b.json")


# Nothing else is ever raised

DOCUMENTS = {
    "mozilla-intermediate": json.loads(Path(policies_directory(), "mozilla-intermediate@6.0.json").read_text()),
    "stig": json.loads(Path(policies_directory(), "stig@2026-01.json").read_text()),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["TLSv1.3", "X25519", "AES128-SHA", "prime256v1", "modern", "policy.json"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["add", "remove", "title", "protocols", "x"]) | st.text(max_size=5), inner, max_size=3
        )
    ),
    max_leaves=8,
)
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def load_or_explain(spec: str, base: str | Path = "") -> None:
    """Load a policy, which may fail only with a PolicyError that says where and why."""
    explanation: PolicyError | None = None
    policy: Policy | None = None
    try:
        policy = load_policy(spec, base=base)
    except PolicyError as error:
        explanation = error
    if policy is None:
        assert explanation is not None
        assert explanation.problems
        assert all(problem.message for problem in explanation.problems)
    else:
        assert policy.protocols
        assert set(policy.required_protocols) <= set(policy.protocols)
        assert hash(policy) is not None


def test_digits_that_are_no_numbers_in_a_key(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text('{"name": "x", "0²0": 1}', encoding="utf-8")
    with pytest.raises(PolicyError, match="0²0"):
        load_policy(str(path))


@FUZZ
@given(data=st.data())
def test_corrupted_values_raise_policy_errors_only(tmp_path: Path, data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from([*DOCUMENTS.values(), BASE])))
    keys = st.sampled_from(sorted(schema()["properties"])) | st.text(max_size=10)
    for key in data.draw(st.lists(keys, min_size=1, max_size=3)):
        document[key] = data.draw(VALUES)
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    load_or_explain(str(path))


@FUZZ
@given(data=st.data())
def test_corrupted_bytes_raise_policy_errors_only(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(json.dumps(data.draw(st.sampled_from([*DOCUMENTS.values()]))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 8)))
        content[start:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b'"', b"{", b"]", b",", b"null", b"\\u0000"])
        )
    path = tmp_path / "policy.json"
    path.write_bytes(bytes(content))
    load_or_explain(str(path))


@FUZZ
@given(spec=st.text(max_size=30) | st.from_regex(r"(modern|mozilla-old|stig|x)@?[0-9.]{0,4}(\.json)?", fullmatch=True))
def test_specs_raise_policy_errors_only(tmp_path: Path, spec: str) -> None:
    load_or_explain(spec, tmp_path)


@given(
    edit=st.dictionaries(
        st.sampled_from(["add", "remove"]),
        st.lists(st.sampled_from(BASE["groups"] + ["X448", "secp521r1"]), min_size=1, unique=True),
        min_size=1,
    )
)
@FUZZ
def test_edits_do_what_they_say(tmp_path: Path, edit: dict[str, list[str]]) -> None:
    (tmp_path / "base.json").write_text(json.dumps(BASE), encoding="utf-8")
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"name": "mine", "extends": "base.json", "groups": edit}), encoding="utf-8")
    inherited, added, removed = set(BASE["groups"]), set(edit.get("add", ())), set(edit.get("remove", ()))
    wanted = (inherited - removed) | added
    if removed <= inherited and wanted:
        assert set(load_policy(str(path)).groups or ()) == wanted
    else:
        with pytest.raises(PolicyError):
            load_policy(str(path))


# Start-up and packaging


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "linter"), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_bundled_policies_load_without_slow_modules() -> None:
    slow = "{'jsonschema', 'difflib', 'cryptography', 'importlib.metadata', 'rich', 'pydantic'}"
    names = sorted({bundled.name for bundled in BUNDLED})
    loaded = run_python(
        "import sys; from tlslint.policy import load_policy\n"
        f"for name in {names!r}: load_policy(name)\n"
        f"print(sorted({slow} & set(sys.modules)))"
    )
    assert loaded.strip() == "[]"


def test_a_file_of_the_users_own_is_validated_with_jsonschema(write: Write) -> None:
    path = write(OWN)
    loaded = run_python(
        f"import sys; from tlslint.policy import load_policy\nload_policy({str(path)!r})\n"
        "print('jsonschema' in sys.modules)"
    )
    assert loaded.strip() == "True"


def test_policies_are_found_inside_an_installed_package(tmp_path: Path) -> None:
    package = tmp_path / "tlslint"
    package.mkdir()
    for name in ("__init__.py", "policy.py", "record.py"):
        shutil.copy(ROOT / "linter" / "tlslint" / name, package / name)
    shutil.copytree(policies_directory(), package / "policies")
    code = (
        "from tlslint.policy import load_policy, policies_directory\n"
        "print(policies_directory(), load_policy('old').spelling)"
    )
    assert run_python(code, PYTHONPATH=str(tmp_path)).split() == [str(package / "policies"), "mozilla-old@5.8"]
    shutil.rmtree(package / "policies")
    code = (
        "from tlslint.policy import PolicyError, load_policy\n"
        "try: load_policy('old')\nexcept PolicyError as error: print(error)"
    )
    assert "the bundled policies are missing" in run_python(code, PYTHONPATH=str(tmp_path))


# Documentation

PAGE = ROOT / "docs" / "policies.md"


def test_generated_tables_are_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("<!-- generated: ") == 3
    assert tool("docs_policies").render(page) == page, "run: python tools/docs_policies.py"


def documented(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_documented_policies_load_and_do_what_the_page_says(write: Write) -> None:
    web, internal = (load_policy(str(write(text, f"{index}.json"))) for index, text in enumerate(documented("json")))
    assert web.groups == ("X25519MLKEM768", "X25519", "prime256v1", "SecP256r1MLKEM768")
    assert web.source_of("protocols") == "example-web 2026.1, chapter 7.1"
    assert web.source_of("tls13_ciphers") == "mozilla-intermediate 6.0, ciphersuites"
    assert web.oldest_clients == ()
    assert internal.required_protocols == ("TLSv1.3",)


def test_documented_messages_are_the_real_ones(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write({**OWN, "ciphers": [GCM, "ECDHE-RSA-AES128-GCM-SHA265"], "protocls": []}, "tls/policy.json")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolicyError) as caught:
        load_policy("tls/policy.json")
    assert documented("text") == [f"{caught.value}\n"]
