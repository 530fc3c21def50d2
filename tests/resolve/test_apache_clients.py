"""What an Apache host does with the verification of client certificates, as far as its lines say."""

from pathlib import Path

import pytest

from support.prediction import apache_deployment
from tlslint.resolve.model import ClientChecks

NONE = ("", "")
TARGET = "apache=2.4.71,openssl=3.0.19"


def checks(tmp_path: Path, *lines: str, main: str = "") -> ClientChecks:
    entry = tmp_path / "apache2.conf"
    body = "\n".join(lines)
    entry.write_text(f"Listen 8443\n{main}\n<VirtualHost *:8443>\nServerName a.test\n{body}\n</VirtualHost>\n")
    return apache_deployment(entry, TARGET).virtual_hosts[0].client_checks


@pytest.mark.parametrize(
    ("lines", "variables", "condition", "comparison"),
    [
        (["<Location /a>", "Require ssl-verify-client", "</Location>"], "ssl_client_verify", True, ("=", "SUCCESS")),
        (
            ["<Location />", 'SSLRequire %{SSL_CLIENT_S_DN_O} eq "X"', "</Location>"],
            "ssl_client_s_dn_o",
            True,
            NONE,
        ),
        (
            ["<Location />", "Require expr \"%{SSL_CLIENT_VERIFY} == 'SUCCESS'\"", "</Location>"],
            *("ssl_client_verify", True, ("=", "SUCCESS")),
        ),
        (
            ["RewriteEngine on", "RewriteCond %{SSL:SSL_CLIENT_VERIFY} !^SUCCESS$", "RewriteRule ^ - [F]"],
            *("ssl_client_verify", True, ("!~", "SUCCESS")),
        ),
        (
            ["<If \"%{SSL_CLIENT_VERIFY} != 'SUCCESS'\">", "Redirect 403 /", "</If>"],
            *("ssl_client_verify", True, ("!=", "SUCCESS")),
        ),
        (['RequestHeader set X-Client "%{SSL_CLIENT_S_DN}s"'], "ssl_client_s_dn", False, NONE),
        (["SSLUserName SSL_CLIENT_S_DN_CN"], "ssl_client_s_dn_cn", False, NONE),
        (["SSLOptions +FakeBasicAuth"], "ssl_client_s_dn", True, NONE),
        (["SSLOptions +StdEnvVars"], "ssl_client_s_dn ssl_client_verify", False, NONE),
    ],
)
def test_uses(tmp_path: Path, lines: list[str], variables: str, condition: bool, comparison: tuple[str, str]) -> None:
    (use,) = checks(tmp_path, *lines).uses
    assert " ".join(sorted(use.variables)) == variables
    assert use.condition is condition
    assert (use.operator, use.value) == comparison


def test_what_tells_nobody_is_no_use(tmp_path: Path) -> None:
    found = checks(
        tmp_path, 'Header set X-Result "%{SSL_CLIENT_VERIFY}s"', 'CustomLog logs/a "%{SSL_CLIENT_VERIFY}x"',
        "SSLOptions -StdEnvVars", "Require all granted",
    )  # fmt: skip
    assert found == ClientChecks()


def test_what_the_main_server_does_counts_for_its_hosts(tmp_path: Path) -> None:
    found = checks(tmp_path, main="<Location />\nRequire ssl-verify-client\nRequire ip 192.0.2.1\n</Location>")
    assert [use.value for use in found.uses] == ["SUCCESS"]
    assert found.guarded


def test_scripts_may_look_at_anything(tmp_path: Path) -> None:
    assert (
        checks(tmp_path, "OIDCProviderMetadataURL https://id.test/").doubt == "OIDCProviderMetadataURL may look at it"
    )
