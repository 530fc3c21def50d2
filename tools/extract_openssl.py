"""Ask the real OpenSSL libraries for their cipher suites and write ``linter/tlslint/tls/data/openssl-*.json``.

Run ``python tools/extract_openssl.py`` after ``python tools/openssl_oracles.py``. Nothing is taken from OpenSSL's
source: which suites and aliases a library has, what each alias selects and the order of the list are read off the
answers of ``SSL_CTX_set_cipher_list``. Two things cannot be asked and are stated here: the numbers and standard names
of suites (IANA's TLS cipher suite registry; the ones of Debian's library are asked and compared), and how aliases
combine with ``+``; each alias is compared with the library's own selection before the file is written.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import openssl_oracles as oracles

DATA: Path = oracles.ROOT / "linter" / "tlslint" / "tls" / "data"

#: Aliases that select by one value of one property: property, value, generations (empty: all).
SIMPLE: dict[str, tuple[str, str]] = {
    **{
        f"k{value}": ("kx", value)
        for value in ("RSA", "DHr", "DHd", "ECDHr", "PSK", "RSAPSK", "ECDHEPSK", "DHEPSK", "SRP")
    },
    "kDHE": ("kx", "DHE"),
    "kECDHE": ("kx", "ECDHE"),
    "aRSA": ("auth", "RSA"),
    "aDSS": ("auth", "DSS"),
    "aNULL": ("auth", "NULL"),
    "aECDSA": ("auth", "ECDSA"),
    "aPSK": ("auth", "PSK"),
    "aSRP": ("auth", "SRP"),
    "eNULL": ("enc", "NULL"),
    "3DES": ("enc", "3DES"),
    "RC4": ("enc", "RC4"),
    "RC2": ("enc", "RC2"),
    "IDEA": ("enc", "IDEA"),
    "SEED": ("enc", "SEED"),
    "CAMELLIA128": ("enc", "CAMELLIA128"),
    "CAMELLIA256": ("enc", "CAMELLIA256"),
    "CHACHA20": ("enc", "CHACHA20"),
    "ARIA128": ("enc", "ARIA128GCM"),
    "ARIA256": ("enc", "ARIA256GCM"),
    "MD5": ("mac", "MD5"),
    "SHA1": ("mac", "SHA1"),
    "SHA256": ("mac", "SHA256"),
    "SHA384": ("mac", "SHA384"),
    "LOW": ("strength", "LOW"),
    "MEDIUM": ("strength", "MEDIUM"),
    "HIGH": ("strength", "HIGH"),
}
SIMPLE_102: dict[str, tuple[str, str]] = {
    "kECDHe": ("kx", "ECDHe"),
    "aDH": ("auth", "DH"),
    "aECDH": ("auth", "ECDH"),
    "DES": ("enc", "DES"),
    "EXPORT40": ("strength", "EXP40"),
    "EXPORT56": ("strength", "EXP56"),
}
#: What DEFAULT stands for; the tests compare it with every library.
MODERN_DEFAULT = "ALL:!COMPLEMENTOFDEFAULT:!eNULL"
#: Not every binding can be asked; the tests compare it with the ClientHello.
DEFAULT_LEVEL = {"nassl-legacy": 0, "nassl-modern": 1, "system": 2, "cryptography-46": 2, "cryptography": 2}
CBC = ["DES", "3DES", "RC2", "IDEA", "AES128", "AES256", "CAMELLIA128", "CAMELLIA256", "SEED"]

Masks = dict[str, list[str]]


ANONYMOUS = {"auth": ["NULL"]}


def aliases_of(generation: str) -> dict[str, Masks]:
    """Every alias that OpenSSL's cipher language could have in ``generation``; the library decides which it has."""
    old = generation == "1.0.2"
    table = _common_aliases(old) | (_aliases_of_1_0_2() if old else _aliases_since_1_1())
    if generation == "4.0":
        table |= {
            "kECDHe": {"kx": ["ECDHE"]},
            "aDH": {"kx": ["DHE"], **ANONYMOUS},
            "aECDH": {"kx": ["ECDHE"], **ANONYMOUS},
        }
    return table


def _common_aliases(old: bool) -> dict[str, Masks]:
    """The aliases of all generations; some meant more suites before 1.1.0 (`old`)."""
    table: dict[str, Masks] = {name: {prop: [value]} for name, (prop, value) in SIMPLE.items()}
    named = {"auth": ["!NULL"]}
    ecdh = ["ECDHr", "ECDHe", "ECDHE"] if old else ["ECDHE"]
    aes128 = ["AES128", "AES128GCM", "AES128CCM", "AES128CCM8"]
    aes256 = ["AES256", "AES256GCM", "AES256CCM", "AES256CCM8"]
    table |= {
        "ALL": {"enc": ["!NULL"]},
        "COMPLEMENTOFALL": {"enc": ["NULL"]},
        "NULL": {"enc": ["NULL"]},
        "kEDH": {"kx": ["DHE"]},
        "kEECDH": {"kx": ["ECDHE"]},
        "DH": {"kx": ["DHr", "DHd", "DHE"] if old else ["DHE"]},
        "ECDH": {"kx": ecdh},
        "DSS": {"auth": ["DSS"]},
        "ECDSA": {"auth": ["ECDSA"]},
        "EDH": {"kx": ["DHE"], **named},
        "DHE": {"kx": ["DHE"], **named},
        "EECDH": {"kx": ["ECDHE"], **named},
        "ECDHE": {"kx": ["ECDHE"], **named},
        "RSA": {"kx": ["RSA"], "auth": ["RSA"]},
        "ADH": {"kx": ["DHE"], **ANONYMOUS},
        "AECDH": {"kx": ["ECDHE"], **ANONYMOUS},
        "PSK": {"kx": ["PSK"], "auth": ["PSK"]} if old else {"kx": ["PSK", "RSAPSK", "ECDHEPSK", "DHEPSK"]},
        "SRP": {"kx": ["SRP"]},
        "AES128": {"enc": aes128},
        "AES256": {"enc": aes256},
        "AES": {"enc": aes128 + aes256},
        "AESGCM": {"enc": ["AES128GCM", "AES256GCM"]},
        "AESCCM": {"enc": ["AES128CCM", "AES256CCM", "AES128CCM8", "AES256CCM8"]},
        "AESCCM8": {"enc": ["AES128CCM8", "AES256CCM8"]},
        "CAMELLIA": {"enc": ["CAMELLIA128", "CAMELLIA256"]},
        "ARIA": {"enc": ["ARIA128GCM", "ARIA256GCM"]},
        "ARIAGCM": {"enc": ["ARIA128GCM", "ARIA256GCM"]},
        "CBC": {"enc": CBC},
        "SHA": {"mac": ["SHA1"]},
        "FIPS": {"enc": ["!NULL"], "strength": ["FIPS"]},
        "TLSv1.2": {"protocol": ["TLSv1.2"]},
    }
    return table


def _aliases_of_1_0_2() -> dict[str, Masks]:
    table: dict[str, Masks] = {name: {prop: [value]} for name, (prop, value) in SIMPLE_102.items()}
    table |= {
        "COMPLEMENTOFDEFAULT": {
            "auth": ["NULL"],
            "enc": ["!NULL"],
            "protocol": ["!SSLv2"],
            "flag": ["EXPORT", "NOT_EXP"],
        },
        "kDH": {"kx": ["DHr", "DHd"]},
        "kECDH": {"kx": ["ECDHr", "ECDHe"]},
        "EXP": {"flag": ["EXPORT"]},
        "EXPORT": {"flag": ["EXPORT"]},
        "SSLv2": {"protocol": ["SSLv2"]},
        "SSLv3": {"protocol": ["SSLv3"]},
        "TLSv1": {"protocol": ["SSLv3"]},
    }
    for auth in ("DSS", "RSA"):
        base: Masks = {"kx": ["DHE"], "auth": [auth], "mac": ["SHA1"], "protocol": ["SSLv3"]}
        weak = {"enc": ["DES"], "flag": ["EXPORT"], "strength": ["EXP40"]}
        table[f"EXP-DHE-{auth}-DES-CBC-SHA"] = {**base, **weak}
        table[f"DHE-{auth}-DES-CBC-SHA"] = {**base, "enc": ["DES"], "flag": ["NOT_EXP"], "strength": ["LOW"]}
        strong = {"enc": ["3DES"], "flag": ["NOT_EXP"], "strength": ["HIGH", "FIPS"]}
        table[f"DHE-{auth}-DES-CBC3-SHA"] = {**base, **strong}
    return table


def _aliases_since_1_1() -> dict[str, Masks]:
    table: dict[str, Masks] = {
        "COMPLEMENTOFDEFAULT": {"flag": ["NOT_DEFAULT"]},
        "SSLv3": {"protocol": ["SSLv3"]},
        "TLSv1": {"protocol": ["TLSv1"]},
        "TLSv1.0": {"protocol": ["TLSv1"]},
    }
    for auth in ("DSS", "RSA"):
        table[f"EDH-{auth}-DES-CBC3-SHA"] = {
            "kx": ["DHE"],
            "auth": [auth],
            "enc": ["3DES"],
            "mac": ["SHA1"],
            "strength": ["HIGH", "FIPS"],
        }
    return table


# -- IANA's registry, for suites that Debian's library does not have ---------------------------------------------------

NUMBERS = {
    "SSLv2": {
        "RC4-MD5": 0x010080,
        "EXP-RC4-MD5": 0x020080,
        "RC2-CBC-MD5": 0x030080,
        "EXP-RC2-CBC-MD5": 0x040080,
        "IDEA-CBC-MD5": 0x050080,
        "DES-CBC-MD5": 0x060040,
        "DES-CBC3-MD5": 0x0700C0,
    },
    "": {
        "SRP-3DES-EDE-CBC-SHA": 0xC01A,
        "SRP-RSA-3DES-EDE-CBC-SHA": 0xC01B,
        "SRP-DSS-3DES-EDE-CBC-SHA": 0xC01C,
        "PSK-RC4-SHA": 0x008A,
        "PSK-3DES-EDE-CBC-SHA": 0x008B,
        "DHE-PSK-RC4-SHA": 0x008E,
        "DHE-PSK-3DES-EDE-CBC-SHA": 0x008F,
        "RSA-PSK-RC4-SHA": 0x0092,
        "RSA-PSK-3DES-EDE-CBC-SHA": 0x0093,
        "ECDHE-PSK-RC4-SHA": 0xC033,
        "ECDHE-PSK-3DES-EDE-CBC-SHA": 0xC034,
    },
}
SSLV2_NAMES = {
    "RC4-MD5": "SSL_CK_RC4_128_WITH_MD5",
    "EXP-RC4-MD5": "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
    "RC2-CBC-MD5": "SSL_CK_RC2_128_CBC_WITH_MD5",
    "EXP-RC2-CBC-MD5": "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5",
    "IDEA-CBC-MD5": "SSL_CK_IDEA_128_CBC_WITH_MD5",
    "DES-CBC-MD5": "SSL_CK_DES_64_CBC_WITH_MD5",
    "DES-CBC3-MD5": "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
}
TLS13 = {
    "TLS_AES_128_GCM_SHA256": (0x1301, "AES128GCM", 128),
    "TLS_AES_256_GCM_SHA384": (0x1302, "AES256GCM", 256),
    "TLS_CHACHA20_POLY1305_SHA256": (0x1303, "CHACHA20", 256),
    "TLS_AES_128_CCM_SHA256": (0x1304, "AES128CCM", 128),
    "TLS_AES_128_CCM_8_SHA256": (0x1305, "AES128CCM8", 64),
    "TLS_SHA256_SHA256": (0xC0B4, "NULL", 0),
    "TLS_SHA384_SHA384": (0xC0B5, "NULL", 0),
}
_EXCHANGE = {
    ("RSA", "RSA"): "RSA",
    ("DHr", "DH"): "DH_RSA",
    ("DHd", "DH"): "DH_DSS",
    ("DHE", "RSA"): "DHE_RSA",
    ("DHE", "DSS"): "DHE_DSS",
    ("DHE", "NULL"): "DH_anon",
    ("ECDHr", "ECDH"): "ECDH_RSA",
    ("ECDHe", "ECDH"): "ECDH_ECDSA",
    ("ECDHE", "RSA"): "ECDHE_RSA",
    ("ECDHE", "ECDSA"): "ECDHE_ECDSA",
    ("ECDHE", "NULL"): "ECDH_anon",
    ("PSK", "PSK"): "PSK",
    ("RSAPSK", "RSA"): "RSA_PSK",
    ("DHEPSK", "PSK"): "DHE_PSK",
    ("ECDHEPSK", "PSK"): "ECDHE_PSK",
    ("SRP", "SRP"): "SRP_SHA",
    ("SRP", "RSA"): "SRP_SHA_RSA",
    ("SRP", "DSS"): "SRP_SHA_DSS",
}
_CIPHER = {
    "NULL": "NULL",
    "DES": "DES_CBC",
    "3DES": "3DES_EDE_CBC",
    "RC4": "RC4_128",
    "RC2": "RC2_CBC",
    "IDEA": "IDEA_CBC",
    "SEED": "SEED_CBC",
    "AES128": "AES_128_CBC",
    "AES256": "AES_256_CBC",
    "AES128GCM": "AES_128_GCM",
    "AES256GCM": "AES_256_GCM",
    "AES128CCM": "AES_128_CCM",
    "AES256CCM": "AES_256_CCM",
    "AES128CCM8": "AES_128_CCM_8",
    "AES256CCM8": "AES_256_CCM_8",
    "CAMELLIA128": "CAMELLIA_128_CBC",
    "CAMELLIA256": "CAMELLIA_256_CBC",
    "CHACHA20": "CHACHA20_POLY1305",
    "ARIA128GCM": "ARIA_128_GCM",
    "ARIA256GCM": "ARIA_256_GCM",
}
_EXPORT = {"RC4": "RC4_40", "RC2": "RC2_CBC_40", "DES": "DES40_CBC"}


def standard_name(suite: dict[str, Any]) -> str:
    """The name in IANA's registry, spelled from the suite's parts."""
    if suite["protocol"] == "SSLv2":
        return SSLV2_NAMES[suite["name"]]
    exchange = _EXCHANGE[suite["kx"], suite["auth"]]
    cipher, mac = _CIPHER[suite["enc"]], suite["mac"].replace("SHA1", "SHA")
    if suite["strength"] == "EXP40":
        exchange, cipher = f"{exchange}_EXPORT", _EXPORT[suite["enc"]]
    if mac == "AEAD":
        mac = "" if "CCM" in suite["enc"] else "SHA384" if "256GCM" in suite["enc"] else "SHA256"
    name = f"TLS_{exchange}_WITH_{cipher}_{mac}".rstrip("_")
    # The registry turned these two around.
    return name.replace("TLS_DHE_PSK", "TLS_PSK_DHE") if "DHE_PSK_WITH_AES" in name and name.endswith("CCM_8") else name


def bits_of(suite: dict[str, Any]) -> int:
    """Strength in bits as OpenSSL before 3.2 counts it."""
    if suite["strength"] in ("EXP40", "EXP56"):
        return int(suite["strength"][3:])
    known = {"NULL": 0, "DES": 56, "3DES": 112}
    return known.get(suite["enc"], 256 if "256" in suite["enc"] or suite["enc"] == "CHACHA20" else 128)


# -- asking ------------------------------------------------------------------------------------------------------------

Key = tuple[str, bool]  # name, and whether it is SSLv2's of that name


class Library:
    """One library that can be asked."""

    def __init__(self, name: str) -> None:
        self.name, self.generation = name, oracles.GENERATIONS[name]
        self.version = oracles.ask(name, [["version", None]])[0]["version"]
        possible = aliases_of(self.generation)
        # A known name followed by a character that no name has is an invalid command; an unknown one is skipped whole.
        probes = oracles.ask(name, [["ciphers", f"{alias}*:ALL"] for alias in possible])
        self.aliases = {
            alias: masks for (alias, masks), probe in zip(possible.items(), probes, strict=True) if probe["error"]
        }
        self.members = self._members()

    def lists(self, strings: Iterable[str]) -> list[list[str]]:
        """What each string selects, without TLS 1.3's suites."""
        answers = oracles.ask(self.name, [["ciphers", string] for string in strings])
        return [[name for name in answer["ciphers"] if not name.startswith("TLS_")] for answer in answers]

    def _members(self) -> dict[str, list[Key]]:
        """What each alias selects, in order. 1.0.2 has suites of the same name in SSLv2 and SSLv3; SSLv3's come
        first."""
        old = "SSLv2" in self.aliases
        names = self.lists(self.aliases)
        sslv2 = self.lists(f"{alias}+SSLv2" for alias in self.aliases) if old else [[] for _ in names]
        if old:
            # The one alias whose intersection with SSLv2 says nothing: it has all of SSLv2 in it.
            sslv2[list(self.aliases).index("COMPLEMENTOFDEFAULT")] = names[list(self.aliases).index("SSLv2")]
        members = {}
        for alias, selected, from_sslv2 in zip(self.aliases, names, sslv2, strict=True):
            keys, seen = [], set()
            for name in selected:
                twin = name in seen or (name in from_sslv2 and selected.count(name) == 1)
                keys.append((name, twin))
                seen.add(name)
            members[alias] = keys
        return members

    def order(self) -> list[Key]:
        """The order of all suites before a string is applied. Suites that no alias selects together have no order to
        keep."""
        graph: dict[Key, set[Key]] = {}
        for keys in self.members.values():
            for key in keys:
                graph.setdefault(key, set())
            for before, after in pairwise(keys):
                graph[after].add(before)
        sorter = TopologicalSorter(graph)
        sorter.prepare()
        position = {key: i for i, key in enumerate(self.members["ALL"] + self.members["COMPLEMENTOFALL"])}
        ready: list[Key] = []
        order = []
        while sorter.is_active():
            ready += sorter.get_ready()
            ready.sort(key=position.__getitem__)
            key = ready.pop(0)
            sorter.done(key)
            order.append(key)
        return order

    def _one(self, key: Key, choices: Sequence[tuple[str, str]], otherwise: str) -> str:
        return next((value for alias, value in choices if key in self.members.get(alias, ())), otherwise)

    def suite(self, key: Key) -> dict[str, Any]:
        """The parts of a suite, from the aliases that select it."""
        simple = SIMPLE | SIMPLE_102 if self.generation == "1.0.2" else SIMPLE

        def choices(prop: str) -> list[tuple[str, str]]:
            return [(alias, value) for alias, (p, value) in simple.items() if p == prop]

        size = self._one(key, [("AES128", "128"), ("AES256", "256")], "")
        aes = self._one(key, [("AESCCM8", "CCM8"), ("AESCCM", "CCM"), ("AESGCM", "GCM")], "")
        protocols = [("SSLv2", "SSLv2"), ("TLSv1.2", "TLSv1.2"), ("SSLv3", "SSLv3"), ("TLSv1", "TLSv1")]
        suite: dict[str, Any] = {
            "name": key[0],
            "kx": self._one(key, choices("kx"), "?"),
            "auth": self._one(key, choices("auth"), "?"),
            "enc": self._one(key, choices("enc"), f"AES{size}{aes}"),
            "mac": self._one(key, choices("mac"), "AEAD"),
            "protocol": self._one(key, protocols, "SSLv3"),
            "strength": self._one(key, choices("strength"), "NONE"),
        }
        flags = [("FIPS", "FIPS")]
        if self.generation == "1.0.2":
            suite["flags"] = ["EXPORT" if key in self.members["EXPORT"] else "NOT_EXP"]
        else:
            suite["flags"] = []
            flags.append(("COMPLEMENTOFDEFAULT", "NOT_DEFAULT"))
        suite["flags"] += [flag for alias, flag in flags if key in self.members.get(alias, ())]
        return suite


def number_of(library: Library, suite: dict[str, Any], debian: dict[str, tuple[int, str]]) -> int:
    """The suite's number: Debian's table, a ClientHello that offers it alone, or the registry."""
    name = str(suite["name"])
    if suite["protocol"] == "SSLv2":
        return NUMBERS["SSLv2"][name]
    if name in debian:
        return debian[name][0]
    if name in NUMBERS[""]:
        return NUMBERS[""][name]
    string = name if library.generation == "1.0.2" else f"{name}:@SECLEVEL=0"
    if library.generation == "1.0.2" and name in NUMBERS["SSLv2"]:
        string += ":!SSLv2"
    offered = oracles.ask(library.name, [["hello", string]])[0]["suites"]
    numbers = [number for number in offered if number < 0x1300 or number > 0x13FF]
    return int(next(number for number in numbers if number != 0x00FF))


def debian_table() -> dict[str, tuple[int, str]]:
    """Number and standard name of each suite, from the ``openssl`` command."""
    command = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in text.splitlines())
    return {row[4]: (int(row[0][2:4] + row[0][-2:], 16), row[2]) for row in rows}


def tls13_row(name: str, generation: str) -> tuple[int, str, int]:
    """Number, cipher and strength; the short tag of CCM8 counts since 3.2 (asked of nginx on 3.0.19 and 3.3.7)."""
    number, cipher, bits = TLS13[name]
    return number, cipher, 128 if cipher == "AES128CCM8" and generation in ("1.1.1", "3.0") else bits


def tls13_names(library: Library) -> tuple[list[str], list[str]]:
    """The default TLS 1.3 suites in order, and all that the library knows."""
    if library.generation == "1.0.2":
        return [], []
    default = oracles.ask(library.name, [["ciphers", "AES128-SHA"]])[0]["ciphers"]
    known = oracles.ask(library.name, [["ciphersuites", name] for name in TLS13])
    return [name for name in default if name.startswith("TLS_")], [
        name for name, answer in zip(TLS13, known, strict=True) if name in answer["ciphers"]
    ]


def selects(masks: Masks, suite: dict[str, Any]) -> bool:
    """Whether an alias with ``masks`` selects ``suite``."""
    values = {**suite, "strength": [suite["strength"], *suite["flags"]], "flag": suite["flags"]}
    for prop, wanted in masks.items():
        have = values[prop] if isinstance(values[prop], list) else [values[prop]]
        if wanted[0].startswith("!"):
            if f"!{have[0]}" in wanted:
                return False
        elif not set(wanted) & set(have):
            return False
    return True


def extract(library: Library) -> dict[str, Any]:
    """Everything that the data file of ``library`` holds."""
    debian = debian_table()
    suites = []
    for key in library.order():
        suite = library.suite(key)
        suite["id"] = number_of(library, suite, debian)
        suite["standard_name"] = standard_name(suite)
        if (
            suite["name"] in debian
            and suite["protocol"] != "SSLv2"
            and debian[suite["name"]][1] != suite["standard_name"]
        ):
            raise SystemExit(
                f"{suite['name']}: {suite['standard_name']} is {debian[suite['name']][1]} in Debian's library"
            )
        suite["bits"] = bits_of(suite)
        suites.append(suite)
    if library.name.startswith("cryptography"):
        asked = oracles.ask(library.name, [["bits", [suite["id"] for suite in suites]]])[0]["bits"]
        for suite in suites:
            suite["bits"] = asked[suite["name"]][1]
            suite["protocol"] = asked[suite["name"]][2].replace("TLSv1.0", "TLSv1")
    for alias, masks in library.aliases.items():
        # 1.0.2's COMPLEMENTOFDEFAULT is a special case of its own in the engine.
        if library.generation == "1.0.2" and alias == "COMPLEMENTOFDEFAULT":
            continue
        expected = {(suite["name"], suite["protocol"] == "SSLv2") for suite in suites if selects(masks, suite)}
        if expected != set(library.members[alias]):
            raise SystemExit(
                f"{library.name}: {alias} selects {sorted(expected ^ set(library.members[alias]))} otherwise"
            )
    default, known = tls13_names(library)
    return {
        "source": f"asked of {library.version} ({library.name}) by tools/extract_openssl.py; "
        "numbers and standard names: IANA",
        "generation": library.generation,
        "default_string": "ALL:!EXPORT:!aNULL:!eNULL:!SSLv2" if library.generation == "1.0.2" else MODERN_DEFAULT,
        "security_level": DEFAULT_LEVEL[library.name],
        "standard_names": bool(library.lists(["TLS_RSA_WITH_AES_128_CBC_SHA"])[0]),
        "tls13_default": default,
        "tls13": [[name, *tls13_row(name, library.generation)] for name in known],
        "aliases": library.aliases,
        "suites": [
            [
                *(
                    suite[key]
                    for key in ("name", "standard_name", "id", "kx", "auth", "enc", "mac", "protocol", "bits")
                ),
                suite["strength"],
                *suite["flags"],
            ]
            for suite in suites
        ],
    }


def write(data: dict[str, Any]) -> Path:
    """Write the data file, one suite or alias a line, so that a change is readable."""
    path = DATA / f"openssl-{data['generation']}.json"
    lines = []
    for key, value in data.items():
        if key in ("suites", "tls13"):
            rows = ",\n    ".join(json.dumps(row) for row in value)
            lines.append(f'  "{key}": [\n    {rows}\n  ]' if rows else f'  "{key}": []')
        elif key == "aliases":
            rows = ",\n    ".join(f"{json.dumps(name)}: {json.dumps(masks)}" for name, masks in value.items())
            lines.append(f'  "{key}": {{\n    {rows}\n  }}')
        else:
            lines.append(f'  "{key}": {json.dumps(value)}')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return path


def main() -> None:
    """Write the data file of every library."""
    for name in oracles.GENERATIONS:
        data = extract(Library(name))
        print(f"{write(data).relative_to(oracles.ROOT)}: {len(data['suites'])} suites, {len(data['aliases'])} aliases")


if __name__ == "__main__":
    main()
