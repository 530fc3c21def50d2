"""The template engines, each with what only its templates hold. Loaded for files that may be one."""

import re

from tlslint.parse.template import SHELL_VARIABLE

_COMMENT_LINES = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)

_JINJA_STATEMENT = re.compile(
    r"\{%[-+]?\s*(?:if|elif|else|for|set|block|include|extends|macro|import|from|raw|with|call|filter|do|end\w+)\b"
)
_SALT = re.compile(r"\b(?:salt|pillar|grains)(?:\[|\.get\b)")
_EXPRESSION = re.compile(r"\{\{[-~]?[^{}]*\}\}")
_CONTENT = re.compile(
    # directives whose text goes to browsers or logs, where a script's own {{ }} and %h%l are at home
    r"^[ \t]*(?:return|sub_filter|add_header|log_format|set|echo|LogFormat|CustomLog|Substitute|Header|ErrorDocument)"
    r"[ \t][^\n]*",
    re.MULTILINE,
)
_GO = re.compile(
    r"\{\{-?\s*(?:[.$]|/\*|\(|(?:if|else|range|with|end|template|define|block|range|printf|index|len|eq|not|and|or"
    r"|getenv|getv|gets|exists|env|key|keyOrDefault|secret|service|services|file|plugin|datasource|ds)\b(?!\s*[|}.\[]))"
)
_MUSTACHE = re.compile(r"\{\{(?:[#^/>]\s*\w|\{\s*\w)")
_ERB = re.compile(r"<%[-=#|]|<%\s[^%]*%>|<%\s*$", re.MULTILINE)
_EPP = re.compile(r"<%-?\s*\||<%=?\s*\$")
_MAKO = re.compile(
    r"<%(?:def|block|inherit|include|namespace|page|!)\b|^[ \t]*% ?(?:if|for|while)\b[^\n]*:", re.MULTILINE
)
_TOOLKIT = re.compile(r"\[%[-+=~]?\s[^%]*?\s?[-+=~]?%\]|\[%[-+=~]?\s+\w+")
# the sign comes before what must not precede it: a search skips quickly to a first character that is given
_AT_SIGNS = re.compile(r"@(?<![\w@]@)@[A-Za-z]\w*@@(?![\w@])")
_AUTOCONF = re.compile(r"@(?<![\w@+.%-]@)[A-Za-z]\w+@(?![\w@.])")
_UNDERSCORES = re.compile(r"(?<![A-Za-z0-9_])__[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*__(?![A-Za-z0-9_])")
_PERCENT = re.compile(r"(?<![\w%])%(?![0-9a-fA-F]{2,}%)[A-Za-z][A-Za-z_]+%")
_DOUBLE_PERCENT = re.compile(r"%%[A-Z][A-Z0-9_]*%%")

_ANY_SHELL = re.compile(r"\$(?:\{[A-Za-z_]\w*\}|[A-Z][A-Z0-9_]+\b)")
_UPPER_CASE = re.compile(r"\$\{?[A-Z][A-Z0-9_]+")
# where nginx takes no variable, an upper-case one can only be meant for another program
_NO_VARIABLES = re.compile(
    r"(?:^|[;{])[ \t]*(?:listen|server_name|server|include|load_module|user|pid|error_log|resolver"
    r"|worker_(?:processes|connections|rlimit_nofile|shutdown_timeout)|keepalive_(?:timeout|requests)"
    r"|client_(?:max_body_size|body_timeout|header_timeout)|send_timeout|http2|http3|gzip|allow|deny|set_real_ip_from"
    r"|(?:proxy_|grpc_|uwsgi_)?ssl_(?:protocols|ciphers|trusted_certificate|verify|verify_depth|session_reuse|crl)"
    r"|ssl_(?:dhparam|ecdh_curve|client_certificate|session_cache|session_timeout|session_tickets|session_ticket_key"
    r"|prefer_server_ciphers|stapling|stapling_verify|stapling_file|password_file|verify_client|early_data|buffer_size)"
    r"|(?:proxy|fastcgi|uwsgi|grpc)_(?:connect|read|send)_timeout)[ \t]+[^;{}\n]*\$\{?[A-Z][A-Z0-9_]+",
    re.MULTILINE,
)
_APACHE_SECTION = re.compile(
    r"^[ \t]*<(?:/?[A-Z][A-Za-z]+)[^>\n]*>|^[ \t]*(?:LoadModule|ServerRoot|ServerName)[ \t]", re.MULTILINE
)

_TEMPLATE_NAME = re.compile(
    r"\.(?:j2|jinja2?|erb|epp|tmpl|ctmpl|gotmpl|tpl|stpl|template|templ|mako|mustache|hbs|tt2?|envsubst|in|sls)(?:\.|$)"
    r"|[-_.]template$"
)


def engine_of(text: str, path: str) -> str | None:
    """The engine by name, or ``None`` if the text is plain configuration after all."""
    named_template = _TEMPLATE_NAME.search(path.rsplit("/", 1)[-1].lower()) is not None
    if not named_template:
        text = _COMMENT_LINES.sub("", text)
    return _by_statements(text, path) or _by_expressions(text, named_template) or _by_names(text, named_template)


def _by_statements(text: str, path: str) -> str | None:
    """Engines whose statements cannot be taken for anything that a server reads."""
    if "{%" in text and _JINJA_STATEMENT.search(text):
        return "Salt" if _SALT.search(text) else "Jinja2"
    if "<%" in text:
        if _MAKO.search(text):
            return "Mako"
        if path.endswith(".epp") or _EPP.search(text):
            return "Puppet EPP"
        if _ERB.search(text):
            return "ERB"
    if "[%" in text and _TOOLKIT.search(text):
        return "Template Toolkit"
    if "%" in text and _MAKO.search(text):
        return "Mako"
    return None


def _by_expressions(text: str, named_template: bool) -> str | None:
    """Engines that put expressions between double braces."""
    if "{{" not in text:
        return None
    if not named_template:
        text = _CONTENT.sub("", text)
    if _GO.search(text):
        return "Go template"
    if _MUSTACHE.search(text):
        return "Mustache"
    if _EXPRESSION.search(text):
        return "Salt" if _SALT.search(text) else "Jinja2"
    return None


def _by_names(text: str, named_template: bool) -> str | None:
    """Placeholders that a script replaces."""
    if "@" in text:
        if _AT_SIGNS.search(text):
            return "@@NAME@@ placeholders"
        if _AUTOCONF.search(text):
            return "autoconf"
    if "__" in text and _UNDERSCORES.search(text):
        return "__NAME__ placeholders"
    if "%" in text:
        if _DOUBLE_PERCENT.search(text):
            return "%%NAME%% placeholders"
        if len(_PERCENT.findall(_CONTENT.sub("", text))) >= (1 if named_template else 2):
            return "%name% placeholders"
    if "$" in text:
        if named_template and (_ANY_SHELL if _APACHE_SECTION.search(text) else SHELL_VARIABLE).search(text):
            return "environment placeholders"
        if _UPPER_CASE.search(text) and _NO_VARIABLES.search(text) and not _APACHE_SECTION.search(text):
            return "environment placeholders"
    return None
