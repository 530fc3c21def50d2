"""Fixed certificate files on real servers: clients meet a whole chain, in order, and nothing of the key has changed."""

import re
import shutil
import stat
import subprocess
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest

from pki.workshop import FOLDER, cases
from support.apache import ApacheServer, needed_apache
from support.servers import NGINX_NAMES, NginxServer, ServerError, free_ports, needed_nginx
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.settings import Settings

HOST = "shop.example.test"
WHOLE = [HOST, "Issuing CA", "Upper CA"]
NOW = cases()["healthy"].now
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)
KEY = (FOLDER / "keys" / "leaf.key").read_bytes()
STARTS_NOT = ("leaf-last",)
FAULTS = {
    "out-of-order": "chain-order",
    "leaf-last": "chain-order",
    "with-root": "root-in-chain",
    "leaf-twice": "unrelated-certificate",
    "intermediate-twice": "unrelated-certificate",
    "unrelated": "unrelated-certificate",
    "leaf-only": "missing-intermediate",
    "gap": "missing-intermediate",
}
"""Cases of the workshop and the rule whose fix mends them."""
LAYOUTS = {
    "a key of its own": {"nginx": "ssl_certificate site.pem;\nssl_certificate_key site.key;",
                         "apache": "SSLCertificateFile {folder}/site.pem\nSSLCertificateKeyFile {folder}/site.key"},
    "the key inside": {"nginx": "ssl_certificate site.pem;\nssl_certificate_key site.pem;",
                       "apache": "SSLCertificateFile {folder}/site.pem"},
    "a chain file": {"apache": "SSLCertificateFile {folder}/site.pem\nSSLCertificateKeyFile {folder}/site.key\n"
                               "SSLCertificateChainFile {folder}/chain.pem"},
}  # fmt: skip
SERVERS = (*NGINX_NAMES, "apache")


@dataclass(frozen=True)
class Site:
    """A configuration around certificates of the workshop, and the socket on which it is served."""

    folder: Path
    server: str
    port: int

    def running(self) -> NginxServer | ApacheServer:
        if self.server == "apache":
            return ApacheServer(needed_apache(), self.folder)
        return NginxServer(needed_nginx(self.server), self.folder)

    def client(self) -> tuple[list[str], str]:
        """What `openssl s_client` gets: the names of the certificates as they are sent, and its verdict."""
        command = f"openssl s_client -connect 127.0.0.1:{self.port} -servername {HOST} -showcerts -no-CApath"
        options = ["-no-CAstore", "-CAfile", str(FOLDER / "anchors.pem"), "-attime", str(int(NOW.timestamp()))]
        done = subprocess.run([*command.split(), *options], input=b"", capture_output=True, timeout=20, check=False)
        text = done.stdout.decode(errors="replace")
        verdict = re.search(r"Verify return code: \d+ \((.*)\)", text)
        assert verdict is not None, done.stderr
        return re.findall(r"(?m)^ *\d+ s:CN = (.*)$", text), verdict[1]


def site_of(case: str, layout: str, server: str, folder: Path) -> Site:
    (port,) = free_ports(1)
    chain = cases()[case].certificate.read_bytes()
    blocks = BLOCK.findall(chain)
    kind = "apache" if server == "apache" else "nginx"
    if layout == "a chain file":
        (folder / "chain.pem").write_bytes(b"".join(blocks[1:]))
        chain = blocks[0]
    (folder / "site.pem").write_bytes(b"the shop's\n" + chain + (KEY if "inside" in layout else b""))
    (folder / "site.pem").chmod(0o640)
    (folder / "site.key").write_bytes(KEY)
    shutil.copy(FOLDER / "leaf-only.intermediates.pem", folder / "intermediates.pem")
    lines = LAYOUTS[layout][kind].format(folder=folder)
    if server == "apache":
        text = (
            f"Listen 127.0.0.1:{port}\nServerName base.example.test\n<VirtualHost 127.0.0.1:{port}>\n"
            f"ServerName {HOST}\nSSLEngine on\n{lines}\n</VirtualHost>\n"
        )
        (folder / "apache2.conf").write_text(text, encoding="utf-8")
    else:
        text = f"events {{}}\nhttp {{\nserver {{\nlisten 127.0.0.1:{port} ssl;\nserver_name {HOST};\n{lines}\n}}\n}}\n"
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return Site(folder, server, port)


def mend(site: Site, rule: str) -> list[str]:
    """Make the fixes of a rule; returns the names of the files that are kept as they were."""
    name = "apache2.conf" if site.server == "apache" else "nginx.conf"
    settings = Settings(
        root="/",
        server="apache" if site.server == "apache" else "nginx",
        now=NOW.isoformat(),
        trust_store=(str(FOLDER / "anchors.pem"),),
        fixable=(rule,),
    )
    with chdir(site.folder):
        outcome = fix([name], settings, unsafe=rule == "missing-intermediate")
        assert outcome.report.failures == []
        kept = write(outcome.changes)
        assert fix([name], settings, unsafe=True).changes == []
    return [Path(path).name for path in kept]


CASES = [
    (case, layout, server)
    for server in SERVERS
    for case in FAULTS
    for layout, spelt in LAYOUTS.items()
    if ("apache" if server == "apache" else "nginx") in spelt
    # the first certificate never comes from the chain's file
    and not (layout == "a chain file" and case in ("leaf-last", "leaf-only"))
]


@pytest.mark.parametrize(("case", "layout", "server"), CASES)
def test_clients_get_a_whole_chain_in_order(case: str, layout: str, server: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    site = site_of(case, layout, server, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    sent: list[str] = []
    try:
        with site.running():
            sent, verdict = site.client()
        assert case not in STARTS_NOT
        assert (verdict == "ok") == (FAULTS[case] != "missing-intermediate")
    except ServerError:
        assert case in STARTS_NOT
    assert sent != WHOLE
    kept = mend(site, FAULTS[case])
    with site.running():
        assert site.client() == (WHOLE, "ok")
    changed = {name for name, data in before.items() if (tmp_path / name).read_bytes() != data}
    assert len(changed) == 1 or (case, layout) == ("leaf-twice", "a chain file")
    assert kept == [f"{name}.orig" for name in sorted(changed) if name.endswith(".pem")]
    for name in changed:
        assert not name.endswith(".conf") or layout == "a chain file"
        if name.endswith(".pem"):
            assert (tmp_path / f"{name}.orig").read_bytes() == before[name]
            # text and key are where they were, and the file is as open as it was
            assert BLOCK.sub(b"", (tmp_path / name).read_bytes()) == BLOCK.sub(b"", before[name])
    assert stat.S_IMODE((tmp_path / "site.pem").stat().st_mode) == 0o640
