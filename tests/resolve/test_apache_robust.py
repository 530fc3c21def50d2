"""Whatever stands in an Apache configuration: it is resolved, shown and checked without a traceback."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlslint.report.show import to_json, to_table
from tlslint.run import lint, predict
from tlslint.settings import Settings

NAMES = st.sampled_from(
    ("Listen", "ServerName", "ServerAlias", "SSLEngine", "SSLProtocol", "SSLCipherSuite", "SSLCertificateFile",
     "Header", "Redirect", "RedirectMatch", "RewriteEngine", "RewriteCond", "RewriteRule", "ProxyPass",
     "SSLProxyVerify",
     "CustomLog", "LogFormat", "SSLVerifyClient", "Protocols", "Require", "SSLRequire", "RequestHeader", "Alias",
     "SSLVHostSNIPolicy", "SetHandler", "BalancerMember", "DocumentRoot", "SSLStrictSNIVHostCheck", "TransferLog",
     "RewriteOptions", "SSLOptions", "GlobalLog", "Protocol", "SSLOpenSSLConfCmd", "SSLCACertificateFile")
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(
        ("on", "off", "443", "*:443", "127.0.0.1:8443", "[::1]:443", "a.test", "*.test", "always", "set", "X-T", "^",
         "-", "[R=301,L]", "[F]", "[P]", "%{HTTPS}", "!=on", "https://x.test/", "balancer://p/", "/", "permanent",
         "all",
         "+TLSv1.3", "expr=%{HTTPS} == 'on'", "env=!HTTPS", "proxy:https://b/", "", "${X}", "h2", "unset", "\u00e9",
         "*:", "[::", "a:b:c", "::", "%", "((", "0x7f.1", "ssl-verify-client", "certs/a.pem", "*" * 40, "(" * 60)
    ),
    st.text("ab:*[]./%{}()!\"'\\ ", max_size=12),
)  # fmt: skip
LINES = st.builds(lambda name, words: " ".join([name, *words]), NAMES, st.lists(WORDS, max_size=4))
SECTIONS = st.sampled_from(
    ("VirtualHost", "Location", "Directory", "If", "Proxy", "IfModule", "Files", "LocationMatch")
)


def section(name: str, words: list[str], lines: list[str]) -> str:
    return "\n".join([f"<{name} {' '.join(words)}>", *lines, f"</{name}>"])


INNER = st.builds(section, SECTIONS, st.lists(WORDS, min_size=1, max_size=2), st.lists(LINES, max_size=4))
HOSTS = st.builds(
    section,
    st.just("VirtualHost"),
    st.lists(WORDS, min_size=1, max_size=3),
    st.lists(st.one_of(LINES, INNER), max_size=5),
)
TEXTS = st.lists(st.one_of(LINES, HOSTS, INNER), max_size=8).map("\n".join)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS)
def test_nothing_crashes(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        entry = Path(folder) / "apache2.conf"
        entry.write_text(f"Listen 8443\nSSLEngine on\n{text}\n", encoding="utf-8")
        given_settings = Settings(server="apache")
        deployments, report = predict([str(entry)], given_settings)
        assert report.failures == []
        to_json(deployments)
        "".join(to_table(deployments))
        assert lint([str(entry)], given_settings).failures == []
        for deployment in deployments:
            deployment.document_roots()
            for host in deployment.virtual_hosts:
                assert host.locations
                assert host.client_checks is not None
                for other in deployment.virtual_hosts:
                    deployment.misdirected(host, other, True)
