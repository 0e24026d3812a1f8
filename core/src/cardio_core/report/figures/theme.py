"""Colours of the figures in light and in dark, and an SVG that carries both.

The file keeps its plain colours, so that every program that knows no style sheets shows the light
figure. What is drawn in a colour of the theme also gets a class, and a rule for dark screens.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

DARK_OF = {
    "ink": ("#222222", "#e6e6e6"),
    "grey": ("#636363", "#a8a8ac"),
    "light": ("#e4e4e4", "#3c3c40"),
    "paper": ("#fefefe", "#18181a"),
    "blue": ("#0072b2", "#6db7e6"),
    "vermilion": ("#b84a00", "#f2935a"),
    "green": ("#007a5a", "#4cc9a0"),
    "purple": ("#a8508a", "#e0a0c8"),
    "orange": ("#946200", "#ecb83a"),
}
"""Name of each colour of the theme, with what it is on white and what it is on black.

Okabe and Ito's hues, told apart with every common kind of colour blindness, but dark enough, or
light enough, to write in: every one but `light` has a contrast of at least 4.5 to its paper.
Colours that are not listed (white among them) are the same in both: those of pictures.
"""

FONTS = "&quot;Helvetica Neue&quot;, Helvetica, Arial, &quot;Liberation Sans&quot;, sans-serif"

_NAME_OF = {light: name for name, (light, _) in DARK_OF.items()}
_STYLED = re.compile(r'<(\w+)((?: [^<>]*?)?) style="([^"]*)"')
_COLOUR = re.compile(r"\b(fill|stroke): (#[0-9a-f]{6})\b")
_FAMILY = re.compile(r"'DejaVu Sans'(?:, sans-serif)?")
_SHORT = {"fill": "f", "stroke": "s"}


def fixed(colour: str) -> str:
    """Return a colour that stays what it is on a dark page: for what is drawn over a picture.

    It differs from the theme's by the last bit, which nobody sees.

    Examples
    --------
    >>> fixed("#0072B2"), fixed("#222222")
    ('#0072b3', '#222223')
    """
    value = int(colour.lstrip("#"), 16) ^ 1
    return f"#{value:06x}"


def themed(svg: str, *, title: str = "", description: str = "") -> str:
    """Return matplotlib's SVG with a name and a description, system fonts and its dark colours."""
    found: set[tuple[str, str]] = set()

    def classed(match: re.Match[str]) -> str:
        tag, before, style = match.groups()
        own = [
            (_SHORT[what], _NAME_OF[colour])
            for what, colour in _COLOUR.findall(style)
            if colour in _NAME_OF
        ]
        found.update(own)
        style = _FAMILY.sub(FONTS, style)
        names = " ".join(f"{what}-{name}" for what, name in own)
        return f"<{tag}{before}" + (f' class="{names}"' if names else "") + f' style="{style}"'

    body = _STYLED.sub(classed, svg)
    start = body.index(">", body.index("<svg")) + 1
    named = f' role="img" aria-label="{escape(title, {chr(34): "&quot;"})}"' if title else ""
    head = "".join(
        f"\n <{tag}>{escape(text)}</{tag}>"
        for tag, text in (("title", title), ("desc", description))
        if text
    )
    return f"{body[: start - 1]}{named}>{head}\n <style>{_dark_rules(found)}</style>{body[start:]}"


def _dark_rules(used: set[tuple[str, str]]) -> str:
    """Return the rules for dark screens; paper stays white."""
    whole = {"f": "fill", "s": "stroke"}
    rules = " ".join(
        f".{what}-{name} {{{whole[what]}: {DARK_OF[name][1]} !important}}"
        for what, name in sorted(used)
    )
    return f"@media screen and (prefers-color-scheme: dark) {{{rules}}}" if rules else ""
