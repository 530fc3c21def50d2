"""Find what to lint: the files that a server would start from, and the fragments that nothing here includes.

Files named on the command line are always taken; in directories those are looked for that are nginx or Apache
configuration by their content, since many programs have files called `*.conf`. A file that another one includes is not
a root of its own: it is linted where it takes effect.
"""

import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from tlslint.globs import matches
from tlslint.parse.template import template_engine
from tlslint.parse.tree import Directive, Source, Tree, walk
from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.resolve.include import Files, Unreadable
from tlslint.settings import Settings
from tlslint.sniff import ServerKind, server_kind
from tlslint.workers import Workers

if TYPE_CHECKING:
    from tlslint.changed import Changed


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTEXTS: Final = ("main", "http", "server", "location", "upstream", "stream", "mail")
"""Where a fragment can belong, as `# tlslint: context=…` says it."""

MAX_ENTRIES: Final = 500_000
"""Directory entries that are looked at in one run before the search is given up."""

USUAL_ENTRIES: Final[tuple[tuple[str, ServerKind], ...]] = (
    ("/etc/nginx/nginx.conf", "nginx"),
    ("/usr/local/nginx/conf/nginx.conf", "nginx"),
    ("/usr/local/etc/nginx/nginx.conf", "nginx"),
    ("/opt/homebrew/etc/nginx/nginx.conf", "nginx"),
    ("/usr/local/openresty/nginx/conf/nginx.conf", "nginx"),
    ("/etc/apache2/apache2.conf", "apache"),
    ("/etc/httpd/conf/httpd.conf", "apache"),
    ("/etc/apache2/httpd.conf", "apache"),
    ("/usr/local/apache2/conf/httpd.conf", "apache"),
    ("/usr/local/etc/apache24/httpd.conf", "apache"),
)
"""Where packages put the main file: Debian, RHEL, Alpine, FreeBSD, Homebrew, builds from source."""


@dataclass(frozen=True, slots=True)
class Root:
    """A file from which to resolve: a main file, or a fragment and the context in which it is read.

    `entry` and `base` are server paths: the file, and the directory from which its relative names are taken (that of
    the main file). `display` is the file as the user knows it.
    """

    entry: str
    server: ServerKind
    context: str
    files: Files
    display: str
    base: str
    defines: tuple[str, ...] = ()
    """Apache: what `-D` gives httpd on its command line."""
    environment: tuple[tuple[str, str], ...] = ()
    """Apache: names and values of the environment in which httpd is started."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What there is to lint; what is configuration but is not linted, and what could not be read, each with the reason.

    `skipped` holds templates and files for the other server. `problems` are about what the user asked for: paths that
    cannot be read, directories without configuration, contexts that do not exist. Both are pairs of path and clause.
    """

    roots: tuple[Root, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    """What was assumed on the way, for the reader."""

    @property
    def views(self) -> list[Files]:
        """The files of the roots, each view of them once."""
        return list({id(root.files): root.files for root in self.roots}.values())

    @property
    def parsed(self) -> int:
        """How many configuration files were read so far, included ones too."""
        return sum(files.parsed for files in self.views)


STANDARD_INPUT: Final = "<stdin>"


def discover(
    paths: Sequence[str],
    settings: Settings,
    stdin: bytes | None = None,
    stdin_name: str = STANDARD_INPUT,
    overlay: Mapping[str, bytes] | None = None,
    changed: "Changed | None" = None,
    workers: Workers | None = None,
) -> Discovered:
    """Find the roots below `paths`: files, directories, `-` for `stdin` (a configuration or what `nginx -T` prints).

    `stdin_name` is the file that a configuration on standard input stands for: its includes are looked for from there.
    `overlay` has the contents that files are to have instead of their own, by host path. `workers` may help.
    Of what is there, only roots are taken that have to do with the files that `changed`, if it is given; those of them
    that are configuration are looked at wherever they lie.
    Without paths: the usual main files in the settings' root or path map, or else all that is there; else all in `.`.
    """
    named = [path for path in paths if path != "-"]
    seen = [*named, stdin_name] if "-" in paths and stdin_name != STANDARD_INPUT else paths
    files = _files(seen, settings, overlay, workers)
    search = _Search(files, settings, changed)
    for path in paths or search.default_paths():
        if path == "-":
            search.add_standard_input(stdin or b"", stdin_name)
        else:
            search.add(path)
    for path in () if changed is None else changed.paths:
        search.add_changed(path)
    return search.result()


def _files(
    paths: Sequence[str], settings: Settings, overlay: Mapping[str, bytes] | None, workers: Workers | None
) -> Files:
    allowed: list[str] = []
    for path in paths or ["."]:
        if path != "-":
            allowed += [path] if os.path.isdir(path) else [path, _folder_of(path)]
    if not paths and (settings.root or settings.path_map):
        allowed = []
    return Files(
        allowed=list(dict.fromkeys(allowed)),
        root=settings.root,
        path_map=settings.path_map,
        overlay=overlay,
        workers=workers,
    )


def _folder_of(path: str) -> str:
    """Return the directory that a named file stands for: its own, or (`conf/httpd.conf`) the one above."""
    folder, name = os.path.split(path)
    if name == "httpd.conf" and os.path.basename(os.path.abspath(folder)) == "conf":
        return os.path.join(folder, "..") if folder in ("", ".") else os.path.dirname(folder) or "."
    return folder or "."


# --- what a file is -----------------------------------------------------------------------------------------------

_MAIN_NAMES: Final = ("nginx.conf", "apache2.conf", "httpd.conf")
_APACHE_MAIN_NAMES: Final = ("apache2.conf", "httpd.conf")
_NAMES: Final = regex(r".*\.(?:conf|vhost|nginx|ngx|inc)|nginx|vhost|httpd", re.ASCII)
_TEMPLATE_SUFFIX: Final = regex(
    r"\.(?:j2|jinja2?|erb|epp|c?tmpl|tpl|stpl|template|mako|mustache|hbs|tt2?|envsubst|in)$"
)
_FOLDERS: Final = _words(
    "sites-available sites-enabled conf.d conf-available conf-enabled snippets vhosts vhosts.d vhost.d sites sites.d "
    "default.d modules-enabled mods-available mods-enabled conf.modules.d stream.d streams-enabled streams-available "
    "http.d server.d location.d locations"
)
_NOT_ENABLED: Final = _words("mods-available conf-available")
"""Directories of Debian's layout that hold what may be enabled, by links from elsewhere."""
_LEFT_OVER: Final = regex(
    r"~$|^#|\.(?:bak|old|orig|save|swp|rej|dpkg-\w+|rpm(?:new|save|orig)|ucf-\w+|md|txt|rst|html?|css|js|json|ya?ml"
    r"|pem|crt|cer|key|csr|der|p12|pfx|gz|zip|sh|py|php|log|pid|sock|service)$",
    re.IGNORECASE,
)
_SKIPPED_FOLDERS: Final = _words(
    ".git .hg .svn .bzr _darcs CVS node_modules bower_components .venv venv __pycache__ .tox .nox .mypy_cache "
    ".ruff_cache .pytest_cache .hypothesis .terraform site-packages"
)


def _may_be_configuration(name: str, folder: str) -> bool:
    """Whether a file found in a directory (given by its path) is worth a look."""
    if name.startswith(".") or _LEFT_OVER.search(name):
        return False
    plain = _TEMPLATE_SUFFIX.sub("", name)
    return bool(_NAMES.fullmatch(plain)) or os.path.basename(folder) in _FOLDERS


# --- the context of a fragment ------------------------------------------------------------------------------------

_DECLARATION: Final = regex(r"\s*tlslint:\s*context\s*=\s*(\S+)")
_MAIN_DIRECTIVES: Final = _words(
    "events http stream mail daemon debug_points env load_module lock_file master_process pcre_jit pid ssl_engine "
    "ssl_object_cache_inheritable thread_pool timer_resolution user worker_cpu_affinity worker_priority "
    "worker_processes worker_rlimit_core worker_rlimit_nofile worker_shutdown_timeout working_directory"
)
_HTTP_DIRECTIVES: Final = _words(
    "map geo split_clients types charset_map log_format limit_req_zone limit_conn_zone proxy_cache_path "
    "fastcgi_cache_path uwsgi_cache_path scgi_cache_path upstream server_names_hash_max_size map_hash_max_size "
    "server_names_hash_bucket_size map_hash_bucket_size variables_hash_max_size variables_hash_bucket_size "
    "perl_modules geoip_country geoip_city geoip_org lua_package_path lua_shared_dict js_import auth_jwt_claim_set"
)
_SERVER_DIRECTIVES: Final = _words("listen server_name ssl_certificate ssl_certificate_key")
_LOCATION_DIRECTIVES: Final = _words(
    "proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass alias internal limit_except"
)
_BACKEND: Final = regex(r"(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_")
_MAIL_SERVER: Final = _words("protocol starttls auth_http smtp_auth imap_auth pop3_auth smtp_capabilities")
_STREAM_SERVER: Final = _words("proxy_pass ssl_preread preread_timeout proxy_responses proxy_requests")


def context_of(directives: Iterable[Directive]) -> str:
    """Tell from its outermost directives where an nginx fragment belongs; `server` where several would do."""
    directives = list(directives)
    names = {str(directive.name) for directive in directives}
    if names & _MAIN_DIRECTIVES:
        return "main"
    servers = [directive for directive in directives if directive.name == "server"]
    modules = [_module_of(server) for server in servers if server.block is not None]
    if modules:
        return "http" if "http" in modules else modules[0]
    if servers and not names & _HTTP_DIRECTIVES:
        return "upstream"
    if names & _SERVER_DIRECTIVES:
        return "server"
    if names & _HTTP_DIRECTIVES:
        return "stream" if any(_mentions_preread(directive) for directive in directives) else "http"
    if names & _LOCATION_DIRECTIVES or (names and all(_BACKEND.match(name) for name in names)):
        return "location"
    return "server"


def _module_of(server: Directive) -> str:
    names = {str(directive.name) for directive in server.block or ()}
    if names & _MAIL_SERVER:
        return "mail"
    # of an http server these stand in its locations
    return "stream" if names & _STREAM_SERVER else "http"


def _mentions_preread(directive: Directive) -> bool:
    return any("$ssl_preread_" in argument for argument in directive.arguments)


# --- what includes what -------------------------------------------------------------------------------------------


def included_files(files: Files, tree: Tree, base: str) -> Iterator[str]:
    """Yield the server paths that an nginx file includes, itself, in order; patterns that cannot be seen yield none."""
    if "include" not in tree.source.text:
        return
    for directive in walk(tree.directives):
        if directive.name == "include" and len(directive.arguments) == 1:
            found = files.included(directive.arguments[0], base)
            if not isinstance(found, Unreadable):
                yield from found


def _nginx_reach(files: Files, entry: str, base: str) -> set[str]:
    """Return all that is included from an entry file, through however many files."""
    reached: set[str] = set()
    pending = [entry]
    while pending:
        tree = files.tree(pending.pop())
        if isinstance(tree, Unreadable):
            continue
        new = [path for path in included_files(files, tree, base) if path not in reached]
        files.read_ahead(new, base)
        reached.update(new)
        pending.extend(dict.fromkeys(new))
    return reached


def _outermost(files: Files, tree: Tree, base: str, seen: set[str]) -> Iterator[Directive]:
    """Yield the outermost directives of a fragment, those of included files in the place of the include."""
    for directive in tree.directives:
        if directive.name != "include" or len(directive.arguments) != 1:
            yield directive
            continue
        found = files.included(directive.arguments[0], base)
        for path in [] if isinstance(found, Unreadable) else found:
            included = files.tree(path)
            if path not in seen and not isinstance(included, Unreadable):
                seen.add(path)
                yield from _outermost(files, included, base, seen)


_APACHE_INCLUDE: Final = regex(
    r"""^[ \t]*Include(?:Optional)?[ \t]+(?:"([^"\n]+)"|(\S+))""", re.MULTILINE | re.IGNORECASE
)
_APACHE_DEFINE: Final = regex(r"""^[ \t]*Define[ \t]+(\S+)[ \t]+(?:"([^"\n]*)"|(\S+))""", re.MULTILINE | re.IGNORECASE)
_SERVER_ROOT: Final = regex(r"""^[ \t]*ServerRoot[ \t]+(?:"([^"\n]+)"|(\S+))""", re.MULTILINE | re.IGNORECASE)
_APACHE_VARIABLE: Final = regex(r"\$\{([^}\n]*)\}")
_APACHE_MAIN: Final = regex(r"^[ \t]*(?:ServerRoot|DefaultRuntimeDir|PidFile)[ \t]", re.MULTILINE | re.IGNORECASE)
_APACHE_LOADS: Final = regex(r"^[ \t]*LoadModule[ \t]", re.MULTILINE | re.IGNORECASE)
_APACHE_LISTENS: Final = regex(r"^[ \t]*Listen[ \t]", re.MULTILINE | re.IGNORECASE)
_APACHE_LOADERS: Final = regex(
    r"[ \t]*(?:#.*|Load(?:Module|File)[ \t].*|</?IfModule[^>]*>|</?IfDefine[^>]*>)?[ \t\r]*", re.IGNORECASE
)

APACHE_PART: Final = "server"
"""Context of an Apache file that a main file would include: read as if in the server's own configuration."""


def apache_context(path: str, text: str) -> str:
    """Tell whether an Apache file is a whole configuration or a part of one."""
    if posixpath.basename(path) in _MAIN_NAMES or _APACHE_MAIN.search(text):
        return "main"
    return "main" if _APACHE_LOADS.search(text) and _APACHE_LISTENS.search(text) else APACHE_PART


def _only_loads_modules(text: str) -> bool:
    return all(_APACHE_LOADERS.fullmatch(line) for line in text.split("\n"))


def _apache_reach(files: Files, entry: str, base: str, home: str = "") -> set[str]:
    """Return all that an Apache configuration may include, whatever conditions hold."""
    from tlslint.resolve.apache_include import included

    reached: set[str] = set()
    defines: dict[str, str] = {}
    pending = [entry]
    while pending:
        source = files.source(pending.pop())
        if isinstance(source, Unreadable):
            continue
        text = source.text
        for name, quoted, bare in _APACHE_DEFINE.findall(text):
            defines[name.lower()] = quoted or bare
        for quoted, bare in _APACHE_INCLUDE.findall(text):
            name = _APACHE_VARIABLE.sub(lambda match: defines.get(match[1].lower(), match[0]), quoted or bare)
            path = files.resolve(name, base)
            if home and path.startswith(f"{home}/") and isinstance(files.kind(path), Unreadable):
                path = base + path[len(home) :]
            for step in islice(included(files, path), _MOST_INCLUDED):
                if step.failure is None and step.path not in reached:
                    reached.add(step.path)
                    pending.append(step.path)
    return reached


_MOST_INCLUDED: Final = 10_000


def _apache_home(text: str) -> str:
    """Return the directory that a main file says it lies in, or nothing."""
    stated = _SERVER_ROOT.search(text)
    path = (stated[1] or stated[2]) if stated else ""
    return posixpath.normpath(path) if path.startswith("/") and "$" not in path else ""


def _apache_base(files: Files, entry: str, text: str) -> str:
    """Return the directory from which relative names are taken until the file says otherwise."""
    home = _apache_home(text)
    if home and not isinstance(files.names(home), Unreadable):
        return home
    folder = posixpath.dirname(entry)
    return posixpath.dirname(folder) if posixpath.basename(folder) in _APACHE_FOLDERS else folder


_APACHE_FOLDERS: Final = _words(
    "conf conf.d conf.modules.d sites-available sites-enabled conf-available conf-enabled mods-available mods-enabled "
    "vhosts.d vhosts extra"
)
"""Directories that lie in the one from which Apache takes relative names."""


# --- the search ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    path: str
    explicit: bool

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """Files that usually include others come first: what they reach need not be looked at on its own."""
        folder, name = posixpath.split(self.path)
        return name not in _MAIN_NAMES, posixpath.basename(folder) in _FOLDERS, self.path


class _Search:
    def __init__(self, files: Files, settings: Settings, changed: "Changed | None") -> None:
        self.files = files
        self.settings = settings
        self.changed = changed
        self.candidates: dict[str, _Candidate] = {}
        self.folders: list[str] = []
        """The directories that were asked for."""
        self.found: list[tuple[Root, str, set[str]]] = []
        """Each root with the real path of its entry, and the real paths of what it reaches."""
        self.unwanted: set[str] = set()
        """The entries of roots that have nothing to do with what changed."""
        self.standalone: list[Root] = []
        self.skipped: list[tuple[str, str]] = []
        self.problems: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self._bases: dict[str, str] = {}
        self._assumed_apache: dict[str, str] = {}
        """The directory on the server that a main file's was taken for."""
        self._apache_homes: set[str] = set()
        """The directories of Apache's main files."""
        self._not_enabled: dict[str, int] = {}
        """How many files lie in a directory from which the main file beside it includes others."""
        self._entries = 0

    # candidates

    def default_paths(self) -> list[str]:
        """Take the usual main files if there are any; otherwise say where to search."""
        mapped = [self.settings.root] if self.settings.root is not None else list(self.settings.path_map.values())
        if not mapped:
            return ["."]
        for path, kind in USUAL_ENTRIES:
            if self.settings.server in ("auto", kind) and isinstance(self.files.expand(path), list):
                self.candidates[path] = _Candidate(path, explicit=True)
        if self.files.whole_machine and not self.candidates:
            self.problems.append(("/", "no nginx or Apache configuration in any of the usual places"))
        return [] if self.candidates or self.files.whole_machine else mapped

    def add(self, path: str) -> None:
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            self.problems.append((path, (getattr(error, "strerror", None) or str(error)).lower()))
            return
        if not stat.S_ISDIR(status.st_mode):
            server_path = self.files.server_path(path)
            self.candidates[server_path] = _Candidate(server_path, explicit=True)
            return
        self.folders.append(path)
        for host_path in self._walk(path):
            server_path = self.files.server_path(host_path)
            self.candidates.setdefault(server_path, _Candidate(server_path, explicit=False))

    def add_changed(self, path: str) -> None:
        """Have a look at a file that changed, if it is there: nothing may include it."""
        if not os.path.isfile(path) or self._is_excluded(path):
            return
        if isinstance(self.files.expand(self.files.server_path(path)), Unreadable):
            self.files.allow(path)
            self.files.allow(os.path.dirname(path) or ".")
        server_path = self.files.server_path(path)
        self.candidates.setdefault(server_path, _Candidate(server_path, explicit=False))

    def _walk(self, folder: str) -> Iterator[str]:
        """Yield the files below a directory that may be configuration; links to directories are not followed."""
        pending = [folder]
        while pending:
            folder = pending.pop()
            try:
                with os.scandir(folder) as scan:
                    entries = sorted(scan, key=lambda entry: entry.name)
            except OSError as error:
                self.problems.append((folder, (error.strerror or str(error)).lower()))
                continue
            self._entries += len(entries)
            if self._entries > MAX_ENTRIES:
                self.problems.append((folder, f"not searched, after {MAX_ENTRIES} other files and directories"))
                return
            for entry in entries:
                path = os.path.normpath(entry.path)
                if self._is_excluded(path):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _SKIPPED_FOLDERS:
                        pending.append(entry.path)
                elif _may_be_configuration(entry.name, os.path.abspath(folder)) and _is_file_or_link(entry):
                    yield path

    def _is_excluded(self, path: str) -> bool:
        return any(matches(path, pattern, self.settings.base) for pattern in self.settings.exclude)

    def add_standard_input(self, data: bytes, name: str) -> None:
        dump = split_dump(data)
        if dump:
            files = Files(root=self.settings.root, path_map=self.settings.path_map, dump=dump)
            entry = next(iter(dump))
            self.standalone.append(Root(entry, "nginx", "main", files, entry, posixpath.dirname(entry)))
            return
        path = self.files.server_path(name)
        self.files.add(path, Source.from_bytes(name, data))
        self.candidates[path] = _Candidate(path, explicit=True)

    # roots

    def _assume_home(self) -> None:
        """Take the directory of the only nginx.conf for the one where nginx has its configuration on the server.

        A repository holds `nginx.conf` beside `conf.d`, and includes `/etc/nginx/conf.d/*.conf`.
        """
        mains = [path for path in self.candidates if posixpath.basename(path) == "nginx.conf"]
        if len(mains) != 1:
            return
        tree = self.files.tree(mains[0])
        if isinstance(tree, Unreadable):
            return
        folder = posixpath.dirname(mains[0])
        named = {str(word) for directive in walk(tree.directives) for word in directive.arguments if word[:1] == "/"}
        for entry, kind in USUAL_ENTRIES:
            home = posixpath.dirname(entry)
            if kind == "nginx" and any(word.startswith(f"{home}/") for word in named):
                self._assume(home, folder, "nginx.conf")

    def _assume(self, home: str, folder: str, main: str) -> None:
        shown = self.files.display_path(folder)
        if self.files.assume(home, shown):
            self.notes.append(f"{home} is taken for {shown}, where {main} is (--path-map says otherwise)")

    def _assume_apache_home(self) -> None:
        """The same for Apache: the main file states its `ServerRoot`, or lies where Debian has its own.

        What is named absolutely (certificates, includes of a site) is then found although the server's `/` is not here.
        """
        mains = []
        for path in self.candidates:
            if posixpath.basename(path) in _APACHE_MAIN_NAMES:
                source = self.files.source(path)
                if not isinstance(source, Unreadable) and server_kind(source.text) == "apache":
                    mains.append((path, source.text))
        if len(mains) != 1:
            return
        path, text = mains[0]
        name = posixpath.basename(path)
        home = _apache_home(text) or ("/etc/apache2" if name == "apache2.conf" else "")
        if not home or not isinstance(self.files.names(home), Unreadable):
            return
        folder = posixpath.dirname(path)
        if posixpath.basename(folder) == "conf" and name == "httpd.conf":
            folder = posixpath.dirname(folder)
        if isinstance(self.files.names(folder), Unreadable):
            return  # the file alone was named, from inside of its directory
        self._assume(home, folder, name)
        if self.files.is_assumed(home):
            self._assumed_apache[path] = home

    def result(self) -> Discovered:
        self._assume_home()
        self._assume_apache_home()
        covered: set[str] = set()
        for candidate in sorted(self.candidates.values(), key=lambda candidate: candidate.rank):
            real = self.files.real_path(candidate.path)
            if real in covered:
                continue
            root = self._root(candidate)
            if root is not None:
                paths = self._reach(root)
                reached = {self.files.real_path(path) for path in paths}
                covered |= reached | {real}
                self.found.append((root, real, reached))
                if not self._is_wanted([root.entry, *paths], {real, *reached}):
                    self.unwanted.add(root.entry)
        for folder, count in self._not_enabled.items():
            what = "one file that is" if count == 1 else f"{count} files that are"
            self.skipped.append((self.files.display_path(folder), f"{what} not enabled, not checked"))
        roots = [*self.standalone, *(root for root in self._without_included() if root.entry not in self.unwanted)]
        if self.changed is not None:
            self.skipped = [(path, why) for path, why in self.skipped if self.changed.has(path)]
        elif not roots and not self.skipped:
            self.problems += [(folder, "no nginx or Apache configuration was found here") for folder in self.folders]
        return Discovered(tuple(roots), tuple(sorted(self.skipped)), tuple(self.problems), tuple(self.notes))

    def _is_asked_for(self, candidate: _Candidate) -> bool:
        return candidate.explicit or (
            self.changed is not None and self.changed.has(self.files.real_path(candidate.path))
        )

    def _reach(self, root: Root) -> set[str]:
        if root.server == "nginx":
            return _nginx_reach(self.files, root.entry, root.base)
        source = self.files.source(root.entry)
        home = "" if isinstance(source, Unreadable) else _apache_home(source.text)
        return _apache_reach(self.files, root.entry, root.base, home)

    def _is_wanted(self, paths: Iterable[str], real_paths: Iterable[str]) -> bool:
        """Whether a root that has these files is to be resolved."""
        if self.changed is None or self.changed.governs(self.settings):
            return True
        sources = map(self.files.source, paths)
        texts = (source.text for source in sources if not isinstance(source, Unreadable))
        return self.changed.may_be_named_in(texts, real_paths)

    def _without_included(self) -> list[Root]:
        """Leave out roots that a later one turned out to include; of files that include each other the first stays."""
        order = {real: index for index, (_, real, _) in enumerate(self.found)}
        included: set[str] = set()
        for index, (_, real, reached) in enumerate(self.found):
            for other in reached & order.keys():
                mutual = real in self.found[order[other]][2]
                if other != real and not (mutual and order[other] < index):
                    included.add(other)
        return [root for root, real, _ in self.found if real not in included]

    def _root(self, candidate: _Candidate) -> Root | None:
        path = candidate.path
        shown = self.files.display_path(path)
        source = self.files.source(path)
        if isinstance(source, Unreadable):
            (self.problems if candidate.explicit else self.skipped).append((shown, source.reason))
            return None
        kind = self._kind(candidate, source)
        if kind is None:
            self.files.forget(path)
            return None
        engine = template_engine(source) if source.masked is None else None
        if engine is not None:
            self.skipped.append((shown, f"template ({engine}), not checked"))
            return None
        if kind == "apache":
            return self._apache_root(candidate, source)
        return self._nginx_root(path, source)

    def _kind(self, candidate: _Candidate, source: Source) -> ServerKind | None:
        kind = server_kind(source.text)
        wanted = self.settings.server
        if candidate.explicit:
            if wanted != "auto":
                return "apache" if wanted == "apache" else "nginx"
            named = re.search(r"apache|httpd", candidate.path) and "nginx" not in posixpath.basename(candidate.path)
            return kind or ("apache" if named else "nginx")
        if kind is not None and wanted not in ("auto", kind):
            self.skipped.append((source.path, f"configuration of {'Apache' if kind == 'apache' else 'nginx'}"))
            return None
        return kind

    def _nginx_root(self, path: str, source: Source) -> Root | None:
        tree = self.files.tree(path)
        if isinstance(tree, Unreadable):
            self.skipped.append((source.path, tree.reason))
            return None
        declared = self._declared_context(tree)
        base = posixpath.dirname(path)
        context = declared or context_of(tree.directives)
        if context != "main":
            base = self._fragment_base(base)
            context = declared or context_of(_outermost(self.files, tree, base, {path}))
        return Root(path, "nginx", context, self.files, source.path, base)

    def _apache_root(self, candidate: _Candidate, source: Source) -> Root | None:
        path = candidate.path
        context = apache_context(path, source.text)
        if context != "main" and not self._is_asked_for(candidate):
            folder = posixpath.dirname(path)
            if posixpath.basename(folder) in _NOT_ENABLED and posixpath.dirname(folder) in self._apache_homes:
                self._not_enabled[folder] = self._not_enabled.get(folder, 0) + 1
                return None
            if _only_loads_modules(source.text):
                return None  # nothing that anybody could be told of
        base = self._assumed_apache.get(path) or _apache_base(self.files, path, source.text)
        if context != "main":
            base = self._apache_home_above(base)
        else:
            self._apache_homes.add(posixpath.dirname(path))
        defines, environment = self.settings.apache_defines, self.settings.apache_environment
        return Root(path, "apache", context, self.files, source.path, base, defines, tuple(environment.items()))

    def _apache_home_above(self, folder: str) -> str:
        """Return where relative names in a part start from: the directory of a main file above, if there is one."""
        above = folder
        while True:
            for name in ("apache2.conf", "httpd.conf", "conf/httpd.conf"):
                if isinstance(self.files.expand(posixpath.join(above, name)), list):
                    return above
            if above == "/":
                return folder
            above = posixpath.dirname(above)

    def _declared_context(self, tree: Tree) -> str | None:
        for comment in tree.comments:
            declaration = _DECLARATION.match(comment.text)
            if declaration and declaration[1] in CONTEXTS:
                return declaration[1]
            if declaration:
                place = f"{tree.source.path}:{comment.line}"
                self.problems.append((place, f'no context "{declaration[1]}" (there are {", ".join(CONTEXTS)})'))
        return None

    def _fragment_base(self, folder: str) -> str:
        """Return where relative names in a fragment start from: the directory of the main file that may include it."""
        known = self._bases.get(folder)
        if known is None:
            known = self._bases[folder] = self._search_base(folder)
        return known

    def _search_base(self, folder: str) -> str:
        above = folder
        while not isinstance(self.files.expand(f"{above.rstrip('/')}/nginx.conf"), list):
            if above == "/":
                in_folder = posixpath.basename(folder) in _FOLDERS
                return posixpath.dirname(folder) if in_folder else folder
            above = posixpath.dirname(above)
        return above


def _is_file_or_link(entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return entry.is_file(follow_symlinks=False)
    # a link to a directory is not followed; one that leads nowhere from here is to be named
    return not entry.is_dir()


# --- nginx -T -----------------------------------------------------------------------------------------------------

_DUMP_MARK: Final = regex(rb"^# configuration file (/[^\n]*):\n", re.MULTILINE)


def split_dump(data: bytes) -> dict[str, Source]:
    """Split what `nginx -T` prints into its files, the main one first; empty if it is something else.

    nginx prints a mark, the file and a line end for each file that it reads, each file once: a mark with a path that
    was there already stands in a file. What is printed before the first mark are nginx's messages.
    """
    first = _DUMP_MARK.search(data)
    if first is None or any(line and not line.startswith(b"nginx: ") for line in data[: first.start()].splitlines()):
        return {}
    marks: dict[bytes, re.Match[bytes]] = {}
    for mark in _DUMP_MARK.finditer(data):
        marks.setdefault(mark[1], mark)
    ends = [*(mark.start() for mark in marks.values()), len(data)][1:]
    sources = {}
    for (name, mark), end in zip(marks.items(), ends, strict=True):
        path = os.fsdecode(name)
        sources[path] = Source.from_bytes(path, data[mark.end() : end].removesuffix(b"\n"))
    return sources
