"""What an SVG may hold that stands in a page: lists of what is allowed, and nothing else."""

from __future__ import annotations

import re

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
    kept = []
    for one in text.split(";"):
        name, colon, value = one.partition(":")
        stays = value_of(value.strip(), prefix) if colon and name.strip().lower() in LOOKS else None
        if stays is not None and ":" not in stays:
            kept.append(f"{name.strip()}: {stays}")
    return "; ".join(kept)


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
        own = [one.strip() for one in selectors.split(",")]
        kept = declared(declarations, prefix)
        if kept and all(_SELECTOR.fullmatch(one) for one in own):
            bound = ", ".join(f"#{prefix}root {one}" for one in own)
            rules.append(f"{bound} {{{kept}}}")
    return rules
