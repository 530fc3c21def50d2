"""What `Files` finds, against the real nginx, and what it refuses to read."""

import os
import posixpath
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support.servers import NGINX_NAMES, NginxBinary, needed_nginx
from tlslint.parse.tree import Source, Tree
from tlslint.pki.bundle import Bundle
from tlslint.resolve.include import Files, Unreadable

CERTIFICATE = Path(__file__).parents[1] / "fixtures" / "certificates" / "a-rsa.pem"


def run_nginx(binary: NginxBinary, folder: Path) -> tuple[list[str] | None, str]:
    """The files that nginx reads, in order, or None when it refuses; and its messages."""
    command = [str(binary.path), "-T", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", "stderr"]
    done = subprocess.run([*command, "-g", f"pid {folder}/pid;"], capture_output=True, timeout=30, check=False)
    messages = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        return None, messages
    mark = b"# configuration file "
    lines = done.stdout.split(b"\n")
    return [os.fsdecode(line[len(mark) : -1]) for line in lines if line.startswith(mark)], messages


def quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read_in_order(folder: Path, pattern: str) -> list[str] | None:
    """What we say nginx reads for one include; None when it would refuse."""
    files = Files(root="/")
    found = files.expand(files.resolve(pattern, str(folder)))
    if isinstance(found, Unreadable):
        return None
    return None if any(isinstance(files.source(path), Unreadable) for path in found) else found


NAMES = st.text("aBz0.-_~é[", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
KINDS = st.sampled_from(["file"] * 8 + ["folder", "link", "link to folder", "dangling", "loop"])
# not among them, because C libraries differ: a backslash in brackets (an escape for glibc only), and ranges that run
# backwards (nothing for glibc, everything for musl)
LITERALS = ["a", "B", "0", ".", "-", "é", "]", "\\*", "\\a"]
MASKS = ["*", "*", "**", "?", "[ab]", "[!a]", "[^B]", "[a-z]", "[]a]", "[[:digit:]]", "[[:alpha:]-]", "[.]", "[!.]"]
UNCLOSED = ["[", "[a"]
PIECES = st.sampled_from([*LITERALS, *MASKS, *UNCLOSED])
# a last part "." asks whether something is a folder, which names are resolved without
PART = st.lists(PIECES, min_size=1, max_size=4).map("".join).filter(lambda part: part != ".")
# an escaped name that something follows is looked for by some C libraries, and taken as it is by others
PARTS = st.lists(PART, min_size=1, max_size=2).filter(lambda parts: "\\" not in "".join(parts[:-1]))


@contextmanager
def random_tree(entries: dict[str, str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tlslint-") as name:
        folder = Path(name).resolve()
        (folder / "d").mkdir()
        (folder / "other").mkdir()
        (folder / "other" / "a.conf").write_text("# linked\n")
        for entry, kind in entries.items():
            path = folder / "d" / entry
            if kind == "file":
                path.write_text("# a file\n")
            elif kind == "folder":
                path.mkdir()
                for inner in ("a", "B", ".a"):
                    (path / inner).write_text("# inside\n")
            else:
                path.symlink_to(
                    {"link": "../other/a.conf", "link to folder": "../other", "dangling": "nowhere"}.get(kind, entry)
                )
        yield folder


@pytest.mark.parametrize("name", NGINX_NAMES)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, KINDS, max_size=8), PARTS)
@example({"10": "file", "2": "file", "B": "file", "a": "file", "_": "file", "é": "file", "-": "file"}, ["*"])
@example({"a-b": "folder", "a": "folder"}, ["*", "*"])
@example({"a": "loop"}, ["*", "a"])
@example({"a": "dangling"}, ["*"])
@example({"é": "file"}, ["?"])
@example({"a": "file"}, [".*"])
@example({"a": "file"}, [".*", "*"])
def test_same_files_in_the_same_order_as_nginx(name: str, entries: dict[str, str], parts: list[str]) -> None:
    binary = needed_nginx(name)
    pattern = "/".join(["d", *parts])
    with random_tree(entries) as folder:
        (folder / "nginx.conf").write_text(f"include {quoted(pattern)};\nevents {{}}\n")
        theirs, messages = run_nginx(binary, folder)
        ours = read_in_order(folder, pattern)
        if theirs is None:
            assert ours is None, messages
        else:
            entry, *included = theirs
            assert entry == f"{folder}/nginx.conf"
            # nginx prints a file once, under the name by which it came first
            assert ours is not None
            assert list(dict.fromkeys(ours)) == [posixpath.normpath(path) for path in included]


@pytest.mark.parametrize("name", NGINX_NAMES)
@pytest.mark.parametrize(
    ("include", "accepted"),
    [
        ("missing.conf", False),
        ("d/*.conf", True),
        ("no-such-folder/*.conf", True),
        ("d", False),
        ("./d/../d/a", True),
        ("*", False),  # matches the folder d
        ("d/b[1].x", True),  # not the file of that name: the bracket makes it a mask, which matches nothing
        ("d/a/x", False),
    ],
)
def test_missing_files_and_folders_as_nginx_sees_them(name: str, include: str, accepted: bool) -> None:
    binary = needed_nginx(name)
    with random_tree({"a": "file", "b[1].x": "file"}) as folder:
        (folder / "nginx.conf").write_text(f"events {{}}\ninclude {quoted(include)};\n")
        theirs, messages = run_nginx(binary, folder)
        assert (theirs is not None) == accepted, messages
        ours = read_in_order(folder, include)
        assert (ours is not None) == accepted
        if include.startswith("no-such-folder"):
            # nothing on a whole machine, but a checkout may lack the folder
            files = Files(allowed=[str(folder)])
            unknown = files.expand(files.resolve(include, str(folder)))
            assert isinstance(unknown, Unreadable)
            assert unknown.kind == "missing"


def refusal(files: Files, path: str | Path) -> str:
    result = files.source(str(path))
    assert isinstance(result, Unreadable), result
    assert result.path == str(path)
    assert result.reason
    return result.kind


def text(files: Files, path: str) -> str:
    source = files.source(path)
    assert isinstance(source, Source), source
    return source.text


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A machine's root directory with nginx's configuration, and something beside it that is none of our business."""
    nginx = tmp_path / "rootfs" / "etc" / "nginx"
    (nginx / "conf.d").mkdir(parents=True)
    (nginx / "nginx.conf").write_text("include /etc/nginx/conf.d/*.conf;\n")
    (nginx / "conf.d" / "a.conf").write_text("a on;\n")
    (tmp_path / "rootfs" / "srv").mkdir()
    (tmp_path / "rootfs" / "srv" / "shared.conf").write_text("shared on;\n")
    (tmp_path / "secret").write_text("secret\n")
    return tmp_path


def test_a_path_that_climbs_out_is_outside(tree: Path) -> None:
    nginx = tree / "rootfs" / "etc" / "nginx"
    files = Files(allowed=[str(nginx)])
    for path in (f"{nginx}/../../../secret", f"{nginx}/conf.d/../../../../secret", f"{nginx}/conf.d/../.."):
        assert refusal(files, path) == "outside"
    climbing = files.expand(f"{nginx}/.*/*")
    assert isinstance(climbing, list)
    assert f"{nginx}/nginx.conf" in climbing
    assert all(isinstance(files.source(path), Unreadable) for path in climbing if not path.startswith(f"{nginx}/"))


def test_nothing_outside_of_what_was_pointed_at(tree: Path) -> None:
    nginx = tree / "rootfs" / "etc" / "nginx"
    (nginx / "up.conf").symlink_to("../../srv/shared.conf")
    (nginx / "absolute.conf").symlink_to(tree / "secret")
    (nginx / "folder").symlink_to(tree)
    files = Files(allowed=[str(nginx)])
    assert text(files, f"{nginx}/nginx.conf")
    outside = ["up.conf", "absolute.conf", "folder/secret", "../../srv/shared.conf", "/etc/nginx/nginx.conf"]
    for name in outside:
        path = files.resolve(name, str(nginx))
        assert refusal(files, path) == "outside"
        literal = files.expand(path)
        assert isinstance(literal, Unreadable)
        assert literal.kind == "outside"
        assert isinstance(files.data(path), Unreadable)
        assert isinstance(files.bundle(path), Unreadable)
    # what a pattern finds through such a link stays unknown, not absent
    found = files.expand(f"{nginx}/*/secre?")
    assert isinstance(found, list)
    assert f"{nginx}/folder/secre?" in found
    assert {refusal(files, path) for path in found} == {"outside"}
    assert files.reads == 1


def test_root_is_where_absolute_links_lead(tree: Path) -> None:
    nginx = tree / "rootfs" / "etc" / "nginx"
    (nginx / "absolute.conf").symlink_to("/srv/shared.conf")
    (nginx / "escape.conf").symlink_to("../../../../../../../secret")
    (nginx / "host.conf").symlink_to(tree / "secret")
    (nginx / "folder").symlink_to("/srv")
    files = Files(root=str(tree / "rootfs"))
    assert files.server_path(str(nginx / "nginx.conf")) == "/etc/nginx/nginx.conf"
    assert files.expand("/etc/nginx/conf.d/*.conf") == ["/etc/nginx/conf.d/a.conf"]
    assert text(files, "/etc/nginx/absolute.conf") == "shared on;\n"
    assert text(files, "/etc/nginx/folder/shared.conf") == "shared on;\n"
    assert files.expand("/etc/nginx/fold*/*.conf") == ["/etc/nginx/folder/shared.conf"]
    # a chroot's root has nothing above it
    assert refusal(files, "/etc/nginx/escape.conf") == "missing"
    assert refusal(files, "/etc/nginx/host.conf") == "missing"


def test_path_map_prefers_the_longest_match(tree: Path) -> None:
    other = tree / "repository" / "certs"
    other.mkdir(parents=True)
    (other / "x.conf").write_text("x on;\n")
    files = Files(path_map={"/etc/nginx": str(tree / "rootfs" / "etc" / "nginx"), "/etc/nginx/certs/": str(other)})
    assert text(files, "/etc/nginx/certs/x.conf") == "x on;\n"
    assert text(files, "/etc/nginx/conf.d/a.conf") == "a on;\n"
    assert files.server_path(str(other / "x.conf")) == "/etc/nginx/certs/x.conf"
    assert refusal(files, "/etc/passwd") == "outside"
    # a relative link is followed where it lies if its place on the server is not known
    (other / "y.conf").symlink_to("../../rootfs/etc/nginx/conf.d/a.conf")
    assert text(files, "/etc/nginx/certs/y.conf") == "a on;\n"


def test_what_is_not_a_file_is_never_opened(tree: Path) -> None:
    nginx = tree / "rootfs" / "etc" / "nginx"
    os.mkfifo(nginx / "conf.d" / "pipe.conf")
    (nginx / "conf.d" / "folder.conf").mkdir()
    (nginx / "conf.d" / "null.conf").symlink_to("/dev/null")
    (nginx / "conf.d" / "loop.conf").symlink_to("loop.conf")
    (nginx / "conf.d" / "gone.conf").symlink_to("nothing")
    files = Files(allowed=[str(nginx), "/dev"])
    found = files.expand(f"{nginx}/conf.d/*.conf")
    assert isinstance(found, list)
    kinds = {posixpath.basename(path): refusal(files, path) for path in found if not path.endswith("a.conf")}
    assert kinds == {
        "pipe.conf": "not-a-file",
        "folder.conf": "not-a-file",
        "null.conf": "not-a-file",
        "loop.conf": "missing",
        "gone.conf": "missing",
    }
    assert refusal(files, nginx / "conf.d" / "a.conf" / "x") == "missing"
    assert refusal(files, f"{nginx}/\0") == "missing"
    assert refusal(files, f"{nginx}/{'x' * 300}") == "unreadable"
    assert files.reads == 0


def test_too_large_files_are_not_read(tree: Path) -> None:
    path = tree / "rootfs" / "big.conf"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    files = Files(root=str(tree / "rootfs"))
    assert refusal(files, "/big.conf") == "too-large"
    assert files.reads == 0


def test_files_are_read_and_parsed_once(tree: Path) -> None:
    files = Files(root=str(tree / "rootfs"))
    first = files.tree("/etc/nginx/nginx.conf")
    assert isinstance(first, Tree)
    assert files.tree(files.resolve("../nginx/./nginx.conf", "/etc/nginx")) is first
    assert files.source("/etc/nginx/nginx.conf") is first.source
    assert files.reads == 1


def test_a_certificate_is_read_once_by_all_its_names(tree: Path) -> None:
    root = tree / "rootfs"
    (root / "archive").mkdir()
    (root / "archive" / "cert1.pem").write_bytes(CERTIFICATE.read_bytes())
    (root / "live").symlink_to("archive")
    (root / "archive" / "cert.pem").symlink_to("/live/cert1.pem")
    files = Files(root=str(root))
    bundles = [files.bundle(path) for path in ("/archive/cert1.pem", "/live/cert1.pem", "/live/cert.pem")]
    assert isinstance(bundles[0], Bundle)
    assert bundles[0].certificates
    assert bundles[1] is bundles[0]
    assert bundles[2] is bundles[0]
    assert files.reads == 1


def test_templates_are_not_parsed(tree: Path) -> None:
    (tree / "rootfs" / "site.conf").write_text("server {\n{% if tls %}\nlisten 443 ssl;\n{% endif %}\n}\n")
    result = Files(root=str(tree / "rootfs")).tree("/site.conf")
    assert isinstance(result, Unreadable)
    assert result.kind == "template"


def test_paths_are_shown_as_the_user_knows_them(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "rootfs")
    below = Files(root=".")
    source = below.source("/etc/nginx/conf.d/a.conf")
    assert isinstance(source, Source)
    assert source.path == "etc/nginx/conf.d/a.conf"
    monkeypatch.chdir(tree / "rootfs" / "srv")
    beside = Files(allowed=["../etc/nginx"])
    source = beside.source(f"{tree}/rootfs/etc/nginx/conf.d/a.conf")
    assert isinstance(source, Source)
    assert source.path == "../etc/nginx/conf.d/a.conf"


def test_a_dump_answers_for_configuration_only(tree: Path) -> None:
    names = ["nginx.conf", "conf.d/b.conf", "conf.d/a.conf", "conf.d/.hidden.conf", "conf.d/deep/c.conf"]
    dump = {f"/etc/nginx/{name}": Source(f"/etc/nginx/{name}", f"# {name}\n") for name in names}
    (tree / "rootfs" / "etc" / "nginx" / "cert.pem").write_bytes(CERTIFICATE.read_bytes())
    files = Files(root=str(tree / "rootfs"), dump=dump)
    assert files.expand("/etc/nginx/conf.d/*.conf") == ["/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf"]
    assert files.expand("/etc/nginx/*/*/*") == ["/etc/nginx/conf.d/deep/c.conf"]
    assert text(files, "/etc/nginx/conf.d/a.conf") == "# conf.d/a.conf\n"
    assert refusal(files, "/srv/shared.conf") == "missing"
    assert isinstance(files.bundle("/etc/nginx/cert.pem"), Bundle)


def test_ten_thousand_files_cost_no_look_at_each_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10_000):
        (tmp_path / f"{number}.conf").touch()
    looks = 0
    stat = os.stat

    def counting_stat(*arguments: object, **options: object) -> os.stat_result:
        nonlocal looks
        looks += 1
        return stat(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", counting_stat)
    files = Files(allowed=[str(tmp_path)])
    found = files.expand(f"{tmp_path}/*.conf")
    assert isinstance(found, list)
    assert found == sorted(f"{tmp_path}/{number}.conf" for number in range(10_000))
    assert all(isinstance(files.source(path), Source) for path in found)
    assert files.reads == 10_000
    assert looks < 50
