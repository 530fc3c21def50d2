"""Reading is httpd's own: what is in force after it, and what httpd says of what it cannot read.

Each case is a tree of files that both read. The cases follow the subjects: variables, conditions, includes, macros, and
structures that `apache2 -t` takes although they do not do what they look like.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from parse.apache_oracle import Httpd
from resolve.apache_dump import Line, asked, predicted, undefined_in, without_prelude, write

ENV = "LoadModule env_module {modules}/mod_env.so\n"


@dataclass(frozen=True)
class Case:
    """Files, how httpd is started, and (where the point needs it) what must be in force."""

    main: str
    files: Mapping[str, str] = field(default_factory=dict)
    defines: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] | None = None
    """The words of all `UnsetEnv` lines."""
    links: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()


VARIABLES = {
    "values are split into words": Case('Define A "a b"\nUnsetEnv ${A}\nUnsetEnv "${A}"\n', words=["a", "b", "a b"]),
    "quotes in a value count where a word begins": Case(
        "Define A '\"x y\"'\nUnsetEnv ${A} z${A}\n", words=["x y", 'z"x', 'y"']
    ),
    "in names of directives and sections": Case(
        "Define D Unset\nDefine S Virtual\n${D}Env x\n<${S}Host *:1>\n${D}Env y\n</VirtualHost>\n", words=["x", "y"]
    ),
    "as an end tag": Case("Define E </VirtualHost>\n<VirtualHost *:1>\nUnsetEnv y\n${E}\nUnsetEnv x\n"),
    "as a start tag": Case("Define S '<VirtualHost'\n${S} *:1>\nUnsetEnv y\n</VirtualHost>\nUnsetEnv x\n"),
    "an end tag from a variable closes no true condition": Case("Define E </IfModule>\n<IfModule core.c>\n${E}\n"),
    "names without regard to case": Case("Define Foo x\nUnsetEnv ${foo} ${FOO}\n", words=["x", "x"]),
    "the last define of any case": Case("Define Proto a\nDefine PROTO b\nUnsetEnv ${Proto}\n", words=["b"]),
    "the environment with regard to case": Case(
        "UnsetEnv ${VAR} ${var}\n", environment={"VAR": "x"}, words=["x", "${var}"]
    ),
    "a define goes before the environment": Case(
        "Define VAR y\nUnsetEnv ${VAR}\n", environment={"VAR": "x"}, words=["y"]
    ),
    "not nested": Case("Define A B\nDefine B c\nUnsetEnv ${${A}}\n", words=["${${A}}"]),
    "a value is expanded when it is defined": Case(
        "Define A ${B}\nDefine B x\nUnsetEnv ${A}\nDefine A ${B}\nUnsetEnv ${A}\n", words=["${B}", "x"]
    ),
    "undefined ones stay": Case("UnsetEnv ${NOPE} ${no:pe}\n", words=["${NOPE}", "${no:pe}"]),
    "no escape and no other forms": Case(
        "Define A x\nUnsetEnv \\${A} $A $(A) %{A} ${A:-x} $${A} ${A\n",
        words=["\\x", "$A", "$(A)", "%{A}", "${A:-x}", "$x", "${A"],
    ),
    "a flag has no value": Case(
        "Define A\nUnsetEnv ${A}\n<IfDefine A>\nUnsetEnv y\n</IfDefine>\n", words=["${A}", "y"]
    ),
    "an empty value is none": Case(
        'Define A x\nDefine A ""\nUnsetEnv ${A}\nDefine B ""\nUnsetEnv ${B}\n', words=["x", "${B}"]
    ),
    "too many words": Case("Define A b c\n"),
    "a colon in a name": Case("Define a:b c\n"),
    "a colon in a name that is undefined": Case("UnDefine a:b\n"),
    "defines act globally": Case(
        "<VirtualHost *:1>\nDefine A x\n</VirtualHost>\n<Location /x>\nDefine B y\n</Location>\nUnsetEnv ${A} ${B}\n",
        words=["x", "y"],
    ),
    "not in a false section": Case(
        "<IfDefine X>\nDefine A x\nUnsetEnv ${NOPE}\n</IfDefine>\nUnsetEnv ${A}\n", words=["${A}"]
    ),
    "undefine takes flag and value": Case(
        "Define A x\nUnDefine A\n<IfDefine A>\nUnsetEnv f\n</IfDefine>\nUnsetEnv ${A}\n", words=["${A}"]
    ),
    "undefine in another case leaves the flag": Case(
        "Define A x\nUnDefine a\n<IfDefine A>\nUnsetEnv f\n</IfDefine>\nUnsetEnv ${A}\n", words=["f", "${A}"]
    ),
    "after undefine the environment": Case(
        "Define A x\nUnDefine A\nUnsetEnv ${A}\n", environment={"A": "e"}, words=["e"]
    ),
    "a flag on the command line": Case(
        "<IfDefine N>\nUnsetEnv n ${N}\n</IfDefine>\n", defines=["N"], words=["n", "${N}"]
    ),
    "a flag with an equals sign": Case(
        "<IfDefine N>\nUnsetEnv n\n</IfDefine>\n<IfDefine N=V>\nUnsetEnv nv\n</IfDefine>\n",
        defines=["N=V"],
        words=["nv"],
    ),
    "the environment is no flag": Case("<IfDefine X>\nUnsetEnv x\n</IfDefine>\n", environment={"X": "1"}, words=[]),
    "a comment is not expanded": Case("# ${NOPE}\nUnsetEnv x\n", words=["x"]),
    "a comment from a variable": Case("Define H #\n${H} x\n"),
}

NAMES = {
    "IfModule": (
        "core.c|http_core.c|mod_so.c|core_module|http_module|mpm_event_module|event.c|mod_mpm_event.c|macro_module|"
        "mod_macro.c|mod_ssl.c|ssl_module|!ssl_module|! mod_ssl.c|mod_macro|macro|MACRO_MODULE|mod_http.c|"
        '!!macro_module|"macro_module"|!"macro_module"|"!macro_module"|macro_module x y|macro_module>|'
        'version_module|mod_version.c|mod_log_config.c|mpm_prefork_module|prefork.c|mod_php.c|!|""'
    ),
    "IfDefine": 'X|x|!X|!Y|Y|"X"|X |X Y|"!Y"|!!X|X>|!',
    "IfVersion": (
        "2.4|2.4.71|= 2.4.71|== 2.4.71|=2.4.71|>= 2.4|>=2.4|> 2.4|< 2.5|<= 2.4.71|<2.5|!2.4|!>= 2.4|! >= 2.4|!= 2.4|"
        "~ ^2\\.4|~ ^2\\.2|/^2\\.4/|= /2.4/|!~ 2.4|=~ 2|~ /2/|2.4.71-dev|2.4.71.1|2.4.71.|> 2||>|>= abc|>= 2..4|"
        '">=" 2.4|">= 2.4"|>= 2.4 x|2.4.71 |>= 02.04|!> 2.4|/2.4|>= 2.4 >|== /2/'
    ),
    "IfFile": 'a.conf|d|d/b.conf|none|!none|! a.conf|a*.conf|"a.conf" x|/etc|/none/at/all|d/../a.conf|!',
    "IfDirective": "Define|define|!Define|SSLEngine|UnsetEnv|<VirtualHost|VirtualHost|Protocols|!",
    "IfSection": "VirtualHost|virtualhost|Define|Proxy|Macro|If|<VirtualHost>|!VirtualHost|!",
}
"""Arguments of conditions; which of them hold is for httpd to say."""

CONDITIONS = {
    **{
        f"{kind} {argument}": Case(
            f"Define X\n<{kind} {argument}>\nUnsetEnv x\n</{kind}>\n", files={"a.conf": "", "d/b.conf": ""}
        )
        for kind, arguments in NAMES.items()
        for argument in arguments.split("|")
    },
    "IfDefine with a variable": Case("Define X Y\nDefine Y\n<IfDefine ${X}>\nUnsetEnv x\n</IfDefine>\n", words=["x"]),
    "IfFile follows ServerRoot": Case(
        "ServerRoot {folder}/d\n<IfFile b.conf>\nUnsetEnv x\n</IfFile>\n", files={"d/b.conf": ""}, words=["x"]
    ),
    "If stays, with its branches": Case(
        'UnsetEnv a\n<If "true">\nUnsetEnv b\n</If>\n<ElseIf "false">\nUnsetEnv c\n</ElseIf>\n'
        "<Else>\nUnsetEnv d\n</Else>\n",
        words=["a", "b", "c", "d"],
    ),
    "conditions in each other": Case(
        "<IfModule core.c>\n<IfDefine X>\n<IfModule core.c>\nUnsetEnv a\n</IfModule>\n</IfDefine>\n"
        "UnsetEnv b\n</IfModule>\n",
        words=["b"],
    ),
    "text behind a false end tag": Case("<IfDefine X>\nUnsetEnv a\n</IfDefine> # c\nUnsetEnv b\n", words=["b"]),
    "text behind a true end tag": Case("<IfModule core.c>\nUnsetEnv a\n</IfModule> # c\nUnsetEnv b\n"),
    "a false end tag with any last byte": Case("<IfDefine X>\n</IfDefine)\nUnsetEnv b\n", words=["b"]),
    "wrong nesting in a false section": Case("<IfDefine X>\n<Foo>\n</Bar>\n</IfDefine>\n"),
    "tags in a false section nest": Case("<IfDefine X>\n<Foo>\n</Foo>\n<Foo\n</Foo\n</IfDefine>\n"),
    "a true section that is not closed": Case("UnsetEnv a\n<IfModule core.c>\nUnsetEnv b\n", words=["a", "b"]),
    "a false section that is not closed": Case("<IfModule none.c>\nUnsetEnv b\n"),
    "an ordinary section that is not closed": Case("<VirtualHost *:1>\nUnsetEnv b\n"),
    "an ordinary section that a true one leaves open": Case(
        "<IfModule core.c>\n<VirtualHost *:1>\nUnsetEnv b\n", words=["b"]
    ),
    "a condition inside a host ends outside": Case(
        "<VirtualHost *:1>\n<IfModule core.c>\n</VirtualHost>\n</IfModule>\n"
    ),
    "a host inside a condition ends outside": Case(
        "<IfModule core.c>\n<VirtualHost *:1>\n</IfModule>\n</VirtualHost>\n"
    ),
    "a stray end tag": Case("UnsetEnv a\n</VirtualHost>\n"),
    "no mark behind a condition": Case("<IfModule core.c\nUnsetEnv a\n</IfModule>\n"),
    "no mark behind a section": Case("<VirtualHost *:1\nUnsetEnv a\n</VirtualHost>\n"),
    "a condition without an argument": Case("<IfModule>\n</IfModule>\n"),
}

MANY = {
    f"n/{name}": f"UnsetEnv {index}\n"
    for index, name in enumerate(("000-x", "10-b", "2-a", "B", "_x", "a", ".dot", "x~"))
}

INCLUDES = {
    "relative to ServerRoot, never to the file": Case(
        "Include d/a.conf\n",
        files={"d/a.conf": "IncludeOptional b.conf\nIncludeOptional d/b.conf\n", "d/b.conf": "UnsetEnv b\n"},
        words=["b"],
    ),
    "ServerRoot of that moment": Case(
        "Include a.conf\nServerRoot {folder}/d\nInclude a.conf\n",
        files={"a.conf": "UnsetEnv 1\n", "d/a.conf": "UnsetEnv 2\n"},
        words=["1", "2"],
    ),
    "ServerRoot in an include and in a host": Case(
        "<VirtualHost *:1>\nInclude r.conf\n</VirtualHost>\nInclude a.conf\n",
        files={"r.conf": "ServerRoot {folder}/d\n", "d/a.conf": "UnsetEnv 2\n"},
        words=["2"],
    ),
    "quotes": Case('Include "a b.conf"\n', files={"a b.conf": "UnsetEnv x\n"}, words=["x"]),
    "one argument": Case("Include a.conf b.conf\n", files={"a.conf": "", "b.conf": ""}),
    "no argument": Case("Include\n"),
    "order of a pattern": Case("Include n/*\n", files=MANY),
    "a folder": Case("Include n\n", files=MANY),
    "a folder with a slash": Case("Include n/\n", files=MANY),
    "folders in a folder": Case(
        "Include n\n",
        files={"n/b/x.conf": "UnsetEnv 2\n", "n/a": "UnsetEnv 1\n", "n/c": "UnsetEnv 3\n"},
        words=["1", "2", "3"],
    ),
    "a pattern in the middle": Case(
        "Include s*/*.conf\n",
        files={"s2/a.conf": "UnsetEnv 2a\n", "s1/b.conf": "UnsetEnv 1b\n", "s1/a.conf": "UnsetEnv 1a\n"},
        words=["1a", "1b", "2a"],
    ),
    "links to folders": Case(
        "Include s*/*.conf\nInclude link/*.conf\nInclude l*k\n",
        files={"s1/a.conf": "UnsetEnv a\n", "other/b.conf": "UnsetEnv b\n"},
        links={"s2": "other", "link": "other"},
        words=["a", "b", "b"],
    ),
    "classes and question marks": Case(
        "Include n/[a-c]?.conf\nInclude n/[!a]1.conf\n",
        files={f"n/{name}.conf": f"UnsetEnv {name}\n" for name in ("a1", "b1", "d1")},
    ),
    "no braces": Case("Include n/{a,b}.conf\n", files={"n/a.conf": "", "n/b.conf": ""}),
    "a bracket that is not closed is a name": Case(
        "Include n[1.conf\n", files={"n[1.conf": "UnsetEnv x\n"}, words=["x"]
    ),
    "a hidden file by name": Case("Include n/.*\n", files=MANY),
    "missing": Case("Include none.conf\n"),
    "missing behind a missing folder": Case("Include none/a.conf\n"),
    "nothing matches": Case("Include n/*.none\n", files=MANY),
    "missing folder of a pattern": Case("Include none/*.conf\n"),
    "optional": Case(
        "IncludeOptional none.conf\nIncludeOptional n/*.none\nIncludeOptional none/*.conf\n"
        "IncludeOptional none/a.conf\n"
        "UnsetEnv x\n",
        files=MANY,
        words=["x"],
    ),
    "optional with an undefined variable": Case("IncludeOptional ${CONFDIR}/tls.conf\nUnsetEnv x\n", words=["x"]),
    "optional and a link to nowhere": Case(
        "IncludeOptional n/*.conf\n", files={"n/a.conf": "UnsetEnv a\n"}, links={"n/b.conf": "nowhere"}, words=["a"]
    ),
    "a link to nowhere": Case("Include n/*.conf\n", files={"n/a.conf": "UnsetEnv a\n"}, links={"n/b.conf": "nowhere"}),
    "a link to nowhere in a folder": Case(
        "Include n\n", files={"n/a.conf": "UnsetEnv a\n"}, links={"n/b.conf": "nowhere"}
    ),
    "an empty folder": Case("Include n\nUnsetEnv x\n", folders=["n"], words=["x"]),
    "itself": Case("Include a.conf\n", files={"a.conf": "UnsetEnv x\nInclude a.conf\n"}),
    "each other": Case("Include a.conf\n", files={"a.conf": "Include b.conf\n", "b.conf": "Include a.conf\n"}),
    "itself, until a define says otherwise": Case(
        "Include a.conf\n",
        files={
            "a.conf": "UnsetEnv x\n<IfDefine !B>\n<IfDefine A>\nDefine B\n</IfDefine>\nDefine A\n"
            "Include a.conf\n</IfDefine>\n"
        },
        words=["x", "x", "x"],
    ),
    "128 deep": Case(
        "Include 1.conf\n",
        files={f"{n}.conf": f"Include {n + 1}.conf\n" for n in range(1, 128)} | {"128.conf": "UnsetEnv x\n"},
        words=["x"],
    ),
    "129 deep": Case(
        "Include 1.conf\n",
        files={f"{n}.conf": f"Include {n + 1}.conf\n" for n in range(1, 129)} | {"129.conf": "UnsetEnv x\n"},
    ),
    "in a host": Case(
        "<VirtualHost *:1>\nInclude a.conf\n</VirtualHost>\n", files={"a.conf": "UnsetEnv x\n"}, words=["x"]
    ),
    "a section does not go on in another file": Case(
        "Include a.conf\n</VirtualHost>\n", files={"a.conf": "<VirtualHost *:1>\n"}
    ),
    "nor does an end tag": Case("<VirtualHost *:1>\nInclude a.conf\n", files={"a.conf": "</VirtualHost>\n"}),
    "nor a continued line": Case("Include a.conf\n y\n", files={"a.conf": "UnsetEnv x\\"}),
    "a condition that an included file leaves open": Case(
        "Include a.conf\nUnsetEnv z\n", files={"a.conf": "<IfModule core.c>\nUnsetEnv x\n"}, words=["x", "z"]
    ),
}

MACROS = {
    "parameters": Case("<Macro m $a $b>\nUnsetEnv $a-$b x$a\n</Macro>\nUse m 1 2\n", words=["1-2", "x1"]),
    "the longest parameter": Case(
        "<Macro m $a $aa>\nUnsetEnv $a $aa $aaa\n</Macro>\nUse m 1 2\n", words=["1", "2", "2a"]
    ),
    "names without a mark": Case("<Macro m a>\nUnsetEnv banana\n</Macro>\nUse m X\n", words=["bXnXnX"]),
    "values are not replaced again": Case("<Macro m $a $b>\nUnsetEnv $a\n</Macro>\nUse m $b x\n", words=["$b"]),
    "values are put in raw": Case('<Macro m $a>\nUnsetEnv $a\n</Macro>\nUse m "x y"\n', words=["x", "y"]),
    "names in any case": Case("<Macro Foo>\nUnsetEnv x\n</Macro>\nUSE fOO\n", words=["x"]),
    "garbage is no matter unless it is used": Case(
        "<Macro m>\n</Foo>\n<Bar\nUnknown\n</Macro>\nUnsetEnv x\n", words=["x"]
    ),
    "garbage that is used": Case("<Macro m>\n</Foo>\n</Macro>\nUse m\n"),
    "variables when it is used": Case(
        "<Macro m>\nUnsetEnv ${A}\n</Macro>\nDefine A 1\nUse m\nDefine A 2\nUse m\n", words=["1", "2"]
    ),
    "conditions when it is used": Case(
        "<Macro m>\n<IfDefine A>\nUnsetEnv x\n</IfDefine>\n</Macro>\nUse m\nDefine A\nUse m\n", words=["x"]
    ),
    "a macro uses another": Case(
        "<Macro m $x>\nUse n $x\n</Macro>\n<Macro n $y>\nUnsetEnv $y\n</Macro>\nUse m 1\n", words=["1"]
    ),
    "a wrong number": Case("<Macro m $a>\nUnsetEnv $a\n</Macro>\nUse m\n"),
    "undefined": Case("<Macro m>\nUnsetEnv a\n</Macro>\nUse n\n"),
    "undefined, and none is": Case("Use n\n"),
    "no name": Case("Use\n"),
    "itself": Case("<Macro m>\nUnsetEnv x\nUse m\n</Macro>\nUse m\n"),
    "itself through another": Case("<Macro m>\nUse n\n</Macro>\n<Macro n>\nUse M\n</Macro>\nUse m\n"),
    "the last definition": Case(
        "<Macro m>\nUnsetEnv 1\n</Macro>\nUse m\n<Macro M>\nUnsetEnv 2\n</Macro>\nUse m\n", words=["1", "2"]
    ),
    "removed": Case("<Macro m>\nUnsetEnv 1\n</Macro>\nUse m\nUndefMacro M\nUse m\n"),
    "removed twice": Case("<Macro m>\nUnsetEnv 1\n</Macro>\nUndefMacro m\nUndefMacro m\n"),
    "in a host, for all": Case(
        "<VirtualHost *:1>\n<Macro m>\nUnsetEnv x\n</Macro>\n</VirtualHost>\nUse m\n", words=["x"]
    ),
    "not in a false section": Case(
        "<IfDefine X>\n<Macro m>\nUnsetEnv x\n</Macro>\n</IfDefine>\n<Macro n>\nUnsetEnv\n</Macro>\nUse m\n"
    ),
    "a parameter like a variable": Case("<Macro m ${x}>\nUnsetEnv ${x}\n</Macro>\nUse m 1\n", words=["1"]),
    "a parameter like a variable that is defined": Case(
        "Define x y\n<Macro m ${x}>\nUnsetEnv ${x} y\n</Macro>\nUse m 1\n"
    ),
    "a section that the user closes": Case(
        "<Macro open $n>\n<VirtualHost *:$n>\nUnsetEnv a\n</Macro>\nUse open 1\nUnsetEnv b\n</VirtualHost>\n"
        "UnsetEnv c\n",
        words=["a", "b", "c"],
    ),
    "an end tag": Case(
        "<Macro close>\nUnsetEnv a\n</VirtualHost>\n</Macro>\n<VirtualHost *:1>\nUse close\nUnsetEnv c\n",
        words=["a", "c"],
    ),
    "a condition that the user closes": Case(
        "<Macro open>\n<IfModule core.c>\n</Macro>\nUse open\nUnsetEnv a\n</IfModule>\nUse open\nUnsetEnv b\n",
        words=["a", "b"],
    ),
    "a false condition that the user closes": Case(
        "<Macro open>\n<IfModule none.c>\n</Macro>\nUse open\nUnsetEnv a\n</IfModule>\nUnsetEnv b\n", words=["b"]
    ),
    "a macro in a macro": Case(
        "<Macro m $n>\n<Macro $n>\nUnsetEnv $n\n</Macro>\n</Macro>\nUse m one\nUse m two\nUse one\nUse two\n",
        words=["one", "two"],
    ),
    "an include in a macro": Case(
        "<Macro m $n>\nInclude $n.conf\n</Macro>\nUse m a\n", files={"a.conf": "UnsetEnv x\n"}, words=["x"]
    ),
    "the same parameter twice": Case("<Macro m $a $a>\n</Macro>\n"),
    "an empty parameter": Case('<Macro m $a "">\n</Macro>\n'),
    "no name of its own": Case("<Macro>\n</Macro>\n"),
    "never closed": Case("<Macro m>\nUnsetEnv x\n"),
    "comments and empty lines": Case("<Macro m $a>\n# $a\n\n  UnsetEnv $a\n</Macro>\nUse m x\n", words=["x"]),
    "a comment by replacement": Case("<Macro m $a>\n$a x\nUnsetEnv y\n</Macro>\nUse m #\n", words=["y"]),
    "a continued line": Case("<Macro m $a>\nUnsetEnv $a \\\n  z\n</Macro>\nUse m x\n", words=["x", "z"]),
    "a backslash from a parameter": Case("<Macro m $a>\nUnsetEnv x $a\ny\n</Macro>\nUse m \\\nUnsetEnv z\n"),
    "a backslash at the end goes on behind the use": Case(
        "<Macro m $a>\nUnsetEnv x $a\n</Macro>\nUse m '\\'\ny\nUnsetEnv z\n", words=["x", "y", "z"]
    ),
    "text behind its tags": Case("<Macro m> x\nUnsetEnv a\n</Macro> y\nUse m\n", words=["a"]),
}

STRUCTURES = {
    "S1": Case("<IfModule mod_macro>\n<VirtualHost *:1>\nUnsetEnv a\n</VirtualHost>\n</IfModule>\n", words=[]),
    "S2": Case("<IfModule macro_module> # tls > 1.2\nUnsetEnv a\n</IfModule>\n", words=[]),
    "S3": Case(
        "IncludeOptional conf/tls-hardenning.conf\n", files={"conf/tls-hardening.conf": "UnsetEnv a\n"}, words=[]
    ),
    "S4": Case("IncludeOptional ${CONFDIR}/tls.conf\n", files={"conf/tls.conf": "UnsetEnv a\n"}, words=[]),
    "S5": Case(
        "<IfModule mod_alias.c>\nUnsetEnv a\n</IfModule>\nLoadModule alias_module {modules}/mod_alias.so\n"
        "<IfModule mod_alias.c>\nUnsetEnv b\n</IfModule>\n",
        words=["b"],
    ),
    "S6": Case(
        "<IfVersion 2.4>\nUnsetEnv a\n</IfVersion>\n<IfVersion >= 2.4>\nUnsetEnv b\n</IfVersion>\n", words=["b"]
    ),
    "S7": Case("<IfDefine X>\nUnsetEnv a\n</IfDefine>\n", environment={"X": "1"}, words=[]),
    "S8": Case(
        "Include tls.d\n", files={"tls.d/tls.conf": "UnsetEnv a\n", "tls.d/tls.conf~": "UnsetEnv b\n"}, words=["a", "b"]
    ),
    "S9": Case("<VirtualHost *:1>\nUnsetEnv a\n</VirtualHost> UnsetEnv b\n", words=["a"]),
    "S10": Case(
        "Include a.conf\nUnsetEnv z\n",
        files={"a.conf": "<IfModule core.c>\nUnsetEnv x\nUnsetEnv y\n"},
        words=["x", "y", "z"],
    ),
    "S11": Case(
        "Define Proto TLSv1.3\nInclude later.conf\nUnsetEnv ${Proto}\n",
        files={"later.conf": "Define PROTO all\n"},
        words=["all"],
    ),
    "a host that a stray end tag cuts short": Case(
        "<IfModule core.c>\n<VirtualHost *:1>\nUnsetEnv a\n</VirtualHost> </IfModule>\nUnsetEnv b\n", words=["a", "b"]
    ),
}

SUBJECTS = {
    "variables": VARIABLES,
    "conditions": CONDITIONS,
    "includes": INCLUDES,
    "macros": MACROS,
    "structures": STRUCTURES,
}
CASES = [
    pytest.param(case, id=f"{subject}: {name}") for subject, cases in SUBJECTS.items() for name, case in cases.items()
]


def words_of(lines: Sequence[Line]) -> list[str]:
    return [word for _, name, words in lines for word in words if name == "unsetenv"]


def set_up(folder: Path, httpd: Httpd, case: Case) -> Path:
    def filled(text: str) -> str:
        return text.replace("{modules}", str(httpd.modules)).replace("{folder}", str(folder))

    main = write(folder, httpd, {"main.conf": filled(ENV + case.main), **{n: filled(t) for n, t in case.files.items()}})
    for name in case.folders:
        (folder / name).mkdir()
    for name, target in case.links.items():
        (folder / name).symlink_to(target)
    return main


@pytest.mark.parametrize("case", CASES)
def test_reading_is_what_httpd_does(httpd: Httpd, tmp_path: Path, case: Case) -> None:
    main = set_up(tmp_path, httpd, case)
    truth = asked(httpd, main, case.defines, case.environment)
    lines, reading = predicted(main, case.defines, case.environment)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    if truth.lines is None:
        if errors:
            assert is_said(errors[0].kind, errors[0].message, truth.refusal), (truth.refusal, errors[0].message)
        else:
            assert "Invalid command" in truth.refusal, truth.refusal
        return
    assert without_prelude(lines) == without_prelude(truth.lines)
    assert errors == []
    assert reading.unknown == []
    assert undefined_in(reading) == truth.undefined
    if case.words is not None:
        assert words_of(truth.lines) == case.words


def is_said(kind: str, message: str, refusal: str) -> bool:
    """Whether httpd refuses for that reason; of includes it speaks in words of its own."""
    if kind == "include-cycle":
        return "Exceeded maximum include depth" in refusal or refusal.count("Syntax error") > 20
    if kind == "include-not-found":
        return any(text in refusal for text in ("Could not open", "No matches for the wildcard", "Access to file"))
    if message.startswith(("macro '", "argument name conflict")):
        return message.split(" (defined")[0] in refusal and message.split('")')[-1] in refusal
    return message in refusal
