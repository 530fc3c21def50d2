"""A reader of Apache configuration without conditions, includes and variables: a tree becomes nested sections."""

from collections.abc import Iterable

from tlslint.parse.apache import parse
from tlslint.parse.tree import Directive, Source
from tlslint.resolve.apache_scope import MAIN, Section
from tlslint.resolve.model import Place


def sections(text: str) -> Section:
    """The main server of a configuration."""
    main = Section(MAIN)
    _fill(main, parse(Source.from_text("apache2.conf", text)).directives)
    return main


def _fill(section: Section, directives: Iterable[Directive]) -> None:
    for directive in directives:
        if directive.block is None:
            section.add(Place(directive))
        else:
            child = Section(directive.name.lower(), section, Place(directive))
            section.children.append(child)
            _fill(child, directive.block)
