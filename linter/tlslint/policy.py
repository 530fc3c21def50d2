"""Policies: what a server's predicted behaviour is compared with.

A policy is JSON, described by `policies/policy.schema.json`. The bundled ones are known by name
(`mozilla-intermediate`, `intermediate@5.7`, `stig`) and are trusted as they are, so that a run without a policy of the
user's own never imports jsonschema; a file is validated before anything of it is used.

A policy may extend another one. Field by field, the nearest value wins; `null` withdraws an inherited value; a list may
be edited with `{"add": […], "remove": […]}` instead of being replaced. An inherited `required_…` or `recommended_…`
value that an extending policy's stricter limit no longer allows is narrowed to that limit.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple

from tlslint.record import dataclass, field

PROTOCOLS: Final = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""Protocol versions, weakest first, as nginx and Apache spell them."""

DEFAULT_POLICY: Final = "mozilla-intermediate"

_SHORT_NAMES: Final = {level: f"mozilla-{level}" for level in ("modern", "intermediate", "old")}
_STRONG_PROTOCOLS: Final = ("TLSv1.2", "TLSv1.3")  # RFC 8996 deprecates all below
_MAXIMUM_BYTES: Final = 1_000_000
_MAXIMUM_EXTENDS: Final = 16


class PolicyProblem(NamedTuple):
    """One thing that is wrong with a policy.

    `path` is a JSON path such as "$.ciphers[3]", or a position ("line 3, column 7") where the text is no JSON, or ""
    when the policy as a whole cannot be had.
    """

    path: str
    message: str


class PolicyError(Exception):
    """A policy that cannot be used; the message has a line for each problem, with the file and the JSON path."""

    def __init__(self, origin: str, problems: Sequence[PolicyProblem]) -> None:
        self.origin = origin
        self.problems = tuple(problems)
        super().__init__("\n".join(": ".join(filter(None, (origin, *problem))) for problem in problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.origin, self.problems)


class ProtocolVerdict(Enum):
    """What a policy makes of a protocol version that is served."""

    ALLOWED = "allowed"
    OMITTED = "omitted"
    """Not in the policy's set but sound in itself, such as TLS 1.2 under a policy for TLS 1.3 only."""
    WEAK = "weak"
    """Not in the policy's set and deprecated for everyone (below TLS 1.2, RFC 8996)."""


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A document that a policy follows; `date` is a year, year-month or year-month-day."""

    title: str
    url: str | None = None
    section: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with its inheritance worked out. None means that the policy has no opinion.

    Suites, groups, curves and signature algorithms have OpenSSL's names. Lists say what is allowed at most; the
    `recommended_…` lists say what a fix writes, in order, and what is missed when it is not offered.
    """

    name: str
    version: str
    title: str
    protocols: tuple[str, ...]
    """Versions that may be served, weakest first; never empty."""
    required_protocols: tuple[str, ...]
    """Versions that must be served; a subset of `protocols`, the newest of them unless the policy says otherwise."""
    explicit_protocols: bool = False
    """Whether the configuration itself must name the versions."""
    ciphers: tuple[str, ...] | None = None
    """Suites for TLS 1.2 and below; empty when none is allowed (TLS 1.3 only)."""
    recommended_ciphers: tuple[str, ...] | None = None
    tls13_ciphers: tuple[str, ...] | None = None
    recommended_tls13_ciphers: tuple[str, ...] | None = None
    server_preferred_order: bool | None = None
    groups: tuple[str, ...] | None = None
    recommended_groups: tuple[str, ...] | None = None
    require_post_quantum: bool = False
    minimum_ecdh_bits: int | None = None
    minimum_dh_bits: int | None = None
    certificate_key_types: tuple[str, ...] | None = None
    """Of "ecdsa", "rsa", "ed25519", "ed448", "dsa"."""
    certificate_curves: tuple[str, ...] | None = None
    certificate_signatures: tuple[str, ...] | None = None
    """Signature algorithms such as "sha256WithRSAEncryption" or "ecdsa-with-SHA256"."""
    minimum_rsa_bits: int | None = None
    minimum_ecdsa_bits: int | None = None
    maximum_certificate_days: int | None = None
    recommended_certificate_days: int | None = None
    ocsp_staple: bool | None = None
    """True asks for stapling where the certificate names a responder."""
    session_tickets: bool | None = None
    maximum_session_seconds: int | None = None
    hsts_min_age: int | None = None
    """Smallest max-age of Strict-Transport-Security, in seconds."""
    oldest_clients: tuple[str, ...] = ()
    sources: tuple[PolicySource, ...] = ()
    notes: tuple[str, ...] = ()
    citations: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Where each field that is set comes from; read it through `source_of`."""

    @property
    def spelling(self) -> str:
        """The name with the version, as the command line takes it: "mozilla-intermediate@6.0"."""
        return f"{self.name}@{self.version}"

    def source_of(self, field_name: str) -> str:
        """Say where a field comes from: "mozilla-intermediate 6.0, tls_versions".

        A field that an extended policy sets is cited from there; one that no policy sets, from this policy as a whole.

        Raises:
            AttributeError: a policy has no such field.
        """
        getattr(self, field_name)
        return self.citations.get(field_name) or f"{self.name} {self.version}"

    def judge_protocol(self, protocol: str) -> ProtocolVerdict:
        """Say what the policy makes of a served version; an unknown name counts as weak."""
        if protocol in self.protocols:
            return ProtocolVerdict.ALLOWED
        return ProtocolVerdict.OMITTED if protocol in _STRONG_PROTOCOLS else ProtocolVerdict.WEAK


class BundledPolicy(NamedTuple):
    """A policy that comes with tlslint."""

    name: str
    version: str
    title: str
    path: str


# Where the limit is tighter than the value, an inherited value is narrowed and one beside its limit is an error.
_LIMITS: Final = {
    "required_protocols": "protocols",
    "recommended_ciphers": "ciphers",
    "recommended_tls13_ciphers": "tls13_ciphers",
    "recommended_groups": "groups",
    "recommended_certificate_days": "maximum_certificate_days",
}
_RECOMMENDED_LISTS: Final = ("recommended_ciphers", "recommended_tls13_ciphers", "recommended_groups")
_IDENTITY: Final = frozenset({"name", "version", "title", "sources", "notes", "citations"})
_FIELDS: Final = tuple(name for name in Policy.__match_args__ if name not in _IDENTITY)


def load_policy(spec: str, *, base: str | os.PathLike[str] = "") -> Policy:
    """Load a policy by its name ("mozilla-modern", "intermediate@5.7") or from a file ("tls/policy.json").

    What contains a slash or ends in ".json" is a file, relative to `base` (default: the working directory).

    Raises:
        PolicyError: no such policy, or the file is unreadable, no JSON, or no valid policy.
    """
    if _is_path(spec):
        return _assemble(_lineage_of_file(_located(spec, base)))
    return _load_bundled(_find_bundled(spec, base))


def bundled_policies() -> tuple[BundledPolicy, ...]:
    """All policies that come with tlslint, by name, the newest version of each first."""
    return tuple(
        BundledPolicy(name, version, _read(path)["title"], path)
        for name, versions in sorted(_bundled_files().items())
        for version, path in versions.items()
    )


@cache
def policies_directory() -> str:
    """The folder of the bundled policies: inside the installed package, or at the top of a checkout.

    Raises:
        PolicyError: neither is there, so the installation is incomplete.
    """
    package = os.path.dirname(os.path.realpath(__file__))
    checkout = os.path.dirname(os.path.dirname(package))
    for directory in (os.path.join(package, "policies"), os.path.join(checkout, "policies")):
        if os.path.isfile(os.path.join(directory, "policy.schema.json")):
            return directory
    raise PolicyError(os.path.join(package, "policies"), [PolicyProblem("", "the bundled policies are missing")])


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of policies; a new copy on each call."""
    return _read(os.path.join(policies_directory(), "policy.schema.json"))


# Finding


def _is_path(spec: str) -> bool:
    return "/" in spec or os.sep in spec or spec.endswith(".json")


def _located(spec: str, base: str | os.PathLike[str]) -> str:
    if "\0" in spec:
        raise PolicyError(repr(spec), [PolicyProblem("", "no file can have this name")])
    return os.path.normpath(os.path.join(base, spec))


@cache
def _bundled_files() -> dict[str, dict[str, str]]:
    """The files by name and version, newest version first."""
    directory = policies_directory()
    files = [name for name in os.listdir(directory) if "@" in name and name.endswith(".json")]
    stems = [name.removesuffix(".json").partition("@") for name in files]
    found: dict[str, dict[str, str]] = {}
    for name, at, version in sorted(stems, key=lambda stem: _version_key(stem[2]), reverse=True):
        found.setdefault(name, {})[version] = os.path.join(directory, f"{name}{at}{version}.json")
    return found


def _version_key(version: str) -> list[int]:
    return [int(part) for part in version.replace("-", ".").split(".")]


def _find_bundled(spec: str, base: str | os.PathLike[str] = "") -> str:
    name, at, version = spec.partition("@")
    versions = _bundled_files().get(_SHORT_NAMES.get(name, name))
    if versions is None:
        raise PolicyError(spec, [PolicyProblem("", _unknown_name(spec, name, base))])
    if not at:
        return next(iter(versions.values()))
    if version not in versions:
        known = ", ".join(versions)
        raise PolicyError(
            spec, [PolicyProblem("", f"{_SHORT_NAMES.get(name, name)} has no version {version!r}; there are: {known}")]
        )
    return versions[version]


def _unknown_name(spec: str, name: str, base: str | os.PathLike[str]) -> str:
    known = sorted(_bundled_files())
    message = f"no such policy{_did_you_mean(name, (*known, *_SHORT_NAMES))}; there are: {', '.join(known)}"
    if os.path.isfile(_located(spec, base)):
        message += f"; for the file of that name write ./{spec}"
    return message


# Reading


def _read(path: str) -> dict[str, Any]:
    """The document in a file, as far as it is JSON and an object.

    Raises:
        PolicyError: it is not.
    """
    try:
        document = json.loads(_text(path), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, column {error.colno}"
        raise PolicyError(path, [PolicyProblem(position, f"not valid JSON: {error.msg}")]) from None
    except OSError as error:
        raise PolicyError(path, [PolicyProblem("", f"cannot be read: {error.strerror or error}")]) from None
    except ValueError as error:  # no UTF-8, a number that is none, a duplicate key, a null byte in the path
        raise PolicyError(path, [PolicyProblem("$", f"not valid JSON: {error}")]) from None
    except RecursionError:
        raise PolicyError(path, [PolicyProblem("$", "nested too deeply")]) from None
    if not isinstance(document, dict):
        raise PolicyError(path, [PolicyProblem("$", "a policy is a JSON object")])
    return document


def _text(path: str) -> str:
    if os.path.exists(path) and not os.path.isfile(path):  # opening a pipe would wait for its writer
        raise OSError("not a regular file")
    with open(path, "rb") as file:
        content = file.read(_MAXIMUM_BYTES + 1)
    if len(content) > _MAXIMUM_BYTES:
        raise OSError(f"larger than {_MAXIMUM_BYTES:,} bytes")
    return content.decode("utf-8").removeprefix("\ufeff")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    for key, value in pairs:
        for text in (key, value):
            if isinstance(text, str) and not text.isascii():
                text.encode()  # a lone surrogate could not be printed
    return document


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


# Inheriting


class _Layer(NamedTuple):
    """One document of a chain of `extends`."""

    origin: str
    document: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.document['name']} {self.document.get('version', '1')}"

    def error(self, path: str, message: str) -> PolicyError:
        return PolicyError(self.origin, [PolicyProblem(path, message)])


@cache
def _load_bundled(path: str) -> Policy:
    return _assemble(_lineage_of_bundled(path))


def _lineage_of_bundled(path: str) -> Iterator[_Layer]:
    document = _read(path)
    yield _Layer(path, document)
    if "extends" in document:
        yield from _lineage_of_bundled(_find_bundled(document["extends"]))


def _lineage_of_file(path: str) -> Iterator[_Layer]:
    """Yield the document in a file and the ones that it extends, the nearest first."""
    visited: list[str] = []
    while True:
        visited.append(path)
        layer = _Layer(path, _read(path))
        _validate(layer)
        yield layer
        extended = layer.document.get("extends")
        if extended is None:
            return
        try:
            if not _is_path(extended):
                yield from _lineage_of_bundled(_find_bundled(extended, os.path.dirname(path)))
                return
            path = _located(extended, os.path.dirname(path))
        except PolicyError as error:
            raise layer.error("$.extends", f"{extended!r}: {error.problems[0].message}") from None
        if path in visited or len(visited) == _MAXIMUM_EXTENDS:
            chain = " -> ".join((*visited, path))
            what = "extends itself" if path in visited else f"extends more than {_MAXIMUM_EXTENDS} policies"
            raise layer.error("$.extends", f"the policy {what}: {chain}")
        if not os.path.isfile(path):
            raise layer.error("$.extends", f"no such file: {path}")


def _assemble(lineage: Iterable[_Layer]) -> Policy:
    layers = list(lineage)
    values: dict[str, Any] = {}
    citations: dict[str, str] = {}
    for layer in reversed(layers):
        for name in _FIELDS:
            if name in layer.document:
                _inherit(layer, name, values, citations)
        _narrow(layer, values)
        _check_consistency(layer, values)
    nearest = layers[0]
    document = nearest.document
    version = document.get("version", "1")
    _fill_defaults(values, citations)
    sources = (source for layer in layers for source in layer.document.get("sources", ()))
    return Policy(
        name=document["name"],
        version=version,
        title=document.get("title", f"{document['name']} {version}"),
        sources=tuple(dict.fromkeys(PolicySource(**source) for source in sources)),
        notes=tuple(document.get("notes", ())),
        citations=citations,
        **values,
    )


def _fill_defaults(values: dict[str, Any], citations: dict[str, str]) -> None:
    """Derive the required and recommended lists that no layer gives from what is allowed."""
    defaults = {name: values[_LIMITS[name]] for name in _RECOMMENDED_LISTS if _LIMITS[name] in values}
    # never the older versions: a server that is stricter than the policy does nothing wrong
    defaults["required_protocols"] = values["protocols"][-1:]
    for name, value in defaults.items():
        if name not in values:
            values[name], citations[name] = value, citations[_LIMITS[name]]


def _inherit(layer: _Layer, name: str, values: dict[str, Any], citations: dict[str, str]) -> None:
    """Replace, edit or withdraw one inherited value by what a layer says."""
    value = layer.document[name]
    if isinstance(value, dict):
        value = _edited(layer, name, value, values.get(name))
    if value is None:
        values.pop(name, None)
        citations.pop(name, None)
        return
    if isinstance(value, float):  # 2048.0 is an integer to JSON Schema
        value = int(value)
    if isinstance(value, list):
        value = tuple(sorted(value, key=PROTOCOLS.index) if name.endswith("protocols") else value)
    values[name] = value
    citations[name] = f"{layer.label}, {layer.document.get('citations', {}).get(name, name)}"


def _edited(layer: _Layer, name: str, edit: dict[str, Any], inherited: tuple[str, ...] | None) -> list[str]:
    if inherited is None:
        raise layer.error(f"$.{name}", "there is no inherited list to edit; give the whole list")
    for index, item in enumerate(edit.get("remove", ())):
        if item not in inherited:
            hint = _did_you_mean(item, inherited)
            raise layer.error(f"$.{name}.remove[{index}]", f"{item!r} is not in the inherited list{hint}")
    kept = [item for item in inherited if item not in edit.get("remove", ())]
    added = [item for item in edit.get("add", ()) if item not in kept]
    if name == "protocols" and not kept + added:
        raise layer.error(f"$.{name}", "no protocol version is left")
    return kept + added


def _narrow(layer: _Layer, values: dict[str, Any]) -> None:
    """Bring inherited required and recommended values inside limits that a layer made stricter."""
    for name, limit in _LIMITS.items():
        if name not in values or limit not in values:
            continue
        value, most = values[name], values[limit]
        if isinstance(value, tuple):
            beyond = [item for item in value if item not in most]
            if beyond and layer.document.get(name) is not None:
                raise layer.error(_path_of(layer, name, beyond[0]), f"{beyond[0]!r} is not in {limit}")
            values[name] = tuple(item for item in value if item in most)
            if beyond and not values[name]:
                del values[name]
        elif value > most:
            if layer.document.get(name) is not None:
                raise layer.error(f"$.{name}", f"{value} is more than {limit}, {most}")
            values[name] = most


def _path_of(layer: _Layer, name: str, item: str) -> str:
    value = layer.document[name]
    if isinstance(value, list):
        return f"$.{name}[{value.index(item)}]"
    added = value.get("add", ())
    return f"$.{name}.add[{added.index(item)}]" if item in added else f"$.{name}"


def _check_consistency(layer: _Layer, values: dict[str, Any]) -> None:
    """Refuse demands that no server can meet."""
    old = [protocol for protocol in values.get("protocols", ()) if protocol != "TLSv1.3"]
    if old and values.get("ciphers") == ():
        where = "ciphers" if "ciphers" in layer.document else "protocols"
        raise layer.error(f"$.{where}", f"{old[-1]} is allowed, but no cipher suite for it is")
    groups = values.get("groups")
    if values.get("require_post_quantum") and groups is not None and not any("MLKEM" in group for group in groups):
        where = "groups" if "groups" in layer.document else "require_post_quantum"
        raise layer.error(f"$.{where}", "a hybrid post-quantum group is required, but none is allowed")
    for name in ("tls13_ciphers", "groups", "certificate_key_types", "certificate_curves", "certificate_signatures"):
        if values.get(name) == ():
            raise layer.error(f"$.{name}", "nothing is left; null withdraws the field")


# Validating


def _validate(layer: _Layer) -> None:
    """Check a document of the user's against the schema.

    Raises:
        PolicyError: with all problems, in the order of the document's paths.
    """
    from jsonschema import Draft202012Validator  # slow to import, and bundled policies need none of it

    problems = [
        problem for error in Draft202012Validator(schema()).iter_errors(layer.document) for problem in _problems(error)
    ]
    if problems:
        raise PolicyError(layer.origin, sorted(set(problems), key=_natural_order))


def _problems(error: Any) -> Iterator[PolicyProblem]:
    """Say in a policy writer's words what a jsonschema ValidationError says."""
    path = _json_path(error.absolute_path)
    value = error.instance
    match error.validator:
        case "additionalProperties":
            known = tuple(error.schema["properties"])
            for key in value:
                if key not in known:
                    yield PolicyProblem(
                        _json_path((*error.absolute_path, key)), f"unknown key{_did_you_mean(key, known)}"
                    )
        case "anyOf":
            yield PolicyProblem(path, 'a policy needs "protocols", or "extends" with the policy to start from')
        case "required":
            missing = next(key for key in error.validator_value if key not in value)
            yield PolicyProblem(path, f"{missing!r} is missing")
        case "enum" if path == "$.citations":
            yield PolicyProblem(
                _json_path((*error.absolute_path, value)), f"no such field{_did_you_mean(value, error.validator_value)}"
            )
        case "enum":
            yield PolicyProblem(path, _unknown_value(value, error.validator_value))
        case "type":
            yield PolicyProblem(path, f"{_shown(value)} is not {_one_of(error.validator_value)}")
        case "uniqueItems":
            twice = next(item for index, item in enumerate(value) if item in value[:index])
            yield PolicyProblem(path, f"{_shown(twice)} is there twice")
        case "minItems" | "minLength" | "minProperties":
            yield PolicyProblem(path, "may not be empty")
        case "minimum" | "maximum":
            bound = "smallest" if error.validator == "minimum" else "largest"
            yield PolicyProblem(path, f"{_shown(value)} is out of range; the {bound} value is {error.validator_value}")
        case "maxLength":
            yield PolicyProblem(path, f"longer than {error.validator_value} characters")
        case "pattern":
            yield PolicyProblem(
                path,
                f"{_shown(value)} is not allowed here; expected: {error.schema.get('description', 'one line of text')}",
            )
        case _:
            yield PolicyProblem(path, str(error.message)[:200])


_OTHER_NAMES: Final = {
    "secp256r1": "prime256v1",
    "p-256": "prime256v1",
    "p-384": "secp384r1",
    "p-521": "secp521r1",
    "x25519": "X25519",
    "tlsv1.0": "TLSv1",
    "ec": "ecdsa",
}


def _unknown_value(value: object, known: Sequence[str]) -> str:
    if not isinstance(value, str):
        return f"{_shown(value)} is not a name"
    if (other := _OTHER_NAMES.get(value.lower())) in known:
        return f"unknown name {_shown(value)}; here it is called {other!r}"
    hint = _did_you_mean(value, known)
    if value.startswith("TLS_") and "AES128-SHA" in known:
        hint = "; suites for TLS 1.2 and below have OpenSSL's names here, TLS 1.3 suites belong in tls13_ciphers"
    elif not hint and len(known) < 12:
        hint = f"; there are: {', '.join(known)}"
    return f"unknown name {_shown(value)}{hint}"


def _did_you_mean(word: object, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only errors need it

    by_lower = {name.lower(): name for name in known}
    matches = get_close_matches(str(word)[:100].lower(), by_lower, n=1)
    return f"; did you mean {by_lower[matches[0]]!r}?" if matches else ""


def _one_of(types: str | list[str]) -> str:
    words = {
        "array": "a list",
        "object": "an object",
        "null": "null",
        "integer": "a whole number",
        "boolean": "true or false",
        "string": "a string",
    }
    return " or ".join(words[name] for name in ([types] if isinstance(types, str) else types))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _json_path(steps: Iterable[str | int]) -> str:
    path = "$"
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", step):
            path += f".{step}"
        else:
            path += f"[{_shown(step)}]"
    return path


def _natural_order(problem: PolicyProblem) -> tuple[list[tuple[int, int | str]], str]:
    parts = re.split(r"(\d+)", problem.path)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], problem.message
