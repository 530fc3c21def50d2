"""Apache's layouts are found without settings: Debian's, Red Hat's, builds from source, lone hosts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tlslint.discover import Discovered, Root, discover
from tlslint.resolve.apache_read import Reading, read
from tlslint.run import predict
from tlslint.settings import Settings
from tlslint.target import parse_target

HOST = "<VirtualHost *:443>\n    ServerName {name}\n    SSLEngine on\n</VirtualHost>\n"

DEBIAN = {
    "apache2.conf": "DefaultRuntimeDir ${APACHE_RUN_DIR}\nUser ${APACHE_RUN_USER}\n"
    "IncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\nInclude ports.conf\n"
    "IncludeOptional conf-enabled/*.conf\nIncludeOptional sites-enabled/*.conf\n",
    "envvars": "export APACHE_RUN_DIR=/var/run/apache2$SUFFIX\nexport APACHE_RUN_USER=www-data\n",
    "ports.conf": "Listen 80\n<IfModule ssl_module>\n\tListen 443\n</IfModule>\n",
    "mods-available/ssl.load": "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n",
    "mods-available/ssl.conf": "SSLProtocol all -SSLv3\n",
    "mods-available/info.conf": "<Location /server-info>\nSetHandler server-info\n</Location>\n",
    "sites-available/a.conf": HOST.format(name="a.test"),
    "sites-available/b.conf": HOST.format(name="b.test"),
    "conf-available/charset.conf": "AddDefaultCharset UTF-8\n",
    "conf-available/security.conf": "ServerTokens OS\nTraceEnable Off\n",
}
DEBIAN_LINKS = {
    "mods-enabled/ssl.load": "../mods-available/ssl.load",
    "mods-enabled/ssl.conf": "../mods-available/ssl.conf",
    "sites-enabled/a.conf": "../sites-available/a.conf",
    "conf-enabled/charset.conf": "../conf-available/charset.conf",
}

RED_HAT = {
    "conf/httpd.conf": 'ServerRoot "/etc/httpd"\nListen 80\n'
    "Include conf.modules.d/*.conf\nIncludeOptional conf.d/*.conf\n",
    "conf.modules.d/00-ssl.conf": "LoadModule ssl_module modules/mod_ssl.so\n",
    "conf.d/ssl.conf": "<IfModule mod_ssl.c>\nListen 443 https\n" + HOST.format(name="a.test") + "</IfModule>\n",
    "conf.d/README": "This directory holds configuration files.\n",
}

SOURCE = {
    "conf/httpd.conf": 'ServerRoot "/usr/local/apache2"\nLoadModule ssl_module modules/mod_ssl.so\nListen 80\n'
    "Include conf/extra/httpd-ssl.conf\n",
    "conf/extra/httpd-ssl.conf": "Listen 443\n" + HOST.format(name="a.test"),
    "conf/extra/httpd-mpm.conf": "<IfModule !mpm_netware_module>\nPidFile logs/httpd.pid\n</IfModule>\n",
}


def write(folder: Path, files: dict[str, str], links: dict[str, str] | None = None) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, target in (links or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def look(*paths: str, **settings: Any) -> Discovered:
    return discover(paths, replace(Settings(), **settings))


def contexts(found: Discovered) -> dict[str, str]:
    return {root.display: root.context for root in found.roots}


def reading(root: Root) -> Reading:
    return read(root, parse_target(None, "apache"))


def hosts(found: Reading) -> list[str]:
    return [str(host.own["servername"][0].argument(0)) for host in found.main.sections("virtualhost")]


def ports(found: Reading) -> list[str]:
    return [str(place.argument(0)) for place in found.main.own.get("listen", ())]


@pytest.mark.parametrize("named", ["apache2", "apache2/apache2.conf", "."])
def test_debians_layout(folder: Path, named: str) -> None:
    write(folder / "apache2", DEBIAN, DEBIAN_LINKS)
    found = look(named)
    main = found.roots[0]
    assert (main.display, main.context) == ("apache2/apache2.conf", "main")
    got = reading(main)
    assert (got.problems, got.unknown) == ([], [])
    assert hosts(got) == ["a.test"]
    assert ports(got) == ["80", "443"]
    user = got.main.last("user")
    assert user is not None
    assert user.directive.arguments == ("www-data",)
    assert [place.directive.source.path for place in got.main.own["sslprotocol"]] == ["apache2/mods-enabled/ssl.conf"]
    if named != "apache2/apache2.conf":
        assert contexts(found) == {"apache2/apache2.conf": "main", "apache2/sites-available/b.conf": "server"}
        assert found.skipped == (
            ("apache2/conf-available", "one file that is not enabled, not checked"),
            ("apache2/mods-available", "one file that is not enabled, not checked"),
        )


def test_what_a_debian_site_names_absolutely_is_found_in_the_tree(folder: Path) -> None:
    site = "<VirtualHost *:443>\nInclude /etc/apache2/tls.conf\n</VirtualHost>\n"
    write(folder, {**DEBIAN, "sites-available/a.conf": site, "tls.conf": "SSLProtocol TLSv1.3\n"}, DEBIAN_LINKS)
    found = look(".")
    assert found.notes == ("/etc/apache2 is taken for ., where apache2.conf is (--path-map says otherwise)",)
    got = reading(found.roots[0])
    assert (got.problems, got.unknown) == ([], [])
    assert next(got.main.sections("virtualhost")).own.keys() == {"sslprotocol"}


def test_a_part_of_a_layout_is_no_error(folder: Path) -> None:
    write(folder / "deb", {"apache2.conf": DEBIAN["apache2.conf"]})
    got = reading(look("deb").roots[0])
    assert got.problems == []
    assert got.main.incomplete


@pytest.mark.parametrize("named", ["etc", "etc/conf/httpd.conf", "etc/conf"])
def test_red_hats_layout(folder: Path, named: str) -> None:
    write(folder / "etc", RED_HAT)
    found = look(named)
    if named == "etc/conf":
        # its ServerRoot is out of sight
        assert reading(found.roots[0]).main.incomplete
        return
    assert contexts(found) == {"etc/conf/httpd.conf": "main"}
    got = reading(found.roots[0])
    assert (got.problems, got.unknown) == ([], [])
    assert hosts(got) == ["a.test"]
    assert ports(got) == ["80", "443"]
    assert got.modules.family is None or got.modules.family == "rhel"


def test_a_build_from_source(folder: Path) -> None:
    write(folder / "usr/local/apache2", SOURCE)
    found = look("usr/local/apache2")
    assert contexts(found)["usr/local/apache2/conf/httpd.conf"] == "main"
    assert "usr/local/apache2/conf/extra/httpd-ssl.conf" not in contexts(found)
    assert hosts(reading(found.roots[0])) == ["a.test"]


def test_below_a_root_nothing_is_assumed(folder: Path) -> None:
    write(folder / "rootfs/etc/httpd", RED_HAT)
    write(folder / "rootfs/etc/apache2", DEBIAN, DEBIAN_LINKS)
    found = look(root="rootfs")
    assert {root.entry for root in found.roots} == {"/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf"}
    assert [hosts(reading(root)) for root in found.roots] == [["a.test"], ["a.test"]]
    assert found.notes == ()


def test_lone_sites_are_parts_each(folder: Path) -> None:
    write(folder, {"sites/a.conf": HOST.format(name="a.test"), "sites/b.conf": HOST.format(name="b.test")})
    found = look("sites")
    assert contexts(found) == {"sites/a.conf": "server", "sites/b.conf": "server"}
    assert [hosts(reading(root)) for root in found.roots] == [["a.test"], ["b.test"]]
    assert [bool(reading(root).main.incomplete) for root in found.roots] == [True, True]


def test_a_part_takes_relative_names_from_the_main_files_directory(folder: Path) -> None:
    write(folder, {"httpd.conf": "ServerRoot /opt/a\n", "tls/strict.conf": "SSLProtocol TLSv1.3\n"})
    write(folder, {"vhosts/new/a.conf": HOST.format(name="a.test") + "Include tls/strict.conf\n"})
    root = next(root for root in look(".").roots if root.display == "vhosts/new/a.conf")
    assert reading(root).main.own.keys() == {"sslprotocol"}


def test_files_that_only_load_modules_are_no_roots(folder: Path) -> None:
    write(folder, {"mods-enabled/ssl.load": "# Depends: setenvif\nLoadModule ssl_module x.so\n"})
    assert look(".").roots == ()


def test_includes_through_a_define_are_followed(folder: Path) -> None:
    write(folder, {"httpd.conf": "ServerRoot .\nDefine SITES sites\nIncludeOptional ${SITES}/*.conf\n"})
    write(folder, {"sites/a.conf": HOST.format(name="a.test")})
    assert contexts(look(".")) == {"httpd.conf": "main"}


def test_templates_are_named_as_such(folder: Path) -> None:
    write(folder, {"site.conf.j2": "<VirtualHost *:443>\nServerName {{ name }}\n</VirtualHost>\n"})
    found = look(".")
    assert (found.roots, [path for path, _ in found.skipped]) == ((), ["site.conf.j2"])


def test_two_servers_side_by_side(folder: Path) -> None:
    write(folder / "apache2", DEBIAN, DEBIAN_LINKS)
    write(folder, {"nginx/nginx.conf": "events {}\nhttp {\n    server {\n        listen 80;\n    }\n}\n"})
    mains = {root.server: root.display for root in look(".").roots if root.context == "main"}
    assert mains == {"apache": "apache2/apache2.conf", "nginx": "nginx/nginx.conf"}
    deployments, report = predict(["."], Settings())
    assert report.failures == []
    assert {deployment.server for deployment in deployments} == {"apache", "nginx"}


def test_defines_and_environment_come_from_settings(folder: Path) -> None:
    text = "Listen 443\n<IfDefine TLS>\n<VirtualHost *:443>\nServerName ${NAME}\n</VirtualHost>\n</IfDefine>\n"
    write(folder, {"httpd.conf": text})
    found = look("httpd.conf", apache_defines=("TLS",), apache_environment={"NAME": "shop.test"})
    assert hosts(reading(found.roots[0])) == ["shop.test"]
    assert hosts(reading(look("httpd.conf").roots[0])) == []
