"""Make the list of the RSA keys that Debian's OpenSSL made from 2006 to 2008 (see README.md here).

    python tools/debian_keys/make.py make WORK 2048 le64-rnd le32-rnd …
    python tools/debian_keys/make.py pack WORK 2048

`make` compiles `debian_keys.c` and has it make all keys of some classes, 512 at a time into files in WORK, so that it
can be stopped and go on later. `pack` puts what there is into the package: of each class the keys of the first process
ids, as far as none is missing.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "linter" / "tlslint" / "pki" / "data"
PROCESS_IDS = 1 << 15
AT_ONCE = 512
CLASSES = tuple(f"{machine}-{file}" for machine in ("le64", "le32", "be32") for file in ("rnd", "noreadrnd", "nornd"))
FLAGS = ("-O2", "-fno-tree-loop-distribute-patterns", "-march=native", "-Wall", "-Wextra")
KEPT_BYTES = 6
_LINE = re.compile(r"(\d+) ([0-9a-f]{40})\n")


def compiled(work: Path) -> Path:
    """Return the generator, compiled for this machine."""
    program = work / "debian_keys"
    source = HERE / "debian_keys.c"
    subprocess.run(["gcc", *FLAGS, "-o", program, source, "-lgmp", "-lcrypto"], check=True)
    return program


def make(work: Path, bits: int, classes: Iterable[str]) -> None:
    """Make the keys that are not there yet."""
    work.mkdir(parents=True, exist_ok=True)
    program = compiled(work)
    for name in classes:
        for first in range(0, PROCESS_IDS, AT_ONCE):
            part = part_of(work, bits, name, first)
            if not part.exists():
                unfinished = part.with_suffix(".tmp")
                with unfinished.open("wb") as file:
                    last = first + AT_ONCE - 1
                    command = [str(program), str(bits), name, str(first), str(last)]
                    subprocess.run(command, stdout=file, check=True, preexec_fn=lambda: os.nice(19))
                unfinished.rename(part)


def part_of(work: Path, bits: int, name: str, first: int) -> Path:
    """Return the file for some process ids of one class."""
    return work / f"{bits}-{name}-{first}"


def fingerprints(work: Path, bits: int, name: str) -> Iterator[bytes]:
    """Yield the fingerprints of one class by process id, from the first one as far as none is missing."""
    for first in range(0, PROCESS_IDS, AT_ONCE):
        part = part_of(work, bits, name, first)
        if not part.exists():
            return
        found = {int(pid): digest for pid, digest in _LINE.findall(part.read_text(encoding="ascii"))}
        if sorted(found) != list(range(first, first + AT_ONCE)):
            raise ValueError(f"{part}: not one key for each process id")
        yield from (bytes.fromhex(found[pid])[-10:] for pid in sorted(found))


def pack(fingerprints: Iterable[bytes]) -> bytes:
    """Return the file that `tlslint.pki.known_keys.PackedKeys` reads."""
    kept = sorted({one[:KEPT_BYTES] for one in fingerprints})
    counts = bytearray(1 << 16)
    for one in kept:
        counts[one[0] << 8 | one[1]] += 1
    pages = (sum(counts[first << 8 : (first + 1) << 8]) for first in range(255))
    starts = accumulate(pages, initial=0)
    return b"".join([*(start.to_bytes(4) for start in starts), counts, *(one[2:] for one in kept)])


def main(arguments: list[str]) -> None:
    """Make or pack, as the arguments say."""
    what, work, bits, *classes = arguments
    if what == "make":
        make(Path(work), int(bits), classes or CLASSES)
        return
    members = {name: list(fingerprints(Path(work), int(bits), name)) for name in classes or CLASSES}
    for name, found in members.items():
        print(f"{name}: {len(found)} keys")
    packed = pack(one for found in members.values() for one in found)
    DATA.mkdir(exist_ok=True)
    (DATA / f"debian-rsa-{bits}.keys").write_bytes(packed)


if __name__ == "__main__":
    main(sys.argv[1:])
