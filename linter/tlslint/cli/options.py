"""The options and arguments that commands take, as plain data.

A command is a function whose parameters are annotated with them, which `quick` reads without any library, and `full`
with typer. The type says what is taken: `bool` is a flag, a list can be given several times, a `Literal` has choices.
"""

from typing import Annotated, Literal

from tlslint.record import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """An option: what it is called, what `--help` says of it and of its value.

    `completes` is the function of `tlslint.completion` that knows values, `minimum` the smallest number.
    """

    name: str
    help: str
    short: str | None = None
    metavar: str | None = None
    completes: str | None = None
    minimum: int | None = None
    show_default: bool = True


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: what stands for it, what `--help` says of it, and what completes it as with `Option`."""

    help: str
    metavar: str | None = None
    completes: str | None = None
    show_default: bool = True


Paths = Annotated[
    list[str] | None,
    Argument(
        help="Files and directories (default: `.`); `-` is standard input, also from `nginx -T`.",
        metavar="[PATHS]...",
        show_default=False,
    ),
]
PolicyName = Annotated[
    str | None,
    Option(
        "--policy",
        help="The policy to compare with (default: intermediate).",
        metavar="NAME|FILE",
        completes="policies",
    ),
]
TargetName = Annotated[
    str | None,
    Option(
        "--target",
        help="Versions to predict for: `nginx=1.22.1,openssl=3.0.19`, `debian-12`, `local`.",
        metavar="SPEC",
        completes="targets",
    ),
]
RootFolder = Annotated[str | None, Option("--root", help="What `/` means in absolute paths.", metavar="DIR")]
PathMap = Annotated[
    list[str] | None,
    Option("--path-map", help="Where a directory of the server is here; repeatable.", metavar="FROM=TO"),
]
Server = Annotated[
    Literal["auto", "nginx", "apache"] | None,
    Option("--server", help="How files are read (default: by their content)."),
]
Defines = Annotated[
    list[str] | None,
    Option(
        "--define", help="Apache: a name for `<IfDefine>`, as in `httpd -D`; repeatable.", short="-D", metavar="NAME"
    ),
]
Now = Annotated[str | None, Option("--now", help="Judge dates as of this day: `2026-03-01`.", metavar="DATE")]
StdinFilename = Annotated[
    str | None, Option("--stdin-filename", help="The file that standard input stands for.", metavar="PATH")
]
ConfigFile = Annotated[
    str | None, Option("--config", help="Settings file, instead of the nearest tlslint.toml.", metavar="FILE")
]
Isolated = Annotated[bool, Option("--isolated", help="Ignore all settings files.")]
Jobs = Annotated[
    int | None,
    Option("--jobs", help="Processes at work on large trees (default: one a CPU).", short="-j", metavar="N", minimum=1),
]
Colour = Annotated[Literal["auto", "always", "never"], Option("--color", help="When to use colour.")]
Quiet = Annotated[bool, Option("--quiet", help="Findings and errors only.", short="-q")]
Verbose = Annotated[bool, Option("--verbose", help="List everything that could not be checked.", short="-v")]
FindingsFormat = Annotated[
    Literal[
        "full", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "checkstyle", "rdjson", "azure",
        "sonarqube", "markdown",
    ],
    Option("--output-format", help="How to print findings (default: full).", metavar="FORMAT", show_default=False),
]  # fmt: skip
ReportFiles = Annotated[
    list[str] | None,
    Option(
        "--report",
        help="Also write the findings to a file; repeatable.",
        metavar="FORMAT=FILE",
        completes="reports",
    ),
]
TableFormat = Annotated[Literal["table", "json"], Option("--output-format", help="How to print it.")]
