"""What httpd has after reading: nested sections of directives that are in force, with where each one came from.

Everything that httpd decides while it reads is gone: includes and macros are spliced in, variables replaced, the
branches of `<IfModule>` and its kin taken or left. Sections that are decided for each request (`<Directory>`, `<If>`)
stay.
"""

from collections.abc import Iterator

from tlslint.resolve.model import Place

MAIN = "server"
"""Kind of the section that stands for everything outside of all sections: httpd's main server."""
VIRTUAL_HOST = "virtualhost"


class Section:
    """The main server, a virtual host, or a section inside of one.

    The directives of a `Place` have their words as httpd reads them, after replacement of variables and macro
    parameters, with the spans of what is written. `Place.includes` has the `Include` and `Use` directives through which
    the directive is in force, the outermost first. `Place.doubt` is set where `${NAME}` stands in the words because
    nobody can know its value here; of what decides about sockets, names and headers such lines are left out instead,
    and the section is incomplete.
    """

    __slots__ = ("_parts", "before", "children", "incomplete", "items", "kind", "own", "parent", "place")

    def __init__(self, kind: str, parent: "Section | None" = None, place: Place | None = None) -> None:
        self.kind = kind
        """Name of the section in lower case, without `<`; `MAIN` for the main server."""
        self.parent = parent
        self.place = place
        """The opening line; None for the main server."""
        self.items: list[Place] = []
        """Its own directives in the order in which httpd executes them; not the inner sections."""
        self.own: dict[str, list[Place]] = {}
        """The same by name in lower case."""
        self.children: list[Section] = []
        """Its inner sections in order; the virtual hosts are children of the main server."""
        self.before = len(parent.items) if parent is not None else 0
        """How many of the outer section's own directives come before it."""
        self._parts: tuple[int, list[Section]] = (0, [])
        self.incomplete = ""
        """Why directives of this very section may be missing here, or empty."""

    @property
    def parts(self) -> list["Section"]:
        """Its inner sections that are for a part of its own requests: those that are no virtual hosts, in order."""
        count, found = self._parts
        if count != len(self.children):
            found = [child for child in self.children if child.kind != VIRTUAL_HOST]
            # a main server has thousands of hosts, and each of them asks
            self._parts = (len(self.children), found)
        return found

    def add(self, place: Place) -> None:
        """Take a directive that is in force."""
        self.items.append(place)
        self.own.setdefault(place.directive.name.lower(), []).append(place)

    def last(self, name: str) -> Place | None:
        """Return the last directive of that name (in lower case) in this very section: httpd lets it win."""
        places = self.own.get(name)
        return places[-1] if places else None

    def sections(self, *kinds: str) -> Iterator["Section"]:
        """Yield the inner sections of these kinds, in order."""
        children = self.children if VIRTUAL_HOST in kinds else self.parts
        return (child for child in children if child.kind in kinds)

    def in_order(self) -> Iterator["Place | Section"]:
        """Yield directives and inner sections together, in the order in which httpd executes them."""
        done = 0
        for child in self.children:
            yield from self.items[done : child.before]
            done = child.before
            yield child
        yield from self.items[done:]

    def walk(self) -> Iterator["Section"]:
        """Yield this section and all sections inside it, outer ones first."""
        pending = [self]
        while pending:
            section = pending.pop()
            yield section
            pending.extend(reversed(section.children))

    def __repr__(self) -> str:
        return f"<Section {self.kind}, {len(self.items)} directives>"
