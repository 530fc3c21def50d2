"""Write the Mozilla policies from Mozilla's guideline files.

``python tools/mozilla_policies.py GUIDELINES [POLICIES]`` reads ``5.0.json``, ``5.1.json``, … in the directory
GUIDELINES (as published at https://ssl-config.mozilla.org/guidelines/) and writes ``mozilla-LEVEL@VERSION.json`` into
POLICIES, by default the ``policies/`` of this checkout. Only facts are carried over, into the fields of
``policy.schema.json``.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

POLICIES = Path(__file__).resolve().parent.parent / "policies"

# IANA's name in the guidelines 5.0 to 5.2; OpenSSL's tools and the later guidelines say prime256v1.
OPENSSL_CURVE_NAMES = {"secp256r1": "prime256v1"}

# Our field, and where the guideline has it; the second spelling is the one of 5.0.
FIELDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("protocols", ("tls_versions",)),
    ("ciphers", ("ciphers.openssl", "openssl_ciphers")),
    ("tls13_ciphers", ("ciphersuites", "openssl_ciphersuites")),
    ("server_preferred_order", ("server_preferred_order",)),
    ("groups", ("tls_curves",)),
    ("minimum_ecdh_bits", ("ecdh_param_size",)),
    ("minimum_dh_bits", ("dh_param_size",)),
    ("certificate_key_types", ("certificate_types",)),
    ("certificate_curves", ("certificate_curves",)),
    ("certificate_signatures", ("certificate_signatures",)),
    ("minimum_rsa_bits", ("rsa_key_size",)),
    ("maximum_certificate_days", ("maximum_certificate_lifespan",)),
    ("recommended_certificate_days", ("recommended_certificate_lifespan",)),
    ("ocsp_staple", ("ocsp_staple",)),
    ("hsts_min_age", ("hsts_min_age",)),
    ("oldest_clients", ("oldest_clients",)),
)


def policies(guidelines: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each policy file that the guideline files in a directory make."""
    for path in sorted(guidelines.glob("[0-9]*.json")):
        guideline = json.loads(path.read_text(encoding="utf-8"))
        for level in guideline["configurations"]:
            document = policy(guideline, level)
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            yield f"{document['name']}@{document['version']}.json", text


def policy(guideline: dict[str, Any], level: str) -> dict[str, Any]:
    """One level of one guideline, such as "intermediate", as a policy document."""
    version = str(guideline["version"])
    configuration = guideline["configurations"][level]
    document: dict[str, Any] = {
        "$schema": "./policy.schema.json",
        "name": f"mozilla-{level}",
        "version": version,
        "title": f"Mozilla {level} {version}",
        "sources": [
            {
                "title": f"Mozilla/TLSRef guidelines {version}",
                "url": guideline["href"],
                "section": f"configurations.{level}",
            }
        ],
        "citations": {},
    }
    for field, places in FIELDS:
        for place in places:
            value = _look_up(configuration, place)
            if value is not None:
                document["citations"][field] = place
                document[field] = _with_openssl_names(value)
    return document


def _look_up(configuration: dict[str, Any], place: str) -> Any:
    value: Any = configuration
    for key in place.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _with_openssl_names(value: Any) -> Any:
    return [OPENSSL_CURVE_NAMES.get(item, item) for item in value] if isinstance(value, list) else value


def main(arguments: list[str]) -> int:
    """Write the files; the exit code is 2 when no guideline was found."""
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    target = Path(arguments[1]) if len(arguments) == 2 else POLICIES
    written = 0
    for name, text in policies(Path(arguments[0])):
        (target / name).write_text(text, encoding="utf-8")
        written += 1
    print(f"{written} policies written to {target}", file=sys.stderr)
    return 0 if written else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
