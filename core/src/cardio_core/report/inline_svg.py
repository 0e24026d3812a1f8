"""Put an SVG into a page: its ids made unique, and nothing in it that acts or fetches."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Tree

from markupsafe import Markup

from cardio_core.errors import DataError

DRAWING = frozenset(
    {
        *("svg", "g", "defs", "use", "symbol", "title", "desc", "style", "image"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"),
        *("clipPath", "mask", "marker", "pattern", "linearGradient", "radialGradient", "stop"),
    }
)
"""Elements that draw; everything else (scripts, animation, links, metadata) is dropped."""

_REFERENCE = re.compile(r"url\(\s*(['\"]?)#([^)'\"]+)\1\s*\)")
_ANY_URL = re.compile(r"url\(|@import|expression\(|javascript:", re.IGNORECASE)
_RULE = re.compile(r"([^{}@]+)\{([^{}]*)\}")
_AT_RULE = re.compile(r"@([^{};]*)(?:;|\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\})")
_MEDIA = re.compile(r"media [a-z :()-]+")
_PICTURE = re.compile(r"data:image/(png|jpeg);base64,", re.IGNORECASE)


def inline_svg(text: str, prefix: str, label: str) -> Markup:
    """Return an SVG that is safe to stand in an HTML page beside others.

    `prefix` (letters, digits and hyphens) is put before every id and every reference to one;
    `label` is what a screen reader says.

    Raises
    ------
    DataError
        If it is no SVG, or declares entities.

    Examples
    --------
    >>> inline_svg('<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/></svg>', "f1-", "empty")
    Markup('<svg id="f1-root" role="img" aria-label="empty"><g id="f1-a"></g></svg>')
    """
    if "<!ENTITY" in text:
        raise DataError(f"{label}: the SVG declares entities; write it without")
    try:
        root = Tree.fromstring(text)  # noqa: S314 - entities are refused above
    except Tree.ParseError as error:
        raise DataError(f"{label}: no valid SVG ({error})") from None
    if _local(root.tag) != "svg":
        raise DataError(f"{label}: expected an svg element, found {_local(root.tag)!r}")
    # The label names it; a title of its own would pop up wherever the pointer rests.
    for heading in [child for child in root if _is(child, "title")]:
        root.remove(heading)
    clean = _cleaned(root, prefix)
    ours = {"id": f"{prefix}root", "role": "img", "aria-label": label}
    clean.attrib = ours | {
        name: value for name, value in clean.attrib.items() if name not in {*ours, "version"}
    }
    return Markup(Tree.tostring(clean, encoding="unicode", short_empty_elements=False))  # noqa: S704


def said_by(text: str) -> tuple[str, str]:
    """Return the title and the description that an SVG gives itself, each empty where it has none.

    Examples
    --------
    >>> said_by('<svg><title>ROC curves</title><g><title>not this</title></g></svg>')
    ('ROC curves', '')
    """
    if "<!ENTITY" in text:
        return "", ""
    try:
        root = Tree.fromstring(text)  # noqa: S314 - entities are refused above
    except Tree.ParseError:
        return "", ""
    own = {_local(child.tag): child.text or "" for child in root if isinstance(child.tag, str)}
    return own.get("title", ""), own.get("desc", "")


def _cleaned(element: Tree.Element, prefix: str) -> Tree.Element:
    made = Tree.Element(_local(element.tag))
    made.text, made.tail = element.text, element.tail
    if made.tag == "style":
        made.text = _scoped(element.text or "", prefix)
    for name, value in element.attrib.items():
        kept = _attribute(_local(name), value, prefix)
        if kept is not None:
            made.set(_local(name), kept)
    last: Tree.Element | None = None
    for child in element:
        if not isinstance(child.tag, str) or _local(child.tag) not in DRAWING:
            continue
        last = _cleaned(child, prefix)
        made.append(last)
    return made


def _attribute(name: str, value: str, prefix: str) -> str | None:
    """Return an attribute's value as it may stay, None where it may not."""
    if name.lower().startswith("on"):
        return None
    if name == "id":
        return prefix + value
    if name in ("href", "src"):
        if value.startswith("#"):
            return f"#{prefix}{value[1:]}"
        return value if _PICTURE.match(value) else None
    marked = _REFERENCE.sub("\0\\2\0", value)
    if _ANY_URL.search(marked):
        return None
    return re.sub("\0([^\0]*)\0", rf"url(#{prefix}\1)", marked)


def _scoped(css: str, prefix: str) -> str:
    """Return the rules of a style element, each bound to this drawing; of at-rules only media."""
    rules = _bound(_AT_RULE.sub("", css), prefix)
    for condition, inside in _AT_RULE.findall(css):
        if _MEDIA.fullmatch(condition.strip()):
            rules += [f"@{condition.strip()} {{", *_bound(inside, prefix), "}"]
    return "\n".join(rules)


def _bound(css: str, prefix: str) -> list[str]:
    rules = []
    for selectors, declarations in _RULE.findall(css):
        if _ANY_URL.search(declarations):
            continue
        bound = ", ".join(f"#{prefix}root {one.strip()}" for one in selectors.split(","))
        rules.append(f"{bound} {{{declarations}}}")
    return rules


def _is(element: Tree.Element, tag: str) -> bool:
    return isinstance(element.tag, str) and _local(element.tag) == tag


def _local(name: str) -> str:
    return name.rpartition("}")[2]
