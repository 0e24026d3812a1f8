"""Put an SVG into a page: its ids made unique, and nothing in it that acts or fetches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as Tree
from xml.parsers import expat

from markupsafe import Markup

from cardio_core.errors import DataError
from cardio_core.report.svg.rules import (
    DRAWING,
    LOOKS,
    OF_TEXT,
    PLACES,
    declared,
    name_of,
    scoped,
    target_of,
    value_of,
)

MOST_CHARACTERS = 20_000_000
MOST_ELEMENTS = 500_000
MOST_LEVELS = 100
MOST_DRAWN = 1_000_000
"""Elements, counted each time that a `use` or pattern draws them again: ten lines can ask for
more than any browser draws."""

_SVG = ("", "http://www.w3.org/2000/svg")
_LINK = "http://www.w3.org/1999/xlink"
_POINTS = re.compile(r"#([A-Za-z0-9_.:-]+)")


def inline_svg(text: str, prefix: str, label: str) -> Markup:
    """Return an SVG that is safe to stand in an HTML page beside others.

    What is on the lists of `rules` stays, everything else is dropped. `prefix` (letters, digits
    and hyphens) is put before every id and every reference to one; `label` is what a screen reader
    says.

    Raises
    ------
    DataError
        If it is no SVG, declares entities, or would be more than a browser can draw.

    Examples
    --------
    >>> inline_svg('<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/></svg>', "f1-", "empty")
    Markup('<svg id="f1-root" role="img" aria-label="empty"><g id="f1-a"></g></svg>')
    """
    root = _Reading(prefix, label).of(text)
    # The label names it; a title of its own would pop up wherever the pointer rests.
    for heading in root.findall("title"):
        root.remove(heading)
    _require_drawable(root, label)
    ours = {"id": f"{prefix}root", "role": "img", "aria-label": label}
    # Moved or enlarged as a whole, a drawing could cover what the page says.
    others = {name: one for name, one in root.attrib.items() if name not in {*ours, "transform"}}
    root.attrib = ours | others
    return Markup(Tree.tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704


def said_by(text: str) -> tuple[str, str]:
    """Return the title and the description that an SVG gives itself, each empty where it has none.

    Examples
    --------
    >>> said_by('<svg><title>ROC curves</title><g><title>not this</title></g></svg>')
    ('ROC curves', '')
    """
    try:
        root = _Reading("", "").of(text)
    except DataError:
        return "", ""
    own = {child.tag: child.text or "" for child in root}
    return own.get("title", ""), own.get("desc", "")


class _Reading:
    """One SVG as it is read: what may stay becomes a tree, what may not is never built."""

    def __init__(self, prefix: str, label: str) -> None:
        self.prefix, self.label = prefix, label
        self.builder = Tree.TreeBuilder()
        self.open: list[str] = []
        self.level = self.dropped = self.elements = 0
        self.css: list[str] = []

    def of(self, text: str) -> Tree.Element:
        """Return the root of what stays.

        Raises
        ------
        DataError
        """
        if len(text) > MOST_CHARACTERS:
            raise DataError(f"{self.label}: the SVG has more than {MOST_CHARACTERS} characters")
        parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._entity
        try:
            parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            raise DataError(f"{self.label}: no valid SVG ({error})") from None
        return self.builder.close()

    def _entity(self, *_: object) -> None:
        raise DataError(f"{self.label}: the SVG declares entities; write it without")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition("}")
        self.level += 1
        self.elements += 1
        if self.level > MOST_LEVELS or self.elements > MOST_ELEMENTS:
            raise DataError(
                f"{self.label}: the SVG has more than {MOST_LEVELS} levels or {MOST_ELEMENTS} "
                "elements; simplify it"
            )
        known = space in _SVG and tag in DRAWING
        if self.level == 1 and not (known and tag == "svg"):
            raise DataError(f"{self.label}: expected an svg element, found {tag[:40]!r}")
        if self.dropped or not known or (self.open and self.open[-1] in OF_TEXT):
            self.dropped += 1
            return
        self.open.append(tag)
        self.builder.start(tag, dict(self._kept(attributes)))

    def _end(self, _: str) -> None:
        self.level -= 1
        if self.dropped:
            self.dropped -= 1
            return
        tag = self.open.pop()
        if tag == "style":
            self.builder.data(scoped("".join(self.css), self.prefix))
            self.css = []
        self.builder.end(tag)

    def _data(self, text: str) -> None:
        if self.dropped or not self.open:
            return
        if self.open[-1] == "style":
            self.css.append(text)
        else:
            self.builder.data(text)

    def _kept(self, attributes: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Yield the attributes that may stay, as they may stay."""
        for full, value in attributes.items():
            space, _, name = full.rpartition("}")
            found: str | None = None
            if name == "href" and space in ("", _LINK):
                found = target_of(value.strip(), self.prefix)
            elif space:
                continue
            elif name == "id":
                found = name_of(value, self.prefix)
            elif name == "style":
                found = declared(value, self.prefix) or None
            elif name == "aria-label":
                found = value
            elif name in LOOKS or name in PLACES:
                found = value_of(value, self.prefix)
            if found is not None:
                yield name, found


def _require_drawable(root: Tree.Element, label: str) -> None:
    """Raise where parts that draw each other again come to more than a browser can draw."""
    by_id = {one.get("id"): one for one in root.iter() if one.get("id")}
    counted: dict[Tree.Element, int] = {}
    sizes = {root: 1}  # of what is being counted; by hand, as parts may lead on for ever
    stack = [(root, iter(_parts(root, by_id)))]
    while stack:
        one, parts = stack[-1]
        part = next(parts, None)
        if part is None:
            stack.pop()
            counted[one] = size = sizes.pop(one)
            if stack:
                sizes[stack[-1][0]] += size
        elif part in counted:
            sizes[one] += counted[part]
        elif part in sizes:
            raise DataError(f"{label}: a part of the SVG draws itself; write it without")
        else:
            sizes[part] = 1
            stack.append((part, iter(_parts(part, by_id))))
        if sizes.get(one, 0) > MOST_DRAWN:
            raise DataError(f"{label}: the SVG draws more than {MOST_DRAWN} parts; simplify it")


def _parts(element: Tree.Element, by_id: Mapping[str | None, Tree.Element]) -> list[Tree.Element]:
    """Return what is drawn with an element: what it holds, and what it points at."""
    names = [
        name
        for attribute, value in element.attrib.items()
        if attribute == "href" or "url(" in value
        for name in _POINTS.findall(value)
    ]
    return [*element, *(by_id[name] for name in names if name in by_id)]
