"""Tell nginx's and Apache's configuration from each other and from other programs' by what is in it.

Many programs have files called `*.conf`, some with nginx's punctuation (BIND, dhcpd, nftables) or Apache's sections
(CUPS, ProFTPD, collectd). A text counts as a server's when some of its lines cannot be another program's, and most of
the rest can be that server's.
"""

import re
from typing import Final, Literal

from tlslint.regex import regex

ServerKind = Literal["nginx", "apache"]

_LOOKED_AT: Final = 200_000
"""Characters: enough to tell, however large the file."""

_LONGEST_LINE: Final = 1000
_NAME: Final = regex(r"[A-Za-z_][\w-]*+(?=[ \t;{]|$)")
_FEW_LINES: Final = 3
_QUOTED: Final = regex(r'"[^"]*"')
_STATEMENT_END: Final = regex(r"(?<=[;{}])[ \t]*(?![ \t;])")
_FOREIGN: Final = regex(r"\};|\[[^\]]*\]$|[\w.:-]+[ \t]*=(?!=)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# nginx's own and third-party directives that no other program writes as `name …;` or `name … {`; looked up in sets,
# because one large pattern takes longer to compile than most files to lint
_NGINX_PREFIXES: Final = _words(
    "absolute accept access add aio auth autoindex balancer body brotli charset chunked client content dav debug "
    "default directio disable echo encrypted error expires fastcgi geoip geoip2 grpc gunzip gzip header health "
    "ignore image_filter imap init internal js keepalive large limit lingering load log lua map_hash max memcached "
    "merge min_delete mirror modsecurity more mp4 msie multi nchan open_file_cache otel output override pagespeed "
    "passenger perl pop3 port_in postpone preread proxy push quic random real_ip recursive request_pool reset "
    "resolver rewrite rtmp satisfy scgi secure_link send server_name server_names session_log set_by set_real_ip "
    "slice smtp split ssi ssl status sticky stub_status sub_filter subrequest tcp thread try types_hash underscores "
    "uninitialized_variable userid uwsgi variables_hash vhost_traffic_status worker xslt zstd"
)
_NGINX_NAMES: Final = _words(
    "access_log aio alias autoindex break brotli charset daemon directio empty_gif error_log error_page etag events "
    "expires fancyindex geo gzip http2 http3 index internal ip_hash keepalive least_conn listen load_module "
    "location log_format map master_process mirror modsecurity pagespeed pid resolver rewrite root satisfy sendfile "
    "server_name server_tokens slice split_clients ssi ssl starttls sticky types upstream valid_referers "
    "worker_processes BasicRule MainRule CheckRule DeniedUrl LearningMode SecRulesEnabled SecRulesDisabled"
)
_NGINX_REST: Final = regex(r"[a-z0-9_]+")
_NGINX_LIKELY: Final = _words(
    "allow deny env hash hostnames http if mail protocol proxy random return server set stream use user zone"
)
_NGINX_BLOCK: Final = regex(
    r"(?:http|events|stream|mail|server|types)(?:[ \t]*\{|$)|upstream[ \t]+[\w.${}-]+[ \t]*\{|location[ \t]+[^;{]+"
    r"|if[ \t]*\([ \t]*\$\w+|(?:map|geo)[ \t]+(?:\S+[ \t]+)?\$\w+[ \t]*(?:\{|$)"
)
_NGINX_BLOCK_NAME: Final = regex(
    r"events|geo|limit_except|location|map|types|upstream|charset_map|split_clients|otel_exporter|\w+_by_lua_block"
)
# what stands in these are not directives
_NGINX_DATA: Final = regex(r"(?:types|map|geo|charset_map|split_clients|match)\b[^;{}]*(?:\{$|$)")

_APACHE_SECTION: Final = (
    r"<(?:VirtualHost|Directory(?:Match)?|Location(?:Match)?|Files(?:Match)?|If(?:Module|Define|Version|File|Directive"
    r"|Section)?|Else(?:If)?|Proxy(?:Match)?|Macro|RequireA(?:ll|ny)|RequireNone|MDomain(?:Set)?|Auth[nz]ProviderAlias"
    r"|Limit(?:Except)?)\b[^\n]*>"
)
_APACHE_NAME: Final = (
    r"(?:SSL|Proxy|Rewrite|Auth|Cache|Deflate|DAV|SVN|Session|MD|H2|WSGI|Jk|Passenger|OIDC|Mellon|Shib|NSS|GnuTLS"
    r"|Expires|Index|Script|Suexec|RemoteIP|Filter|Brotli|Balancer|AJP|Sec|LDAP|MCache|RequestRead|CustomLog"
    r"|Add(?=[A-Z])|Remove|Limit|Server(?=[A-Z])|KeepAlive|Redirect|SetEnv|BrowserMatch|Force|Default|AllowOverride"
    r"|Max(?=[A-Z])|Min(?=[A-Z])|Alias|UseCanonical)[^\W_]+"
    r"|AcceptFilter|AcceptPathInfo|AccessFileName|AllowEncodedSlashes|BufferedLogs|CoreDumpDirectory"
    r"|DirectoryIndex|DirectorySlash|DocumentRoot|EnableMMAP|EnableSendfile|ErrorDocument|ErrorLog(?:Format)?"
    r"|ExtendedStatus|FallbackResource|FileETag|ForensicLog|GlobalLog|Header|HeaderName|HostnameLookups"
    r"|IncludeOptional|KeepAlive|LanguagePriority|LoadModule|LoadFile|LogFormat|LogLevel|MIMEMagicFile|Mutex"
    r"|NameVirtualHost|PassEnv|Protocols\w*|Redirect|ReadmeName|RequestHeader|SetHandler|SetInputFilter"
    r"|SetOutputFilter|StartServers|Substitute|ThreadsPerChild|TraceEnable|TransferLog|TypesConfig|UnDefine"
    r"|UnsetEnv|UserDir|php_(?:admin_)?(?:value|flag)"
)
_APACHE_LIKELY: Final = _words(
    "action alias allow define deny error group include listen options order pidfile require satisfy"
)
# programs that took over Apache's syntax: CUPS, ProFTPD, collectd, fluentd, and XML
_APACHE_LOOKALIKE: Final = (
    r"<(?:Policy|Plugin|Anonymous|Global|Class|source|match|\?xml|!DOCTYPE)\b"
    r"|(?:UseIPv6|DefaultRoot|MaxInstances|PassivePorts|ServerType|WebInterface|Browsing|LoadPlugin|Umask)[ \t]"
)


def server_kind(text: str) -> ServerKind | None:
    """Tell whether a text is nginx's or Apache's configuration; None if it is neither, or cannot be told."""
    written = [line for line in map(str.strip, text[:_LOOKED_AT].split("\n")) if line and not line.startswith("#")]
    lines = [line for line in written if len(line) <= _LONGEST_LINE]
    if len(lines) <= _FEW_LINES:
        # all of it may be in a line or two, as programs write it; only nginx allows that
        pieces = [piece for line in written for piece in _STATEMENT_END.split(_QUOTED.sub('""', line))]
        pieces = [piece for piece in pieces if 0 < len(piece) <= _LONGEST_LINE]
        if len(pieces) > len(lines) and _nginx_score(pieces):
            return "nginx"
    nginx = _nginx_score(lines)
    if nginx and nginx >= sum(map(_may_be_apache, lines)):
        return "nginx"
    apache = _apache_score(lines)
    if not nginx and not apache:
        return None
    return "nginx" if nginx >= apache else "apache"


def _may_be_apache(line: str) -> bool:
    """Whether a line could count for Apache: told without the large patterns, which take long to compile."""
    return line[0] == "<" or (line != "}" and not line.endswith((";", "{")))


def _nginx_score(lines: list[str]) -> int:
    """Count the lines that are nginx's; 0 if none is for sure, or if most are something else."""
    sure = likely = other = includes = 0
    in_data = False
    for line in lines:
        if in_data:
            in_data = not line.startswith("}")
            continue
        name = _NAME.match(line)
        if _NGINX_BLOCK.match(line):
            sure += 1
            in_data = bool(_NGINX_DATA.match(line))
        elif _FOREIGN.match(line):
            other += 1
        elif name and line.partition(" #")[0].rstrip()[-1:] in (";", "{", "}"):
            if _is_nginx_name(name[0]) if ";" in line else _NGINX_BLOCK_NAME.fullmatch(name[0]):
                sure += 1
                in_data = bool(_NGINX_DATA.match(line))
            elif name[0] in _NGINX_LIKELY:
                likely += 1
            elif name[0] == "include":
                likely += 1
                # BIND and dhcpd want quotes, which nobody writes for nginx
                includes += '"' in line
            else:
                other += 1
    if sure:
        return sure + likely if sure + likely >= other else 0
    return likely if likely > includes and not other else 0


def _is_nginx_name(name: str) -> bool:
    """Whether no other program has such a directive: a name of its own, or one that begins as a module's do."""
    if name in _NGINX_NAMES:
        return True
    at = name.find("_")
    while at > 0:
        if name[:at] in _NGINX_PREFIXES and _NGINX_REST.fullmatch(name, at + 1):
            return True
        at = name.find("_", at + 1)
    return False


def _apache_score(lines: list[str]) -> int:
    """Count the lines that are Apache's; 0 if none is for sure, or if most are something else."""
    section = re.compile(_APACHE_SECTION, re.IGNORECASE)
    known = re.compile(_APACHE_NAME, re.IGNORECASE)
    lookalike = re.compile(_APACHE_LOOKALIKE)
    sure = likely = other = 0
    continued = False
    for line in lines:
        was_continued, continued = continued, line.endswith("\\")
        if was_continued:
            continue
        name = _NAME.match(line)
        if lookalike.match(line):
            return 0
        if section.match(line):
            sure += 1
        elif _FOREIGN.match(line):
            other += 1
        elif name and not line.endswith((";", "{")):
            if known.fullmatch(name[0]):
                sure += 1
            elif name[0].lower() in _APACHE_LIKELY:
                likely += 1
            else:
                other += 1
    return sure + likely if sure and sure + likely >= other else 0
