"""What is found to lint, and what is left alone."""

import csv
import os
import subprocess
from pathlib import Path

import pytest

from support.corpus import CORPUS, needed_corpus
from support.rule_fixtures import FIXTURES
from support.servers import NGINX_NAMES, needed_nginx
from tlslint.discover import Discovered, discover, split_dump
from tlslint.parse.tree import Source, Tree
from tlslint.resolve.include import Unreadable
from tlslint.settings import Settings
from tlslint.sniff import server_kind

SITE = "server {\n    listen 443 ssl;\n    server_name a.test;\n}\n"
MAIN = "events {}\nhttp {\n    include conf.d/*.conf;\n    include /etc/nginx/sites-enabled/*;\n}\n"
APACHE = "<VirtualHost *:443>\n    ServerName a.test\n    SSLEngine on\n</VirtualHost>\n"

OTHERS = {
    "php-fpm": "[www]\nuser = www-data\nlisten = /run/php/php-fpm.sock\npm = dynamic\n",
    "my.cnf": "[mysqld]\nuser = mysql\nssl-cert = /etc/mysql/cert.pem\nssl_cipher=AES\n",
    "systemd": "[Unit]\nDescription=nginx\n\n[Service]\nExecStart=/usr/sbin/nginx -g 'daemon off;'\n",
    "haproxy": "global\n    maxconn 100\nfrontend web\n    bind :443 ssl crt /etc/x.pem\n"
    "    server a 10.0.0.1:80 check\n",
    "dnsmasq": "listen-address=127.0.0.1\nserver=/example/10.0.0.1\nconf-dir=/etc/dnsmasq.d\n",
    "logrotate": "/var/log/nginx/*.log {\n    daily\n    missingok\n    postrotate\n        invoke-rc.d nginx rotate\n"
    "    endscript\n}\n",
    "fail2ban": "[nginx-http-auth]\nenabled = true\nport = http,https\nlogpath = %(nginx_error_log)s\n",
    "named": 'options {\n    directory "/var/cache/bind";\n    listen-on { any; };\n};\nzone "a" { type master; };\n',
    "named includes": 'include "/etc/bind/named.conf.options";\ninclude "/etc/bind/named.conf.local";\n',
    "dhcpd": "option domain-name example.org;\nauthoritative;\ndeny unknown-clients;\n"
    "subnet 10.0.0.0 netmask 255.0.0.0 {\n"
    "    range 10.0.0.5 10.0.0.9;\n}\n",
    "nftables": "table inet filter {\n    chain input {\n        type filter hook input priority 0;\n    }\n}\n",
    "dovecot": "ssl = required\nssl_protocols = !SSLv3\nservice auth {\n  user = root\n}\n",
    "cups": "LogLevel warn\nListen localhost:631\n<Location />\n  Order allow,deny\n</Location>\n"
    "<Policy default>\n</Policy>\n",
    "proftpd": 'ServerName "Debian"\nServerType standalone\nUser proftpd\n<IfModule mod_tls.c>\nTLSEngine on\n'
    "</IfModule>\n",
    "collectd": "Hostname x\nLoadPlugin nginx\n<Plugin nginx>\n  URL http://localhost/status\n</Plugin>\n",
    "varnish": 'backend default {\n    .host = "127.0.0.1";\n}\nsub vcl_recv {\n    set req.x = "y";\n}\n',
    "supervisor": "[program:nginx]\ncommand=nginx -g 'daemon off;'\n",
    "sshd": "Port 22\nListenAddress 127.0.0.1\nPermitRootLogin no\nSubsystem sftp internal-sftp\n",
    "ld.so": "include /etc/ld.so.conf.d/*.conf\n",
    "lighttpd": 'server.port = 80\n$HTTP["host"] == "a" {\n  server.document-root = "/srv"\n}\n',
    "keepalived": "vrrp_instance VI_1 {\n    state MASTER\n    interface eth0\n}\n",
    "empty": "",
    "comments": "# server {\n#     listen 443 ssl;\n# }\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contexts(found: Discovered) -> dict[str, str]:
    return {root.display: root.context for root in found.roots}


def look(*paths: str, **settings: object) -> Discovered:
    return discover(paths, Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("program", OTHERS)
def test_other_programs_files_are_left_alone(folder: Path, program: str) -> None:
    write(folder, {"conf.d/other.conf": OTHERS[program], "site.conf": SITE})
    assert server_kind(OTHERS[program]) is None
    assert contexts(look(".")) == {"site.conf": "http"}


def test_what_main_files_include_is_no_root_of_its_own(folder: Path) -> None:
    write(
        folder,
        {
            "nginx/nginx.conf": MAIN,
            "nginx/conf.d/a.conf": SITE.replace("listen", "include snippets/tls.conf;\n    listen"),
            "nginx/conf.d/b.conf": SITE,
            "nginx/snippets/tls.conf": "ssl_protocols TLSv1.2;\n",
            "nginx/snippets/unused.conf": "ssl_protocols TLSv1.3;\n",
        },
    )
    found = look()
    assert contexts(found) == {"nginx/nginx.conf": "main", "nginx/snippets/unused.conf": "server"}
    main, fragment = found.roots
    assert main.files is fragment.files
    assert {root.base for root in found.roots} == {str(folder / "nginx")}
    # each file was read once, and parsed with the tree that is handed on
    assert main.files.reads == 5
    assert isinstance(main.files.tree(f"{folder}/nginx/conf.d/b.conf"), Tree)
    assert main.files.reads == 5


def test_enabled_sites_are_one_file_with_those_available(folder: Path) -> None:
    write(
        folder, {"etc/nginx/nginx.conf": MAIN, "etc/nginx/sites-available/a": SITE, "etc/nginx/sites-available/b": SITE}
    )
    (folder / "etc/nginx/sites-enabled").mkdir()
    (folder / "etc/nginx/sites-enabled/a").symlink_to("../sites-available/a")
    (folder / "etc/nginx/sites-enabled/b").symlink_to("/etc/nginx/sites-available/b")
    assert contexts(look(".", root=".")) == {"etc/nginx/nginx.conf": "main"}
    assert contexts(look(root=str(folder))) == {"etc/nginx/nginx.conf": "main"}
    # told nothing, tlslint takes the directory of the only nginx.conf for /etc/nginx, and says so
    told_nothing = look(".")
    assert contexts(told_nothing) == {"etc/nginx/nginx.conf": "main"}
    assert told_nothing.notes == ("/etc/nginx is taken for etc/nginx, where nginx.conf is (--path-map says otherwise)",)


def test_two_main_files_are_not_taken_for_the_servers(folder: Path) -> None:
    write(folder, {"blue/nginx.conf": MAIN, "green/nginx.conf": MAIN, "blue/sites-enabled/a": SITE})
    assert look(".").notes == ()


def test_fragments_that_include_each_other(folder: Path) -> None:
    write(folder, {"z.conf": SITE + "include a.conf;\n", "a.conf": SITE, "m.conf": SITE + "include n.conf;\n"})
    write(folder, {"n.conf": SITE + "include m.conf;\n"})
    assert contexts(look(".")) == {"m.conf": "http", "z.conf": "http"}


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("worker_processes 2;\n", "main"),
        ("http {\n    gzip on;\n}\n", "main"),
        ("stream {\n}\n", "main"),
        (SITE, "http"),
        ("upstream a {\n    server 10.0.0.1:80;\n}\n", "http"),
        ("map $host $x {\n    default 1;\n}\n", "http"),
        ("map $ssl_preread_server_name $x {\n    default 1;\n}\n", "stream"),
        ("server {\n    listen 443;\n    ssl_preread on;\n    proxy_pass backend;\n}\n", "stream"),
        ("server {\n    listen 993 ssl;\n    protocol imap;\n}\n", "mail"),
        ("server 10.0.0.1:80;\nkeepalive 4;\n", "upstream"),
        ("listen 443 ssl;\nlocation / {\n    proxy_pass http://a;\n}\n", "server"),
        ("location / {\n    root /srv;\n}\n", "server"),
        ("ssl_protocols TLSv1.2;\nssl_ciphers HIGH;\n", "server"),
        ("proxy_pass http://a;\nproxy_set_header Host $host;\n", "location"),
        ("proxy_ssl_verify on;\n", "location"),
        ("# tlslint: context=http\nssl_protocols TLSv1.2;\n", "http"),
        ("#tlslint:context=stream\nserver {\n    listen 1 ssl;\n}\n", "stream"),
        ("include servers/*;\n", "http"),
    ],
)
def test_context_of_a_fragment(folder: Path, text: str, context: str) -> None:
    write(folder, {"x.conf": text, "servers/one": SITE})
    found = look("x.conf")
    assert contexts(found) == {"x.conf": context}
    assert not found.problems


def test_unknown_context_is_said(folder: Path) -> None:
    write(folder, {"x.conf": "\n# tlslint: context=vhost\n" + SITE})
    found = look("x.conf")
    assert contexts(found) == {"x.conf": "http"}
    assert found.problems[0][0] == "x.conf:2"
    assert 'no context "vhost"' in found.problems[0][1]


def test_templates_are_named_as_such(folder: Path) -> None:
    jinja = "server {\n    listen 443 ssl;\n{% if x %}\n    server_name {{ name }};\n{% endif %}\n}\n"
    write(
        folder,
        {"a.conf": jinja, "vhost.j2": jinja, "templates/b.conf.j2": jinja, "php.conf.j2": "[www]\na = {{ b }}\n"},
    )
    found = look(".")
    assert not found.roots
    assert not found.problems
    assert found.skipped == tuple(
        (name, "template (Jinja2), not checked") for name in ("a.conf", "templates/b.conf.j2", "vhost.j2")
    )


def test_named_files_are_always_taken(folder: Path) -> None:
    write(folder, {"notes.txt": "not configuration at all\n", "vendor/a.conf": SITE, "httpd.txt": "what is this\n"})
    found = look("notes.txt", "vendor/a.conf", "httpd.txt", exclude=("vendor/**",))
    assert {root.display: root.server for root in found.roots} == {
        "notes.txt": "nginx",
        "vendor/a.conf": "nginx",
        "httpd.txt": "apache",
    }


def test_what_is_not_looked_at(folder: Path) -> None:
    write(folder, dict.fromkeys(("a.conf", "vendor/b.conf", "x/old/c.conf", "d.conf.bak", ".git/e.conf"), SITE))
    write(folder, dict.fromkeys(("node_modules/f.conf", ".venv/g.conf", "conf.d/site", "conf.d/README.md"), SITE))
    (folder / "loop").symlink_to(".")
    outside = folder.parent / f"{folder.name}-outside"
    write(outside, {"h.conf": SITE})
    (folder / "out").symlink_to(outside)
    (folder / "i.conf").symlink_to(outside / "h.conf")
    os.mkfifo(folder / "pipe.conf")
    found = look(".", exclude=("vendor/**", "old"))
    assert contexts(found) == {"a.conf": "http", "conf.d/site": "http"}
    assert [path for path, _ in found.skipped] == ["i.conf"]
    assert contexts(look("i.conf")) == {"i.conf": "http"}


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    (folder / "nothing").mkdir()
    os.mkfifo(folder / "pipe")
    found = look("missing.conf", "nothing", "pipe")
    assert not found.roots
    assert found.problems == (
        ("missing.conf", "no such file or directory"),
        ("pipe", "is a FIFO"),
        ("nothing", "no nginx or Apache configuration was found here"),
    )
    write(folder, {"nothing/x.conf": OTHERS["php-fpm"]})
    assert [reason for _, reason in look("nothing").problems] == ["no nginx or Apache configuration was found here"]
    assert look(root="nothing").problems == (("nothing", "no nginx or Apache configuration was found here"),)


def test_a_root_without_the_usual_files_is_searched(folder: Path) -> None:
    write(folder, {"rootfs/opt/x/site.conf": SITE, "elsewhere.conf": SITE})
    assert [(root.entry, root.display) for root in look(root="rootfs").roots] == [
        ("/opt/x/site.conf", "rootfs/opt/x/site.conf")
    ]


def test_apache_is_found_and_told_apart(folder: Path) -> None:
    write(folder, {"apache2/apache2.conf": "IncludeOptional sites-enabled/*.conf\nKeepAlive On\nUser www-data\n"})
    write(folder, {"apache2/sites-enabled/a.conf": APACHE, "apache2/sites-available/b.conf": APACHE, "n.conf": SITE})
    kinds = {root.display: (root.server, root.context) for root in look(".").roots}
    assert kinds == {
        "apache2/apache2.conf": ("apache", "main"),
        "apache2/sites-available/b.conf": ("apache", "server"),
        "n.conf": ("nginx", "http"),
    }
    only = look(".", server="nginx")
    assert contexts(only) == {"n.conf": "http"}
    assert {reason for _, reason in only.skipped} == {"configuration of Apache"}
    assert look("apache2/apache2.conf", server="nginx").roots[0].server == "nginx"


def test_usual_places_below_a_root(folder: Path) -> None:
    write(folder, {"rootfs/etc/nginx/nginx.conf": MAIN, "rootfs/etc/nginx/conf.d/a.conf": SITE})
    write(folder, {"rootfs/etc/httpd/conf/httpd.conf": "ServerRoot /etc/httpd\nLoadModule a b\n" + APACHE})
    roots = look(root="rootfs").roots
    assert [(root.entry, root.server) for root in roots] == [
        ("/etc/httpd/conf/httpd.conf", "apache"),
        ("/etc/nginx/nginx.conf", "nginx"),
    ]
    mapped = look(path_map={"/etc/nginx": "rootfs/etc/nginx"}).roots
    assert [(root.entry, root.display) for root in mapped] == [("/etc/nginx/nginx.conf", "rootfs/etc/nginx/nginx.conf")]


def test_a_configuration_on_standard_input(folder: Path) -> None:
    write(folder, {"rootfs/etc/nginx/tls.conf": "ssl_protocols TLSv1.2;\n"})
    text = SITE.replace("listen", "include /etc/nginx/tls.conf;\n    listen")
    root = discover(["-"], Settings(), text.encode()).roots[0]
    assert (root.display, root.server, root.context) == ("<stdin>", "nginx", "http")
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    assert tree.source.text == text
    told = discover(["-"], Settings(root="rootfs"), text.encode()).roots[0]
    assert isinstance(told.files.source("/etc/nginx/tls.conf"), Source)
    told_nothing = root.files.source("/etc/nginx/tls.conf")
    assert isinstance(told_nothing, Unreadable)
    assert told_nothing.kind == "outside"
    assert discover(["-"], Settings(), APACHE.encode()).roots[0].server == "apache"


@pytest.mark.parametrize("name", NGINX_NAMES)
def test_nginx_dump_gives_the_files_back(folder: Path, name: str) -> None:
    binary = needed_nginx(name)
    contents = {
        "conf/nginx.conf": b"events {}\ninclude d/*;\ninclude d/1;",
        "conf/d/1": b"# no line end",
        "conf/d/2": b"",
        "conf/d/3": b"# two line ends\n\n",
        "conf/d/4": b"# \xff not UTF-8\r\n# CRLF\r\n",
        "conf/d/5": b"# configuration file " + os.fsencode(folder) + b"/conf/d/1:\n# of a comment\n",
        "conf/d/a b:": b"# odd name\n",
    }
    for path, data in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    command = [str(binary.path), "-T", "-p", f"{folder}/", "-c", f"{folder}/conf/nginx.conf", "-e", "stderr"]
    done = subprocess.run([*command, "-g", f"pid {folder}/pid;"], capture_output=True, timeout=30, check=True)
    for output in (done.stdout, done.stderr + done.stdout):
        dump = split_dump(output)
        assert {path: source.data for path, source in dump.items()} == {
            f"{folder}/{path}": data for path, data in contents.items()
        }
    (root,) = discover(["-"], Settings(), done.stdout).roots
    assert (root.entry, root.context, root.base) == (f"{folder}/conf/nginx.conf", "main", f"{folder}/conf")
    included = root.files.expand(root.files.resolve("d/*", root.base))
    assert included == [f"{folder}/{path}" for path in sorted(contents) if "/d/" in path]


def corpus_files(kind: str) -> list[str]:
    with (CORPUS / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == kind and row["template"] == "no"]
    listed = [row["local_path"] for row in rows if "symlink" not in row["notes"]]
    folder = CORPUS / "mozilla" / kind
    generated = [str(path.relative_to(CORPUS)) for path in sorted(folder.glob("*.conf"))]
    return listed + generated


def corpus_text(path: str) -> str:
    return (CORPUS / path).read_bytes().decode("utf-8", "surrogateescape")


# the only nginx files of the corpus that do not show what they are
NOT_TOLD = {
    "comment_in_file.conf": "holds one comment",
    "mime.types": "one of these is empty",
    "rate-limiting.conf": "all of it is commented out",
    "naxsi-ui.conf.1.4.1": "of another program",
    "foo.conf": "no statement is ended",
    "bar.conf": "no statement is ended",
    "not-included.conf": "no statement is ended",
    "quote-behavior/nginx.conf": "one statement of an unknown name, which nginx refuses",
}


def test_corpus_is_told_apart() -> None:
    needed_corpus()
    untold = [path for path in corpus_files("nginx") if server_kind(corpus_text(path)) != "nginx"]
    assert all(any(path.endswith(f"/{name}") for name in NOT_TOLD) for path in untold), untold
    assert len(untold) == len(NOT_TOLD)
    apache = {path: server_kind(corpus_text(path)) for path in corpus_files("apache")}
    assert [path for path, kind in apache.items() if kind == "nginx"] == []
    assert sum(kind == "apache" for kind in apache.values()) >= len(apache) - 30
    assert {server_kind(corpus_text(path)) for path in corpus_files("pem") if (CORPUS / path).is_file()} <= {None}


ONE_LINE = "events {} http { server { listen 443 ssl; server_name a.test; } }"
LONG_LINE = f"events {{}} http {{ {'server { listen 443 ssl; ssl_certificate a.pem; } ' * 40} }}"


@pytest.mark.parametrize(
    "text",
    [
        ONE_LINE,
        f"# generated\n{ONE_LINE} # end\n",
        "daemon off; events {}http{server{listen 443 ssl;}}",
        LONG_LINE,
        f"{LONG_LINE}\n{LONG_LINE}\n",
        'add_header Content-Security-Policy "default-src a; script-src b; img-src d"; ssl_protocols TLSv1.2;',
        "open_file_cache max=10; open_file_cache_valid 30s;",
    ],
)
def test_a_configuration_on_one_line_is_nginxs(folder: Path, text: str) -> None:
    assert server_kind(text) == "nginx"
    write(folder, {"conf/site.conf": text, "apache/nginx.conf": text})
    assert [root.server for root in look("conf").roots] == ["nginx"]
    assert [root.server for root in look("apache/nginx.conf").roots] == ["nginx"]


def test_the_name_decides_where_the_text_does_not_tell(folder: Path) -> None:
    broken = "ssl_protocols TLSv1\n"
    assert server_kind(broken) is None
    write(folder, {"apache/nginx.conf": broken, "apache/site.conf": broken})
    assert [root.server for root in look("apache/nginx.conf").roots] == ["nginx"]
    assert [root.server for root in look("apache/site.conf").roots] == ["apache"]


@pytest.mark.parametrize(
    "text",
    ["SSLProtocol all; SSLEngine on;", "SSLEngine on\n", 'Header set Content-Security-Policy "upgrade; server; x;"\n'],
)
def test_few_lines_of_apaches_stay_apaches(text: str) -> None:
    assert server_kind(text) in ("apache", None)


def test_every_nginx_fixture_on_one_line_is_nginxs() -> None:
    for path in sorted(FIXTURES.glob("rules/*/nginx/*.conf")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if server_kind(text) != "nginx" or "lua" in text:
            continue
        line = " ".join(line.strip() for line in text.split("\n") if "#" not in line)
        assert server_kind(line) == "nginx", path


def test_a_long_line_is_no_trouble() -> None:
    # time that grew with the square of a line's length would not end here
    assert server_kind("location " + "x " * 5_000_000) is None
    assert server_kind(SITE + "a " * 5_000_000) == "nginx"
