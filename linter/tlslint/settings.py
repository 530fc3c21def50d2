"""What the user settles in `tlslint.toml`, or in `[tool.tlslint]` of `pyproject.toml`.

The nearest such file counts, from a starting directory upwards to the root of the version control checkout. Paths in
it are relative to it. What the command line gives goes before (`overridden`).

A new key is a line in `_DEPLOYMENT_KEYS` or `_RUN_KEYS`, a field of `Settings`, and an entry in
`data/settings.schema.json`, from which editors and `docs/settings.md` know it.
"""

import os
import posixpath
import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final, Self

from tlslint.record import dataclass, field, replace

SETTINGS_FILE: Final = "tlslint.toml"
_PROJECT_FILE: Final = "pyproject.toml"
_CHECKOUT_MARKS: Final = (".git", ".hg", ".svn", ".bzr", "_darcs")

DEPLOYMENT: Final = "deployment"
"""The key of the array of tables with one deployment each."""
SERVERS: Final = ("auto", "nginx", "apache")
TRUST_WORDS: Final = ("system", "none")
"""What `trust-store` may name besides files."""
SEVERITIES: Final = ("error", "warning", "info")


class SettingsError(Exception):
    """Settings that cannot be used; the message starts with the file and, where it can be told, the line."""


@dataclass(frozen=True, slots=True)
class DeploymentSettings:
    """One `[[deployment]]` of several in a repository: its name, where it is, what differs from the other settings."""

    name: str
    paths: tuple[str, ...]
    """Files and directories that are linted for it; empty where `root` or `path_map` say where it is."""
    changes: Mapping[str, Any]
    """Fields of `Settings` that it has values of its own for."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was settled, or the defaults. All paths are absolute or relative to the current directory."""

    policy: str = "mozilla-intermediate"
    """Name of a policy, or path of a policy file (which has a slash or ends in `.json`)."""
    target: str | None = None
    """The versions to predict for, as after `--target`; None is the current stable release."""
    root: str | None = None
    """Directory that stands for the server's `/`."""
    path_map: Mapping[str, str] = field(default_factory=dict)
    """Directories here for paths on the server: `{"/etc/nginx": "deploy/nginx"}`."""
    paths: tuple[str, ...] = ()
    """Files and directories that are linted where the command line names none."""
    server: str = "auto"
    """`auto`, `nginx` or `apache`: how files are read."""
    apache_defines: tuple[str, ...] = ()
    """What httpd is started with after `-D`: the flags that `<IfDefine>` finds."""
    apache_environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the environment in which httpd is started, for `${NAME}`; they go before those of `envvars`."""
    exclude: tuple[str, ...] = ()
    """Patterns of files that are not looked for, relative to `base`: `*`, `?`, `**`; without a slash, of names."""
    select: tuple[str, ...] = ("ALL",)
    """Codes, prefixes or names of the rules that run."""
    ignore: tuple[str, ...] = ()
    """Codes, prefixes or names of rules that do not."""
    fail_on: str = "warning"
    """Lowest severity that makes the exit code 1."""
    severity: Mapping[str, str] = field(default_factory=dict)
    """Severities by code or name of a rule, instead of its own."""
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Codes, prefixes or names of rules by pattern of the files in which their findings are not reported."""
    fixable: tuple[str, ...] = ("ALL",)
    """Codes, prefixes or names of the rules whose fixes may be made."""
    unfixable: tuple[str, ...] = ()
    """The same for rules whose fixes may not."""
    extend_safe_fixes: tuple[str, ...] = ()
    """The same for rules whose unsafe fixes count as safe."""
    extend_unsafe_fixes: tuple[str, ...] = ()
    """The same for rules whose safe fixes count as unsafe."""
    deployments: tuple[DeploymentSettings, ...] = ()
    """The deployments of the repository, where there are several."""
    hook: bool = False
    """Whether paths are files that changed: all that has to do with them is read, what concerns them is reported."""
    unlimited: bool = False
    """Whether all is reported that a hook's run finds, for the proof of fixes."""
    stdin_filename: str = "<stdin>"
    """The file that standard input stands for (command line only)."""
    now: str | None = None
    """The moment for which dates are judged, in ISO form; None is the clock's (command line only)."""
    trust_store: tuple[str, ...] = ("system",)
    """Whose roots clients trust: PEM files, `system` for those of this machine, `none` for not knowing."""
    weak_key_lists: tuple[str, ...] = ()
    """Files and directories that list RSA keys whose private half is known, as Debian's `openssl-blacklist` does."""
    require_certificates: bool = False
    """Whether a certificate or key that is not here is an error, instead of something that could not be checked."""
    expiry_warning_days: int = 30
    """With fewer days left a certificate is a warning; never more than a third of its lifetime."""
    expiry_error_days: int = 7
    """With fewer days left it is an error."""
    baseline: str | None = None
    """File with the findings that are known and accepted."""
    unsuppressable: tuple[str, ...] = ()
    """Codes, prefixes or names of rules whose findings neither a comment nor a baseline may hide."""
    changed_since: str | None = None
    """A git revision: only what it did not have is reported (command line only)."""
    write_baseline: bool = False
    """Whether to put all findings that there are now into the baseline (command line only)."""
    no_ignores: bool = False
    """Whether to report what comments and the baseline hide (command line only)."""
    show_ignored: bool = False
    """Whether to show, marked as such, what they hide (command line only)."""
    jobs: int | None = None
    """How many processes may work at the same time; None is as many as there are processors, for large trees."""
    file: str | None = None
    """Where these settings were read; None for the defaults."""
    base: str = "."
    """The directory of that file, or the current one."""

    def overridden(self, given: Mapping[str, Any]) -> Self:
        """Return these settings with what the command line gives, which goes before every deployment's own values.

        A path map and defines for Apache are added to those that are there.
        """
        deployments = tuple(
            DeploymentSettings(part.name, part.paths, {**part.changes, **_given(given, part.changes, part.changes)})
            for part in self.deployments
        )
        own = {name: getattr(self, name) for name in given}
        return replace(self, **_given(given, own, given), deployments=deployments)


def _given(given: Mapping[str, Any], own: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    """Return what is given of some fields; what can only be added to comes with what it had before."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in names:
            found[name] = value
            if name == "path_map":
                found[name] = {**own[name], **value}
            elif name == "apache_defines":
                found[name] = (*own[name], *value)
    return found


def find_settings(start: str = ".") -> str | None:
    """Return the path of the settings file that counts for a directory, or None."""
    folder = os.path.abspath(start)
    while True:
        path = os.path.join(folder, SETTINGS_FILE)
        if os.path.isfile(path):
            return path
        path = os.path.join(folder, _PROJECT_FILE)
        if os.path.isfile(path) and _has_table(path):
            return path
        parent = os.path.dirname(folder)
        if parent == folder or any(os.path.exists(os.path.join(folder, mark)) for mark in _CHECKOUT_MARKS):
            return None
        folder = parent


def load_settings(start: str = ".", file: str | None = None) -> Settings:
    """Return the settings of `file`, or else those that count for the directory `start`, or the defaults.

    Raises `SettingsError`.
    """
    path = find_settings(start) if file is None else file
    if path is None:
        return Settings()
    text = _read(path)
    return _settings(_table(path, text), path, text)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise SettingsError(f"{_shown(path)}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{_shown(path)}: not UTF-8, which TOML has to be") from error


def _parse(path: str, text: str) -> dict[str, Any]:
    # only here, because most runs have no settings file
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
        where = f":{place[1]}:{place[2]}" if place and place[1] else ""
        if where and place:
            message = message[: place.start()]
        raise SettingsError(f"{_shown(path)}{where}: {message}") from error


def _is_project_file(path: str) -> bool:
    return os.path.basename(path) == _PROJECT_FILE


def _has_table(path: str) -> bool:
    try:
        text = _read(path)
    except SettingsError:
        return False
    if "tlslint" not in text:
        return False
    try:
        return isinstance(_parse(path, text).get("tool", {}).get("tlslint"), dict)
    except SettingsError:
        # a broken project file is for others to report, unless it is ours as well
        return "[tool.tlslint]" in text


def _table(path: str, text: str) -> dict[str, Any]:
    values = _parse(path, text)
    if _is_project_file(path):
        values = values.get("tool", {}).get("tlslint", {})
    return values


class _Key(tuple[str | int, ...]):
    """Where a value stands in a settings file: `("severity", "weak-protocol")`; written as its last name."""

    __slots__ = ()

    def __str__(self) -> str:
        return next(str(step) for step in reversed(self) if isinstance(step, str))

    def below(self, step: str | int) -> "_Key":
        """Return the place of a member of this table or array."""
        return _Key((*self, step))


class _Reader:
    """Turns values of a settings file into fields, and says where a wrong one stands."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.base = os.path.dirname(path)

    def error(self, key: _Key, message: str) -> SettingsError:
        # only here, because most settings are right
        from tlslint.toml_places import places

        offset = places(self.text)[(*_inside(self.path), *key)]
        return SettingsError(f"{_located(self.path, self.text, offset)}{message}")

    def unknown(self, key: _Key, known: Sequence[str]) -> SettingsError:
        return self.error(key, f'unknown key "{key}"{_did_you_mean(str(key), known)}')

    def string(self, key: _Key, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(key, f'"{key}" must be a string, not {_kind(value)}')
        return value

    def strings(self, key: _Key, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.error(key, f'"{key}" must be an array of strings')
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise self.error(key.below(index), f'"{key}" must be an array of strings')
        return tuple(value)

    def table(self, key: _Key, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(key, f'"{key}" must be a table, not {_kind(value)}')
        return value

    def string_table(self, key: _Key, value: object) -> dict[str, str]:
        return {name: self.string(key.below(name), item) for name, item in self.table(key, value).items()}

    def lists(self, key: _Key, value: object) -> dict[str, tuple[str, ...]]:
        return {name: self.strings(key.below(name), item) for name, item in self.table(key, value).items()}

    def flag(self, key: _Key, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.error(key, f'"{key}" must be true or false, not {_kind(value)}')
        return value

    def days(self, key: _Key, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.error(key, f'"{key}" must be a number of days')
        return value

    def jobs(self, key: _Key, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.error(key, f'"{key}" must be a number of processes, at least 1')
        return value

    def trust_store(self, key: _Key, value: object) -> tuple[str, ...]:
        names = (value,) if isinstance(value, str) else self.strings(key, value)
        return tuple(name if name in TRUST_WORDS else os.path.join(self.base, name) for name in names)

    def choice(self, key: _Key, value: object, choices: Sequence[str]) -> str:
        text = self.string(key, value)
        if text not in choices:
            raise self.error(key, f'"{key}" must be {_listed(choices)}, not "{text}"{_did_you_mean(text, choices)}')
        return text

    def server(self, key: _Key, value: object) -> str:
        return self.choice(key, value, SERVERS)

    def level(self, key: _Key, value: object) -> str:
        return self.choice(key, value, SEVERITIES)

    def levels(self, key: _Key, value: object) -> dict[str, str]:
        return {name: self.level(key.below(name), level) for name, level in self.table(key, value).items()}

    def host_path(self, key: _Key, value: object) -> str:
        return os.path.join(self.base, self.string(key, value))

    def host_paths(self, key: _Key, value: object) -> tuple[str, ...]:
        return tuple(os.path.join(self.base, path) for path in self.strings(key, value))

    def path_map(self, key: _Key, value: object) -> dict[str, str]:
        mapped = self.string_table(key, value)
        for server in mapped:
            if not posixpath.isabs(server):
                raise self.error(key.below(server), f'"{server}" in "{key}" must be an absolute path on the server')
        return {server: os.path.join(self.base, host) for server, host in mapped.items()}

    def policy(self, key: _Key, value: object) -> str:
        name = self.string(key, value)
        return os.path.join(self.base, name) if "/" in name or name.endswith(".json") else name

    def deployments(self, key: _Key, value: object) -> tuple[DeploymentSettings, ...]:
        if not isinstance(value, list):
            raise self.error(key, f'"{key}" must be an array of tables, as in [[{key}]]')
        found: list[DeploymentSettings] = []
        for index, item in enumerate(value):
            one = self.deployment(key.below(index), item)
            if any(other.name == one.name for other in found):
                raise self.error(key.below(index).below("name"), f'two deployments are called "{one.name}"')
            found.append(one)
        return tuple(found)

    def deployment(self, key: _Key, value: object) -> DeploymentSettings:
        fields: dict[str, Any] = {"paths": (), "name": ""}
        for name, item in self.table(key, value).items():
            at = key.below(name)
            read = _Reader.string if name == "name" else _DEPLOYMENT_KEYS.get(name)
            if read is None and name in _RUN_KEYS:
                raise self.error(at, f'"{name}" counts for all deployments: it belongs at the top of the file')
            if read is None:
                raise self.unknown(at, ("name", *_DEPLOYMENT_KEYS))
            fields[_field(name)] = read(self, at, item)
        name, paths = fields.pop("name"), fields.pop("paths")
        if not name:
            raise self.error(key, f"a {key} needs a name")
        return DeploymentSettings(name, paths, fields)


_Read = Callable[[_Reader, _Key, object], object]

_DEPLOYMENT_KEYS: Final[dict[str, _Read]] = {
    "paths": _Reader.host_paths,
    "policy": _Reader.policy,
    "target": _Reader.string,
    "root": _Reader.host_path,
    "path-map": _Reader.path_map,
    "server": _Reader.server,
    "apache-defines": _Reader.strings,
    "apache-environment": _Reader.string_table,
    "exclude": _Reader.strings,
    "trust-store": _Reader.trust_store,
    "weak-key-lists": _Reader.host_paths,
    "require-certificates": _Reader.flag,
    "expiry-warning-days": _Reader.days,
    "expiry-error-days": _Reader.days,
}
"""What one deployment of several may have a value of its own for."""
_RUN_KEYS: Final[dict[str, _Read]] = {
    "select": _Reader.strings,
    "ignore": _Reader.strings,
    "per-file-ignores": _Reader.lists,
    "fixable": _Reader.strings,
    "unfixable": _Reader.strings,
    "extend-safe-fixes": _Reader.strings,
    "extend-unsafe-fixes": _Reader.strings,
    "severity": _Reader.levels,
    "fail-on": _Reader.level,
    "jobs": _Reader.jobs,
    "baseline": _Reader.host_path,
    "unsuppressable": _Reader.strings,
    DEPLOYMENT: _Reader.deployments,
}
"""What counts for the whole run."""
_KEYS: Final = {**_DEPLOYMENT_KEYS, **_RUN_KEYS}
_FIELDS: Final = {DEPLOYMENT: "deployments"}
"""Fields that are not called like their key."""


def _field(key: str) -> str:
    return _FIELDS.get(key, key.replace("-", "_"))


def _settings(values: Mapping[str, object], path: str, text: str) -> Settings:
    reader = _Reader(path, text)
    fields: dict[str, Any] = {}
    for key, value in values.items():
        at = _Key((key,))
        read = _KEYS.get(key)
        if read is None:
            raise reader.unknown(at, tuple(_KEYS))
        fields[_field(key)] = read(reader, at, value)
    return Settings(**fields, file=path, base=os.path.dirname(path) or ".")


def where_set(settings: Settings, key: str) -> str:
    """Return `tlslint.toml:3:10: ` where the settings file has the value that these settings have for a key, or ""."""
    if settings.file is None:
        return ""
    text = _read(settings.file)
    values = _table(settings.file, text)
    reader, read = _Reader(settings.file, text), _KEYS[key]
    tables = [(_Key(), values), *((_Key((DEPLOYMENT, at)), one) for at, one in enumerate(values.get(DEPLOYMENT, ())))]
    for place, table in tables:
        at = place.below(key)
        if key in table and read(reader, at, table[key]) == getattr(settings, _field(key)):
            return str(reader.error(at, ""))
    return ""


def settings_lines(path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what a settings file says, as it says it, and the line of each of its keys; raises `SettingsError`."""
    from tlslint.toml_places import places

    text = _read(path)
    values = _table(path, text)
    inside = _inside(path)
    found = {key: text.count("\n", 0, offset) + 1 for key, offset in places(text).items()}
    return values, {key: found[(*inside, key)] for key in values}


def place_of(word: str, settings: Settings) -> str:
    """Return `file:line:column: ` of a word in the settings file; nothing where the command line has it."""
    if settings.file is None:
        return ""
    from tlslint.toml_places import places

    text = _read(settings.file)
    table, inside = _table(settings.file, text), _inside(settings.file)
    for path, offset in places(text).items():
        key = path[len(inside) :]
        if path[: len(inside)] != inside or not key:
            continue
        value: Any = table
        for step in key:
            value = value[step]
        first = str(key[0])
        overridden = isinstance(table[first], list) and getattr(settings, _field(first), ()) != tuple(table[first])
        words = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
        if not overridden and (word in words or (len(key) > 1 and word == key[-1])):
            return _located(settings.file, text, offset)
    return ""


def _located(path: str, text: str, offset: int) -> str:
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    return f"{_shown(path)}:{line}:{column}: "


def _inside(path: str) -> tuple[str, ...]:
    return ("tool", "tlslint") if _is_project_file(path) else ()


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    kinds = {str: "a string", int: "a number", float: "a number", list: "an array", dict: "a table"}
    return kinds.get(type(value), "a date")


def _listed(choices: Sequence[str]) -> str:
    return ", ".join(f'"{choice}"' for choice in choices[:-1]) + f' or "{choices[-1]}"'


def _did_you_mean(word: str, choices: Sequence[str]) -> str:
    # only here, because it is slow to import and rarely needed
    from difflib import get_close_matches

    close = get_close_matches(word.replace("_", "-").lower(), choices, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
