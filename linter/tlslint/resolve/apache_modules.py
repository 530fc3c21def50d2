"""Which modules httpd has at one moment of reading, and by which names `<IfModule>` knows them."""

import posixpath
import re
from typing import Final

from tlslint.resolve.model import Unknown


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SOURCE_FILES: Final = {
    "core_module": "core.c",
    "http_module": "http_core.c",
    "mpm_event_module": "event.c",
    "mpm_worker_module": "worker.c",
    "mpm_prefork_module": "prefork.c",
    "mpm_winnt_module": "mpm_winnt.c",
    "ldap_module": "util_ldap.c",
    "mpm_itk_module": "mpm_itk.c",
}
"""Modules whose source file is not `mod_` and their name."""

HTTPD_MODULES: Final = _words(
    "access_compat actions alias allowmethods asis auth_basic auth_digest auth_form authn_anon authn_core authn_dbd "
    "authn_dbm authn_file authn_socache authnz_fcgi authnz_ldap authz_core authz_dbd authz_dbm authz_groupfile "
    "authz_host authz_owner authz_user autoindex brotli bucketeer buffer cache cache_disk cache_socache case_filter "
    "case_filter_in cern_meta cgi cgid charset_lite core data dav dav_fs dav_lock dbd deflate dialup dir dumpio echo "
    "env expires ext_filter file_cache filter headers heartbeat heartmonitor http http2 ident imagemap include info "
    "isapi lbmethod_bybusyness lbmethod_byrequests lbmethod_bytraffic lbmethod_heartbeat ldap log_config log_debug "
    "log_forensic logio lua macro md mime mime_magic mpm_event mpm_prefork mpm_worker negotiation optional_hook_export "
    "privileges proxy proxy_ajp proxy_balancer proxy_connect proxy_express proxy_fcgi proxy_fdpass proxy_ftp "
    "proxy_hcheck proxy_html proxy_http proxy_http2 proxy_scgi proxy_uwsgi proxy_wstunnel ratelimit reflector remoteip "
    "reqtimeout request rewrite sed session session_cookie session_crypto session_dbd setenvif slotmem_plain "
    "slotmem_shm so socache_dbm socache_dc socache_memcache socache_redis socache_shmcb speling ssl status substitute "
    "suexec systemd tls unique_id unixd userdir usertrack version vhost_alias watchdog xml2enc"
)
"""The modules of httpd's own distribution, without `_module`."""

COMPILED_IN: Final = {
    "debian": _words("core so watchdog http log_config logio version unixd"),
    "rhel": _words("core so http"),
    "source": _words("core so http"),
}
"""What is in the executable, by family of platforms (`httpd -l`)."""

MAYBE_COMPILED_IN: Final = _words("watchdog log_config logio version unixd mpm_event mpm_worker mpm_prefork")
"""What is in the executables of some, so that no `LoadModule` proves nothing where the platform is not known."""

WELL_KNOWN: Final = _words(
    "access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex deflate dir env "
    "expires filter headers http2 log_config macro mime negotiation proxy proxy_http reqtimeout rewrite setenvif "
    "socache_shmcb ssl status unixd version"
)
"""Modules that a configuration written for TLS can count on, taken for loaded where the modules cannot be seen."""

RIVALS: Final = _words("gnutls nss tls")
"""Other TLS modules; taken for absent where mod_ssl is taken for loaded."""

_SUFFIX: Final = "_module"
_SOURCE_FILE: Final = re.compile(r"(?:mod_)?(.+)\.(?:c|cc|cpp|cxx)")
_FILE_TO_NAME: Final = {file: name for name, file in SOURCE_FILES.items()}


def family_of(platform: str | None) -> str | None:
    """Return which family of builds a platform of `Target` belongs to."""
    if platform is None:
        return None
    name = platform.partition("-")[0]
    if name in ("debian", "ubuntu"):
        return "debian"
    return "rhel" if name in ("rhel", "fedora", "amazon") else "source"


class Modules:
    """The modules that are loaded at one moment of reading; `elsewhere` is why there may be others, or empty."""

    def __init__(self, family: str | None, elsewhere: str) -> None:
        self.family = family
        self.elsewhere = elsewhere
        self.loaded: dict[str, str] = {}
        """Identifiers (`ssl_module`) and the files that they were loaded from, in order."""
        self.assumed: set[str] = set()
        """Identifiers of modules that were taken for loaded because nobody can see it."""
        self._static = {f"{name}{_SUFFIX}" for name in COMPILED_IN[family or "source"]}
        self._files = {SOURCE_FILES.get(name, f"mod_{name.removesuffix(_SUFFIX)}.c") for name in self._static}
        self._doubts: dict[str, str] = {}

    def load(self, identifier: str, file: str) -> None:
        """Take a `LoadModule` that is in force."""
        self.loaded.setdefault(identifier, file)
        self._doubts.pop(identifier, None)
        self._files.add(SOURCE_FILES.get(identifier, f"mod_{identifier.removesuffix(_SUFFIX)}.c"))
        if identifier.removesuffix(_SUFFIX) not in HTTPD_MODULES:
            stem = posixpath.splitext(posixpath.basename(file))[0].removeprefix("lib")
            self._files |= {f"{stem}.c", f"{stem}.cc", f"{stem}.cpp"}

    def doubt(self, identifier: str, reason: str) -> None:
        """Note that a module may or may not be loaded from here on."""
        if identifier not in self.loaded:
            self._doubts[identifier] = reason

    def has(self, name: str) -> bool | Unknown:
        """Tell whether `<IfModule>` holds for a name: an identifier or the name of a source file, in this very case."""
        if name in self.loaded or name in self._static or name in self._files:
            return True
        identifier = _identifier(name)
        if identifier is None:
            return False
        if identifier in self._doubts:
            return Unknown(self._doubts[identifier])
        plain = identifier.removesuffix(_SUFFIX)
        if self.elsewhere:
            if plain in WELL_KNOWN:
                self.assumed.add(identifier)
                return True
            return False if plain in RIVALS else Unknown(self.elsewhere)
        if self.family is None and plain in MAYBE_COMPILED_IN and not self._other_mpm(plain):
            return Unknown(f"{identifier} is not loaded, but it may be compiled into httpd (--target says for which)")
        return False

    def _other_mpm(self, plain: str) -> bool:
        return plain.startswith("mpm_") and any(name.startswith("mpm_") for name in self.loaded)


def _identifier(name: str) -> str | None:
    """The identifier of the module that a name in `<IfModule>` may mean; None for what no module is called."""
    known = _FILE_TO_NAME.get(name)
    if known is not None:
        return known
    match = _SOURCE_FILE.fullmatch(name)
    if match is None and not name.endswith(_SUFFIX):
        return None
    plain = match[1] if match is not None else name.removesuffix(_SUFFIX)
    written = f"mod_{plain}.c" if match is not None else name
    if plain in HTTPD_MODULES:
        right = SOURCE_FILES.get(f"{plain}{_SUFFIX}", f"mod_{plain}.c")
        return f"{plain}{_SUFFIX}" if match is None or (right == written == name) else None
    return None if plain.lower() in HTTPD_MODULES else f"{plain}{_SUFFIX}"


__all__ = ["COMPILED_IN", "HTTPD_MODULES", "WELL_KNOWN", "Modules", "family_of"]
