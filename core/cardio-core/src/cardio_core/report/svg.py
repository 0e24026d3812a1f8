"""Put an SVG into a page: its ids made unique, and nothing in it that acts or fetches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as Tree
from xml.parsers import expat

from markupsafe import Markup

from cardio_stats.errors import DataError

# What an SVG may hold that stands in a page: lists of what is allowed, and nothing else.

DRAWING = frozenset(
    {
        *("svg", "g", "defs", "use", "symbol", "title", "desc", "style", "image"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"),
        *("clipPath", "mask", "marker", "pattern", "linearGradient", "radialGradient", "stop"),
    }
)
"""Elements that draw; everything else (scripts, animation, filters, links, HTML) is dropped."""

OF_TEXT = frozenset({"title", "desc", "style"})
"""Elements that hold text alone: a browser reads what stands in them by other rules."""

LOOKS = frozenset(
    {
        *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray"),
        *("stroke-dashoffset", "opacity", "color", "display", "visibility", "paint-order"),
        *("font-family", "font-size", "font-weight", "font-style", "font-variant", "font-stretch"),
        *("font", "text-anchor", "dominant-baseline", "alignment-baseline", "baseline-shift"),
        *("letter-spacing", "word-spacing", "text-decoration", "writing-mode", "white-space"),
        *("clip-path", "clip-rule", "mask", "marker", "marker-start", "marker-mid", "marker-end"),
        *("stop-color", "stop-opacity", "vector-effect", "shape-rendering", "text-rendering"),
        *("image-rendering", "mix-blend-mode", "isolation"),
    }
)
"""Properties of style, which may stand as attributes, too. None of them moves what is drawn out of
its drawing (`position`), fetches (`filter`, `cursor`, `background`) or asks for a font."""

PLACES = frozenset(
    {
        *("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "dx", "dy"),
        *("d", "points", "width", "height", "viewBox", "preserveAspectRatio", "rotate", "offset"),
        *("textLength", "lengthAdjust", "pathLength", "refX", "refY", "markerWidth"),
        *("markerHeight", "markerUnits", "orient", "gradientUnits", "gradientTransform"),
        *("spreadMethod", "patternUnits", "patternContentUnits", "patternTransform"),
        *("clipPathUnits", "maskUnits", "maskContentUnits", "transform"),
        *("class", "role", "aria-label", "aria-hidden", "type"),
    }
)
"""Further attributes."""

_FUNCTIONS = frozenset(
    {
        *("rgb", "rgba", "hsl", "hsla", "translate", "translatex", "translatey", "scale"),
        *("scalex", "scaley", "rotate", "skewx", "skewy", "matrix"),
    }
)
_CALL = re.compile(r"([^\s,;:()]*)\s*\(")
_REFERENCE = re.compile(r"""url\(\s*(['"]?)#([A-Za-z0-9_.:-]+)\1\s*\)""")
_VALUE = re.compile(r"""[\w\s#.,;:%()'"+/*!-]*""")
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]+)")
_HEADS = ("iVBORw0KGgo", "/9j/")
"""How PNG and JPEG begin in base64."""
_RULE = re.compile(r"([^{}@]+)\{([^{}]*)\}")
_AT_RULE = re.compile(r"@([^{};]*)(?:;|\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\})")
_MEDIA = re.compile(r"media [a-z :()-]+")
_SELECTOR = re.compile(r"[\w\s.#*>:()-]+")


def name_of(text: str, prefix: str) -> str | None:
    """Return an id with the prefix of its drawing, None where it is no plain one."""
    return prefix + text if _NAME.fullmatch(text) else None


def target_of(text: str, prefix: str) -> str | None:
    """Return what an element may point at: a part of its drawing, or a picture that it holds."""
    if text.startswith("#"):
        found = name_of(text[1:], prefix)
        return f"#{found}" if found else None
    picture = _PICTURE.fullmatch(text)  # matplotlib begins a new line after the comma
    return text if picture and picture[1].lstrip().startswith(_HEADS) else None


def value_of(text: str, prefix: str) -> str | None:
    r"""Return the value of an attribute or property, its references inside the drawing.

    None where it could be more than a value: a backslash spells any letter in a style, a comment
    hides one, and every function that is not known may fetch.

    Examples
    --------
    >>> value_of("url(#a)", "f1-"), value_of("rotate(-90 3 4)", "f1-")
    ('url(#f1-a)', 'rotate(-90 3 4)')
    >>> value_of("url(http://a)", ""), value_of(r"u\72l(#a)", ""), value_of("u/**/rl(x)", "")
    (None, None, None)
    """
    bare = _REFERENCE.sub("", text)
    if not _VALUE.fullmatch(bare) or "/*" in text or "//" in bare:
        return None
    if any(name.lower() not in _FUNCTIONS for name in _CALL.findall(bare)):
        return None
    return _REFERENCE.sub(rf"url(#{prefix}\2)", text)


def declared(text: str, prefix: str) -> str:
    """Return the declarations of a style that may stay.

    Examples
    --------
    >>> declared("fill: red; position: fixed; stroke: url(#a)", "f1-")
    'fill: red; stroke: url(#f1-a)'
    """
    retained = []
    for item in text.split(";"):
        name, colon, value = item.partition(":")
        stays = value_of(value.strip(), prefix) if colon and name.strip().lower() in LOOKS else None
        if stays is not None and ":" not in stays:
            retained.append(f"{name.strip()}: {stays}")
    return "; ".join(retained)


def scoped(css: str, prefix: str) -> str:
    """Return the rules of a style element, each bound to its drawing; of at-rules only media."""
    if "\\" in css:  # spells any letter, an @ or a brace among them
        return ""
    css = re.sub(r"/\*.*?(\*/|$)", " ", css, flags=re.DOTALL)
    rules = _bound(_AT_RULE.sub("", css), prefix)
    for condition, inside in _AT_RULE.findall(css):
        own = _bound(inside, prefix) if _MEDIA.fullmatch(condition.strip()) else []
        if own:
            rules += [f"@{condition.strip()} {{", *own, "}"]
    return "\n".join(rules)


def _bound(css: str, prefix: str) -> list[str]:
    rules = []
    for selectors, declarations in _RULE.findall(css):
        own = [item.strip() for item in selectors.split(",")]
        retained = declared(declarations, prefix)
        if retained and all(_SELECTOR.fullmatch(item) for item in own):
            bound = ", ".join(f"#{prefix}root {item}" for item in own)
            rules.append(f"{bound} {{{retained}}}")
    return rules


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

    What is on the lists above stays, everything else is dropped. `prefix` (letters, digits
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
    others = {
        name: value for name, value in root.attrib.items() if name not in {*ours, "transform"}
    }
    root.attrib = ours | others
    return Markup(Tree.tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704


def title_and_description(text: str) -> tuple[str, str]:
    """Return the title and the description that an SVG gives itself, each empty where it has none.

    Examples
    --------
    >>> title_and_description('<svg><title>ROC curves</title><g><title>not this</title></g></svg>')
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
        """Return the root of what stays."""
        if len(text) > MOST_CHARACTERS:
            raise DataError(
                f"{self.label}: the SVG has more than {MOST_CHARACTERS} characters; simplify it"
            )
        parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._entity
        try:
            parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            raise DataError(f"{self.label}: no valid SVG ({error}); write it again") from None
        return self.builder.close()

    def _entity(self, *_: object) -> None:
        raise DataError(f"{self.label}: the SVG declares entities; write it without", code="unsafe")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition("}")
        self.level += 1
        self.elements += 1
        if self.level > MOST_LEVELS or self.elements > MOST_ELEMENTS:
            raise DataError(
                f"{self.label}: the SVG has more than {MOST_LEVELS} levels or {MOST_ELEMENTS} "
                "elements; simplify it",
                code="too_large",
            )
        known = space in _SVG and tag in DRAWING
        if self.level == 1 and not (known and tag == "svg"):
            raise DataError(
                f"{self.label}: expected an svg element, found {tag[:40]!r}", code="unsupported"
            )
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
    by_id = {item.get("id"): item for item in root.iter() if item.get("id")}
    counted: dict[Tree.Element, int] = {}
    sizes = {root: 1}  # of what is being counted; by hand, as parts may lead on for ever
    stack = [(root, iter(_parts(root, by_id)))]
    while stack:
        entry, parts = stack[-1]
        part = next(parts, None)
        if part is None:
            stack.pop()
            counted[entry] = size = sizes.pop(entry)
            if stack:
                sizes[stack[-1][0]] += size
        elif part in counted:
            sizes[entry] += counted[part]
        elif part in sizes:
            raise DataError(f"{label}: a part of the SVG draws itself; write it without")
        else:
            sizes[part] = 1
            stack.append((part, iter(_parts(part, by_id))))
        if sizes.get(entry, 0) > MOST_DRAWN:
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
