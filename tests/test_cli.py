"""The command line as users meet it: exit codes, streams, options, and what it says to input of every bad kind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest

from support.servers import NGINX_NAMES, needed_nginx, nginx_test
from tlslint.cli import run
from tlslint.finding import Finding
from tlslint.policy import Policy, load_policy, schema
from tlslint.resolve.model import Deployment
from tlslint.rules import RULES
from tlslint.rules.protocols import no_protocol
from tlslint.tls.ciphers import listed
from tlslint.tls.suites import library

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "fixtures" / "sites" / "shop"
PAIR = "ssl_certificate a.pem; ssl_certificate_key a.key;"
BAD = f"""\
events {{}}
http {{
    server {{
        listen 443 ssl; {PAIR}
        ssl_protocols TLSv1.1 TLSv1.2;
    }}
}}
"""
FRAGMENT = "server {\n    listen 80;\n}\n"

Outcome = tuple[int, str, str]
Cli = Callable[..., Outcome]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in an empty directory; returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Outcome:
        code = run(arguments)
        return code, *capfd.readouterr()

    return call


def process(
    *arguments: str, cwd: Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "tlslint", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**inherited, "PYTHONPATH": str(ROOT / "linter"), **(environment or {})},
        timeout=60,
        check=False,
    )


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# -- exit codes ----------------------------------------------------------------------------------------------------


def test_findings(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", BAD)
    code, out, err = cli("--output-format", "concise")
    assert code == 1
    assert "nginx.conf:5:23: error " in out
    assert "in 1 file (2 endpoints, mozilla-intermediate@6.0)" in err


def test_nothing_found(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", "events {}\nhttp {\n    server {\n        listen 80;\n    }\n}\n")
    code, out, err = cli()
    assert (code, out) == (0, "")
    assert err.startswith("no issues in 1 file (1 endpoint")


def test_the_severity_that_fails_is_a_choice(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", BAD)
    only = ("--select", "missing-protocol,syntax-error")
    levels = {level: cli(*only, "--fail-on", level)[0] for level in ("info", "warning", "error")}
    assert levels == {"info": 1, "warning": 1, "error": 0}
    assert cli(*only)[0] == 1
    assert cli(*only, "--exit-zero")[0] == 0


def test_a_process_ends_with_the_same_codes(tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)
    write(tmp_path, "good.conf", FRAGMENT)
    codes = {arguments: process(*arguments, cwd=tmp_path).returncode for arguments in (
        ("good.conf",), ("bad.conf",), ("none.conf",), ("--nonsense",), ("rule", "none"), ("--version",), ("--help",),
    )}  # fmt: skip
    assert list(codes.values()) == [0, 1, 2, 2, 2, 0, 0]


def test_no_input_is_a_failure(cli: Cli) -> None:
    code, out, err = cli()
    assert (code, out) == (2, "")
    assert "no nginx or Apache configuration was found here" in err
    assert "no issues" not in err


def test_the_tool_failing_beats_exit_zero(cli: Cli) -> None:
    assert cli("none.conf", "--exit-zero")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "nginx=new"), "is not a version of nginx"),
        (("--target", "plan9"), "plan9"),
        (("--policy", "intermediat"), "did you mean 'intermediate'?"),
        (("--policy", "none.json"), "none.json: cannot be read"),
        (("--select", "weak-protocl"), 'no rule "weak-protocl" (did you mean "weak-protocol"?)'),
        (("--ignore", "TLS999"), 'no rule "TLS999"'),
        (("--ignore", "syntax-error"), "TLS001 syntax-error cannot be switched off"),
        (("--root", "none"), "--root none: no such directory"),
        (("--path-map", "etc=x"), "write it as /path/on/the/server=path/here"),
        (("--path-map", "/etc=none"), "none does not exist"),
        (("--now", "soon"), "--now soon: not a date"),
        (("--config", "none.toml"), "none.toml: No such file or directory"),
        (("--config", "x", "--isolated"), "exclude each other"),
        (("--fail-on", "never"), "never"),
        (("--output-format", "xml"), "xml"),
        (("--colour",), "--colour"),
    ],
)
def test_bad_options(arguments: tuple[str, ...], message: str, cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", BAD)
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_mistyped_command_is_recognised(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("shwo")
    assert code == 2
    assert 'did you mean "show"?' in err
    write(tmp_path, "rules", BAD)
    assert cli("rules")[0] == 1


def test_a_file_named_like_a_command(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "rule", BAD)
    assert cli("./rule")[0] == 1
    assert cli("check", "rule")[0] == 1


# -- bad input -----------------------------------------------------------------------------------------------------

NOT_READABLE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "missing": ("no such file or directory", lambda path: None),
    "fifo": ("is a FIFO", lambda path: os.mkfifo(path)),
    "loop": ("too many levels of symbolic links", lambda path: path.symlink_to(path)),
    "dangling": ("no such file or directory", lambda path: path.symlink_to("nowhere")),
    "too large": ("is larger than 64 MiB", lambda path: _sparse(path, 65 << 20)),
}


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize("kind", NOT_READABLE)
def test_what_cannot_be_read_is_named_and_the_rest_is_linted(kind: str, cli: Cli, tmp_path: Path) -> None:
    message, make = NOT_READABLE[kind]
    make(tmp_path / "x.conf")
    write(tmp_path, "bad.conf", BAD)
    code, out, err = cli("x.conf", "bad.conf", "--output-format", "concise")
    assert code == 2
    assert f"error: x.conf: {message}" in err
    assert "no issues" not in err
    assert "bad.conf:5:23: error " in out


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("events {}\nhttp {\n    server {\n        listen 443 ssl\n    }\n}\n", "4:9"),
        ("events {}\nhttp {\n    server {\n", "3:5"),
        ('events {}\nhttp {\n    ssl_ciphers "ALL;\n}\n', "3:17"),
        (b"events {}\n\x00\xff\xfe\x1b[31m;}\n", "2:"),
        ("http {\n" * 20_000, ""),
    ],
    ids=["semicolon", "brace", "quote", "binary", "nested"],
)
def test_what_cannot_be_parsed_is_a_finding_and_the_rest_is_linted(
    text: str | bytes, place: str, cli: Cli, tmp_path: Path
) -> None:
    write(tmp_path, "x.conf", text)
    write(tmp_path, "bad.conf", BAD)
    code, out, err = cli("x.conf", "bad.conf", "--output-format", "concise", "--select", "weak-protocol,no-protocol")
    assert code == 1
    assert any(line.startswith(f"x.conf:{place}") and " TLS001 syntax-error: " in line for line in out.splitlines())
    assert "bad.conf:5:23: error " in out
    assert "no issues" not in err
    assert out.isascii()
    assert out.replace("\n", "").isprintable()


def test_a_syntax_error_cannot_be_left_out(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "x.conf", "server {")
    assert "TLS001" in cli("x.conf", "--select", "TLS2", "--output-format", "concise")[1]
    assert "TLS001" in cli("x.conf", "--ignore", "TLS0", "--output-format", "concise")[1]
    assert cli("x.conf", "--ignore", "ALL")[0] == 1


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "\ufeff"])
def test_empty_files(text: str, cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "x.conf", text)
    code, out, err = cli("x.conf")
    assert code in (0, 1)
    assert "Traceback" not in err + out


def test_files_that_include_themselves(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", "events {}\nhttp {\n    include a.conf;\n}\n")
    write(tmp_path, "a.conf", "include b.conf;\n")
    write(tmp_path, "b.conf", "include a.conf;\n")
    code, out, _ = cli("nginx.conf", "--output-format", "concise")
    assert code == 1
    assert "include-cycle" in out


def test_templates_are_not_checked_and_said_so(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "x.conf", "server {\n    listen {{ port }} ssl;\n}\n")
    code, out, err = cli("x.conf")
    assert (code, out) == (0, "")
    assert "x.conf: template (Jinja2), not checked" in err
    assert "nothing was checked" in err


def test_certificates_that_are_not_there_are_counted(cli: Cli, tmp_path: Path) -> None:
    tls = "    ssl_certificate /etc/pki/none.pem;\n    ssl_certificate_key /etc/pki/none.key;\n"
    for number in range(8):
        write(tmp_path, f"{number}.conf", f"server {{\n    listen 443 ssl;\n{tls}}}\n")
    _, out, err = cli("--select", "TLS001")
    assert out == ""
    [line] = [line for line in err.splitlines() if "/etc/pki/none.pem" in line]
    assert '"/etc/pki/none.pem" of 2 endpoints, and 7 more' in line
    assert "--root" in line
    assert "no issues" not in err


# -- failures of tlslint itself ------------------------------------------------------------------------------------


def test_a_rule_that_raises_is_named_and_the_others_run(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(deployment: Deployment, policy: Policy) -> list[Finding]:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(no_protocol, "check", check)
    write(tmp_path, "bad.conf", BAD)
    code, out, err = cli("bad.conf", "--output-format", "concise")
    assert code == 2
    assert "bad.conf:5:23: error " in out
    assert "internal error: rule no-protocol failed on bad.conf: ZeroDivisionError('oops')" in err
    assert "Traceback" not in err
    assert "Traceback" in cli("bad.conf", "-v")[2]


@pytest.mark.parametrize(
    ("function", "stage"),
    [("tlslint.resolve.nginx.resolve", "resolving bad.conf failed: "), ("tlslint.run.discover", "internal error: ")],
)
def test_a_stage_that_raises_is_named(
    function: str, stage: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RecursionError("oops")

    monkeypatch.setattr(function, fail)
    write(tmp_path, "bad.conf", BAD)
    code, out, err = cli("bad.conf")
    assert (code, out) == (2, "")
    assert stage in err
    assert "oops" in err
    assert "Traceback" not in err


# -- streams -------------------------------------------------------------------------------------------------------


def test_standard_input(tmp_path: Path) -> None:
    done = process("-", "--output-format", "concise", cwd=tmp_path, stdin=BAD.encode())
    assert done.returncode == 1
    assert b"<stdin>:5:23: error " in done.stdout


def test_standard_input_may_stand_for_a_file(tmp_path: Path) -> None:
    write(tmp_path, "conf/tls.conf", "ssl_protocols TLSv1.1 TLSv1.2;\n")
    text = f"events {{}}\nhttp {{\n    include tls.conf;\n    server {{ listen 443 ssl; {PAIR} }}\n}}\n".encode()
    done = process("-", "--stdin-filename", "conf/nginx.conf", "--output-format", "concise", cwd=tmp_path, stdin=text)
    assert b"conf/tls.conf:1:15: error " in done.stdout
    assert b"include-not-found" not in done.stdout


def test_what_nginx_dumps(tmp_path: Path) -> None:
    dump = (
        b"nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"
        b"# configuration file /etc/nginx/nginx.conf:\nevents {}\nhttp {\n    include tls.conf;\n"
        b"    server {\n        listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key;\n    }\n}\n\n"
        b"# configuration file /etc/nginx/tls.conf:\nssl_protocols TLSv1.1 TLSv1.2;\n\n"
    )
    done = process("-", "--output-format", "concise", cwd=tmp_path, stdin=dump)
    assert done.returncode == 1
    assert b"/etc/nginx/tls.conf:1:15: error " in done.stdout


def test_colour_is_for_those_who_want_it(tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)

    def coloured(*arguments: str, **environment: str) -> bool:
        done = process("bad.conf", *arguments, cwd=tmp_path, environment=environment)
        assert (b"\x1b[" in done.stdout) == (b"\x1b[" in done.stderr)
        return b"\x1b[" in done.stdout

    assert not coloured()
    assert coloured("--color", "always")
    assert coloured("--color", "always", NO_COLOR="1")
    assert coloured(FORCE_COLOR="1")
    assert not coloured(FORCE_COLOR="1", NO_COLOR="1")
    assert not coloured("--color", "never", FORCE_COLOR="1")


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)
    read, write_end = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "tlslint", "bad.conf"],
        cwd=tmp_path,
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "linter")},
        timeout=60,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tlslint", "bad.conf"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "linter")},
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"error: standard output: No space left on device\n"


def test_an_interruption(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tlslint", "-"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "linter")},
        # a test run in the background may have it ignored, which children inherit
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:
        assert child.stdin is not None
        # more than a pipe holds: once it is taken, tlslint is reading
        child.stdin.write(b"#" * (1 << 20))
        child.stdin.flush()
        for _ in range(100):
            # again, because one that comes just before a blocking call is only noticed after it
            child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=0.3)
                break
        assert child.stderr is not None
        assert b"Traceback" not in child.stderr.read()
    assert child.returncode == 130


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    ],
    ids=["C", "C without UTF-8 mode", "ascii"],
)
def test_any_locale(environment: dict[str, str], tmp_path: Path) -> None:
    path = os.fsdecode(b"caf\xe9-\xe6\xbc\xa2.conf")
    write(tmp_path, path, BAD.replace("listen", "server_name \u6f22.example; listen").encode() + b"# \xff\n")
    for arguments in ((path,), ("show", path), (path, "--output-format", "json")):
        done = process(*arguments, cwd=tmp_path, environment=environment)
        assert done.returncode in (0, 1)
        assert b"Error" not in done.stderr
        assert b"caf" in done.stdout


# -- settings ------------------------------------------------------------------------------------------------------


def test_settings_file_and_command_line(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)
    write(tmp_path, "tlslint.toml", 'policy = "old"\nselect = ["missing-protocol"]\nfail-on = "error"\n')
    code, out, err = cli("bad.conf", "--output-format", "concise")
    assert code == 0
    assert "TLS102" in out
    assert "mozilla-old@" in err
    assert cli("bad.conf", "--fail-on", "warning", "--policy", "intermediate")[0] == 1
    assert "mozilla-intermediate@" in cli("bad.conf", "--isolated")[2]
    write(tmp_path, "other.toml", 'policy = "modern"\n')
    assert "mozilla-modern@" in cli("bad.conf", "--config", "other.toml")[2]


def test_severities_are_a_choice(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)
    write(tmp_path, "tlslint.toml", 'select = ["missing-protocol"]\n[severity]\nmissing-protocol = "error"\n')
    code, out, _ = cli("bad.conf", "--output-format", "concise", "--fail-on", "error")
    assert code == 1
    assert ": error TLS102" in out
    write(tmp_path, "tlslint.toml", '[severity]\nsyntax-error = "info"\n')
    code, _, err = cli("bad.conf")
    assert code == 2
    assert "syntax-error cannot be made less severe" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('polcy = "old"\n', 'tlslint.toml:1:1: unknown key "polcy" (did you mean "policy"?)'),
        ("policy = \n", "tlslint.toml:1:"),
        ('ignore = ["no-such-rule"]\n', 'no rule "no-such-rule"'),
    ],
)
def test_bad_settings(text: str, message: str, cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "bad.conf", BAD)
    write(tmp_path, "tlslint.toml", text)
    code, out, err = cli("bad.conf")
    assert (code, out) == (2, "")
    assert message in err


def test_root_and_path_map(cli: Cli, tmp_path: Path) -> None:
    text = f"events {{}}\nhttp {{\n    include /data/tls.conf;\n    server {{ listen 443 ssl; {PAIR} }}\n}}\n"
    write(tmp_path, "rootfs/etc/nginx/nginx.conf", text)
    write(tmp_path, "rootfs/data/tls.conf", "ssl_protocols TLSv1.1 TLSv1.2;\n")
    expected = "rootfs/data/tls.conf:1:15: error "
    options = ("--output-format", "concise")
    assert expected not in cli("rootfs/etc/nginx/nginx.conf", *options)[1]
    assert expected in cli("rootfs/etc/nginx/nginx.conf", "--root", "rootfs", *options)[1]
    assert expected in cli("--root", "rootfs", *options)[1]
    assert expected in cli("rootfs/etc", "--path-map", "/data=rootfs/data", *options)[1]


def test_findings_of_a_file_that_two_configurations_include_are_one(cli: Cli, tmp_path: Path) -> None:
    for name in ("a", "b"):
        server = f"server {{ listen 443 ssl; {PAIR} server_name {name}.example; }}\n"
        write(tmp_path, f"{name}/nginx.conf", f"events {{}}\nhttp {{\n    include ../tls.conf;\n    {server}}}\n")
    write(tmp_path, "tls.conf", "ssl_protocols TLSv1.1 TLSv1.2;\n")
    _, out, _ = cli("a/nginx.conf", "b/nginx.conf", ".", "--output-format", "json", "--select", "TLS10")
    places = [(item["code"], item["file"], item["line"], item["column"]) for item in json.loads(out)["findings"]]
    assert len(places) == len(set(places))
    shared = [item for item in json.loads(out)["findings"] if item["file"] == "tls.conf"]
    assert shared
    assert all({"a.example on 0.0.0.0:443", "b.example on 0.0.0.0:443"} <= set(item["endpoints"]) for item in shared)


# -- the other commands --------------------------------------------------------------------------------------------


def test_show_fails_like_check(cli: Cli, tmp_path: Path) -> None:
    assert cli("show", "none.conf")[0] == 2
    write(tmp_path, "bad.conf", BAD)
    assert cli("show", "bad.conf")[0] == 0
    assert cli("show", "bad.conf", "--target", "nginx=x")[0] == 2


def test_show_puts_many_alike_endpoints_together(cli: Cli, tmp_path: Path) -> None:
    tls = "ssl_certificate a.pem; ssl_certificate_key a.key; ssl_protocols TLSv1.2;"
    servers = "".join(
        f"server {{ listen 443 ssl; server_name {number}.example.org; {tls} }}\n" for number in range(2000)
    )
    write(tmp_path, "nginx.conf", f"events {{}}\nhttp {{\n{servers}}}\n")
    code, out, _ = cli("show", "nginx.conf", "--target", "nginx=1.30,openssl=3.5")
    assert code == 0
    assert len(out.splitlines()) < 35
    words = " ".join(out.split())
    assert "9.example.org and 1,990 more names on 0.0.0.0:443" in words
    assert "protocols TLSv1.2 [nginx.conf:3 and 1,999 more places]" in words


def test_ciphers(cli: Cli) -> None:
    target = ("--target", "nginx=1.22.1,openssl=3.0.19")
    code, out, err = cli("ciphers", "AES128-SHA:FOO:ECDHE+AESGCM", *target)
    assert (code, err) == (0, "")
    assert "AES128-SHA" in out
    assert "outside the policy: no forward secrecy" in out
    assert "unknown: FOO" in out
    code, out, _ = cli("ciphers", "AES128-SHA:FOO", *target, "--output-format", "json")
    assert json.loads(out) == {
        "string": "AES128-SHA:FOO",
        "ciphers": [suite.name for suite in listed("AES128-SHA:FOO", library("3.0.19"))],
        "error": None,
        "refused": ["AES128-SHA"],
        "unknown": ["FOO"],
    }
    assert json.loads(out)["ciphers"][0] == "TLS_AES_256_GCM_SHA384"
    code, out, _ = cli("ciphers", "NOTHING")
    assert code == 1
    assert "refused: no cipher match" in out


def test_ciphers_line_by_line(tmp_path: Path) -> None:
    lines = [b"HIGH", b"", b"@SECLEVEL=9", b"caf\xe9", b"AES128-SHA\r"]
    done = process("ciphers", "-", "--target", "openssl=1.1.1w", cwd=tmp_path, stdin=b"\n".join(lines))
    assert done.returncode == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["string"] for answer in answers] == ["HIGH", "", "@SECLEVEL=9", "caf\ufffd", "AES128-SHA"]
    assert [bool(answer["error"]) for answer in answers] == [False, True, True, True, False]
    assert [bool(answer["ciphers"]) for answer in answers] == [True, False, False, False, True]


def test_rules(cli: Cli) -> None:
    _, out, _ = cli("rule")
    assert [line.split()[0] for line in out.splitlines()] == [module.rule.code for module in RULES]
    _, out, _ = cli("rule", "tls101")
    assert out.startswith("# weak-protocol\n\n`TLS101` · error · ")
    assert "## What it finds" in out
    assert cli("rule", "weak-protocol")[1] == out
    _, out, _ = cli("rule", "--all", "--output-format", "json")
    catalogue = json.loads(out)["rules"]
    assert [item["name"] for item in catalogue] == [module.rule.name for module in RULES]
    assert all("## How to fix it" in item["documentation"] for item in catalogue)
    code, _, err = cli("rule", "weak-protocols")
    assert (code, err) == (2, 'error: no rule "weak-protocols" (did you mean "weak-protocol"?)\n')


@pytest.mark.parametrize("name", ["intermediate", "modern", "mozilla-old@5.7", "pci-dss-4", "stig", "bsi-tr-02102-2"])
def test_a_printed_policy_is_a_policy_that_means_the_same(name: str, cli: Cli, tmp_path: Path) -> None:
    _, out, _ = cli("policy", name, "--output-format", "json")
    jsonschema.validate(json.loads(out), schema())
    path = write(tmp_path, "printed.json", out)
    printed, bundled = load_policy(str(path)), load_policy(name)
    fields = [field for field in Policy.__dataclass_fields__ if field != "citations"]
    assert [getattr(printed, field) for field in fields] == [getattr(bundled, field) for field in fields]
    _, out, _ = cli("policy", name)
    assert out.startswith(f"{bundled.spelling}  {bundled.title}\n")


def test_policies_are_listed_and_validated(cli: Cli, tmp_path: Path) -> None:
    _, out, _ = cli("policy")
    assert "mozilla-intermediate@6.0" in out
    assert "(the default)" in out
    write(tmp_path, "ours.json", '{"name": "ours", "extends": "mozilla-intermediate", "protocols": ["TLSv1.9"]}')
    code, out, err = cli("policy", "ours.json")
    assert (code, out) == (2, "")
    assert "ours.json" in err
    assert "$.protocols[0]" in err


@pytest.mark.parametrize("name", ["policy", "report", "show"])
def test_schemas_are_printed(name: str, cli: Cli) -> None:
    _, out, _ = cli("schema", name)
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


# -- the shop of the README ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NGINX_NAMES)
def test_nginx_accepts_the_shop(name: str) -> None:
    nginx = needed_nginx(name)
    accepted, output = nginx_test(nginx, SHOP)
    assert accepted, output
    assert "[warn]" not in output


def test_the_shop_has_real_faults_several_includes_away(cli: Cli) -> None:
    code, out, _ = cli(str(SHOP), "--output-format", "json")
    report = json.loads(out)
    assert code == 1
    assert report["unknown"] == report["problems"] == report["skipped"] == []
    found = {(item["name"], Path(item["file"]).name) for item in report["findings"]}
    assert {
        ("weak-protocol", "tls.conf"),
        ("unknown-cipher", "tls.conf"),
        ("shadowed-protocols", "api.conf"),
        ("no-forward-secrecy", "old-ciphers.conf"),
        ("lowered-security-level", "old-ciphers.conf"),
    } <= found


def test_every_rule_module_can_be_explained(cli: Cli) -> None:
    for module in RULES:
        code, out, _ = cli("rule", module.rule.name)
        assert code == 0
        assert module.rule.code in out


class TestCertificates:
    def pair(self, folder: Path) -> None:
        for name in ("a-rsa-expired.pem", "a-rsa.key"):
            (folder / name).write_bytes((ROOT / "fixtures" / "certificates" / name).read_bytes())
        text = BAD.replace("a.pem", "a-rsa-expired.pem").replace("a.key", "a-rsa.key")
        (folder / "nginx.conf").write_text(text, encoding="utf-8")

    def test_now_moves_the_clock(self, cli: Cli, tmp_path: Path) -> None:
        self.pair(tmp_path)
        for now, code in (("2026-01-15", None), ("2026-02-20", "TLS309"), ("2026-04-01", "TLS308")):
            _, out, _ = cli("nginx.conf", "--now", now, "--select", "TLS308,TLS309", "--output-format", "concise")
            assert (code in out) if code else (out == "")

    def test_absent_certificates_are_one_line_unless_required(self, cli: Cli, tmp_path: Path) -> None:
        hosts = "".join(
            f"server {{ listen 443 ssl; ssl_certificate /x/{n}.pem; ssl_certificate_key /x/{n}.key; }}\n"
            for n in range(20)
        )
        (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{\n{hosts}}}\n", encoding="utf-8")
        code, out, err = cli("nginx.conf", "--select", "TLS3")
        assert (code, out) == (0, "")
        (line,) = [line for line in err.splitlines() if line.startswith("could not check")]
        assert "--root" in line
        assert "--require-certificates" in line
        code, out, _ = cli("nginx.conf", "--select", "TLS3", "--require-certificates", "--output-format", "concise")
        assert code == 1
        assert out.count("TLS301") == 40

    def test_a_trust_store_has_to_be_there(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "nginx.conf").write_text(BAD, encoding="utf-8")
        code, _, err = cli("nginx.conf", "--trust-store", "absent.pem")
        assert code == 2
        assert err.startswith("error: trust-store: absent.pem: No such file")


def test_defines_for_apache(cli: Cli, tmp_path: Path) -> None:
    """What `-D` names is added to what the settings have."""
    host = "<VirtualHost *:443>\nServerName shop.test\nSSLEngine on\n</VirtualHost>\n"
    text = f"Listen 443\n<IfDefine SSL>\n<IfDefine SHOP>\n{host}</IfDefine>\n</IfDefine>\n"
    (tmp_path / "httpd.conf").write_text(text)
    (tmp_path / "tlslint.toml").write_text('apache-defines = ["SSL"]\n')
    assert "shop.test" not in cli("show", "httpd.conf")[1]
    assert "shop.test" in cli("show", "httpd.conf", "-D", "SHOP")[1]
    assert "shop.test" in cli("show", "httpd.conf", "--define", "SHOP", "--define", "OTHER")[1]
