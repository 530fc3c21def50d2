"""Random configurations, written for every way in which reading can turn: httpd's directives are ours, in its order."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from parse.apache_oracle import Httpd
from resolve.apache_dump import asked, predicted, undefined_in, without_prelude, write

NAMES = ("A", "a", "B", "Ab", "X")
WORDS = (
    "one",
    '"two words"',
    "'it'",
    '"open',
    "${A}",
    "${b}",
    '"${AB} x"',
    "x${X}y",
    "\\${A}",
    "${A",
    "a\\\\b",
    "$p",
    "%q",
)
MACROS = {"m": 2, "n": 1, "o": 0}
"""Macros and how many parameters each has; one uses only those behind it."""
PARAMETERS = ("$p", "$pp")
USED = ("m", "M", "n", "o")
FILES = ("one.conf", "dir/two.conf", "dir/three.conf", "dir/sub/four.conf")
INCLUDED = (*FILES, "dir", "dir/*.conf", "d*/t*.conf", "d?r/*/*.conf", '"dir/sub"', "dir/[a-m]*.conf", "nothing*.conf")

names = st.sampled_from(NAMES)
words = st.sampled_from(WORDS)


def cased(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from((text, text.lower(), text.upper()))


@st.composite
def leaf(draw: st.DrawFn, macros: tuple[str, ...]) -> list[str]:
    """A directive that is allowed everywhere, or one that acts while it is read."""
    kind = draw(st.integers(0, 12))
    if kind < 5:
        some = draw(st.lists(words, min_size=1, max_size=3))
        glue = draw(st.sampled_from((" ", "  ", "\t", " \\\n ", "\\\n  ")))
        return [f"{draw(cased('UnsetEnv'))} w {glue.join(some)}"]
    if kind < 8:
        value = draw(st.sampled_from(("", " v", ' "v w"', " x${A}", ' "${B} z"', ' ""', " '<'", " #")))
        return [f"Define {draw(names)}{value}"]
    if kind == 8:
        return [f"UnDefine {draw(names)}"]
    if kind == 9:
        return [draw(st.sampled_from(("# comment ${A}", "# goes on \\", "", "   ", "#<IfDefine X>")))]
    if kind == 10 and macros:
        name = draw(st.sampled_from(macros))
        arguments = ("", " one", ' "two words" $pp')[MACROS[name.lower()]] if draw(st.integers(0, 19)) else " x"
        return [f"Use {name}{arguments}"]
    return [f"IncludeOptional {draw(st.sampled_from(INCLUDED))}"]


CONDITIONS = (
    "IfDefine A", "IfDefine !A", "IfDefine a", "IfDefine ${B}", "IfDefine B x", "IfDefine !X",
    "IfModule core.c", "IfModule !env_module", "IfModule mod_ssl.c", "IfModule alias_module", "IfModule mod_ssl",
    "IfVersion >= 2.4", "IfVersion 2.4", "IfVersion !~ ^2\\.2", "IfVersion < 2.4.10", "IfVersion /^2/",
    "IfFile one.conf", "IfFile !dir", "IfFile none", "IfDirective UnsetEnv", "IfSection VirtualHost",
    "IfDirective !SSLEngine",
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn, depth: int, sections: tuple[str, ...], macros: tuple[str, ...]) -> list[str]:
    """Some lines: leaves, conditions, and the sections that may stand here."""
    found: list[str] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.integers(0, 9)) if depth else 0
        if kind < 5:
            found += draw(leaf(macros))
        elif kind < 8 or not sections:
            condition = draw(st.sampled_from(CONDITIONS))
            name = condition.partition(" ")[0]
            blank = draw(st.sampled_from(("", " ")))
            found.append(f"{blank}<{draw(cased(condition.partition(' ')[0]))} {condition.partition(' ')[2]}>")
            found += draw(lines(depth - 1, sections, macros))
            found.append(f"</{draw(cased(name))}>{blank}")
        else:
            section = draw(st.sampled_from(sections[:1]))
            inner = sections[1:]
            behind = draw(st.sampled_from(("", "", " ignored", " </IfDefine>")))
            found.append(f"<{section}>")
            found += draw(lines(depth - 1, inner, macros))
            found.append(f"</{section.partition(' ')[0]}>{behind}")
    return found


@st.composite
def macro(draw: st.DrawFn, name: str) -> list[str]:
    """A definition of a macro, which may use those that come behind it."""
    behind = tuple(MACROS)[tuple(MACROS).index(name) + 1 :]
    body = draw(lines(2, ("Files x", 'If "true"'), behind))
    written = draw(cased(name))
    return [f"<Macro {' '.join([written, *PARAMETERS[: MACROS[name]]])}>", *body, "</Macro>"]


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """A main file and what it may include."""
    sections = ("VirtualHost *:1", "Location /x", "Files x", 'If "true"')
    main = ["LoadModule env_module {modules}/mod_env.so"]
    for name in (*MACROS, *draw(st.lists(st.sampled_from(tuple(MACROS)), max_size=2))):
        main += draw(macro(name))
    main += ["Define A first", "Define B"][: draw(st.integers(0, 2))]
    main += draw(lines(3, sections, USED))
    if draw(st.booleans()):
        main += ["<Macro opens $port>", "<VirtualHost *:$port>", "UnsetEnv $port", "</Macro>", "Use opens 2"]
        main += draw(lines(2, sections[1:], USED))
        main += ["</VirtualHost>"]
    main += draw(lines(3, sections, USED))
    files = {"main.conf": "\n".join(main) + "\n"}
    for name in FILES:
        files[name] = "\n".join(draw(lines(2, (), USED))) + draw(st.sampled_from(("\n", "", "\\")))
    return files


def compare(httpd: Httpd, files: dict[str, str]) -> None:
    files = {**files, "main.conf": files["main.conf"].replace("{modules}", str(httpd.modules))}
    folder = Path(tempfile.mkdtemp(prefix="tlslint-"))
    try:
        main = write(folder, httpd, files)
        truth = asked(httpd, main)
        found, reading = predicted(main)
        errors = [problem for problem in reading.problems if problem.severity == "error"]
        if truth.lines is None:
            event("httpd refuses it")
            said = truth.refusal
            if errors and errors[0].kind == "include-cycle":
                assert said.count("Syntax error") > 20, said  # its own words are cut off
            elif not errors:
                assert any(words in said for words in ("not allowed", "cannot occur", "Invalid command")), said
            else:
                assert errors[0].message.partition(" (defined")[0] in said, (said, errors[0].message)
            return
        event("httpd takes it")
        assert without_prelude(found) == without_prelude(truth.lines)
        assert errors == []
        assert undefined_in(reading) <= truth.undefined
        assert reading.unknown == []
    finally:
        shutil.rmtree(folder)


@settings(
    max_examples=int(os.environ.get("TLSLINT_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate],  # to shrink would start httpd hundreds of times
)
@given(files=trees())
def test_any_configuration_reads_as_httpd_reads_it(httpd: Httpd, files: dict[str, str]) -> None:
    compare(httpd, files)
