"""The certificate workshop of the fixtures, read."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tlslint.pki.bundle import Bundle, read_bundle

SCRIPT = Path(__file__).parents[2] / "fixtures" / "certificates" / "workshop.py"
FOLDER = SCRIPT.parent / "workshop"


@dataclass(frozen=True)
class Case:
    """One case of the manifest."""

    name: str
    rules: frozenset[str]
    certificate: Path
    key: Path | None
    files: dict[str, Path]
    server_names: tuple[str, ...]
    settings: dict[str, str]
    now: datetime
    refusal: str
    """What nginx says that does not start with it."""
    apache_refusal: str
    """The same of Apache, which may find out at its start only; OpenSSL's reason is nginx's."""
    seen: str
    twin: str | None

    @property
    def bundle(self) -> Bundle:
        return read_bundle(self.certificate.read_bytes(), self.certificate.name)


@cache
def manifest() -> Any:
    return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


@cache
def cases() -> dict[str, Case]:
    """All cases by name."""
    found = {}
    for entry in manifest()["cases"]:
        found[entry["name"]] = Case(
            name=entry["name"],
            rules=frozenset(entry["rules"]),
            certificate=FOLDER / entry["certificate"],
            key=FOLDER / entry["key"] if entry["key"] else None,
            files={name: FOLDER / file for name, file in entry["files"].items()},
            server_names=tuple(entry["server_names"]),
            settings=entry["settings"],
            now=datetime.fromisoformat(entry["now"]),
            refusal=entry.get("refusal", ""),
            apache_refusal=entry.get("apache_refusal", ""),
            seen=entry.get("seen", ""),
            twin=entry.get("twin"),
        )
    return found


def anchors() -> Bundle:
    return read_bundle((FOLDER / manifest()["anchors"]).read_bytes(), "anchors.pem")
