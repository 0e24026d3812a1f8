"""An SVG that goes into a page: unique ids, nothing that acts, nothing that fetches."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from cardio_core.report.run_figures import Picture
from cardio_core.report.svg import inline_svg, title_and_description
from cardio_core.testing import refuses
from cardio_stats.errors import DataError
from cardio_stats.figures import ForestLine, estimate_forest, svg_text


def svg(inside, attributes=""):
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 9 9" {attributes}>{inside}</svg>'
    )


def test_every_id_and_every_reference_to_it_gets_the_prefix():
    drawn = svg(
        '<defs><path id="m1" d="M0 0"/><clipPath id="c"><rect/></clipPath></defs>'
        '<use xlink:href="#m1"/><g clip-path="url(#c)" style="fill: url(\'#m1\'); stroke: red"/>'
    )
    found = inline_svg(drawn, "f1-", "x")
    assert 'id="f1-m1"' in found
    assert 'href="#f1-m1"' in found
    assert 'clip-path="url(#f1-c)"' in found
    assert 'style="fill: url(#f1-m1); stroke: red"' in found
    assert "#m1" not in found.replace("#f1-m1", "")


def test_a_figure_keeps_its_texts_and_paths():
    drawn = svg_text(estimate_forest([ForestLine("V", 0.8, 0.7, 0.9)], x="AUC", title="Classes"))
    found = inline_svg(drawn, "f1-", "Classes")
    for tag in ("<path", "<use", "<text", "<clipPath"):
        assert found.count(tag) == drawn.count(tag)
    assert ">Classes</text>" in found
    assert found.startswith("<svg")
    assert 'viewBox="' in found


def test_styles_are_bound_to_their_drawing():
    found = inline_svg(
        svg("<style>*{stroke-linejoin: round} .a, .b {fill: red}</style>"), "f1-", "x"
    )
    assert "#f1-root * {stroke-linejoin: round}" in found
    assert "#f1-root .a, #f1-root .b {fill: red}" in found


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<metadata><a href='http://evil.example'/></metadata>",
        '<rect onload="alert(1)"/>',
        '<g ONCLICK="alert(1)"/>',
        '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
        '<use href="javascript:alert(1)"/>',
        '<use xlink:href="http://evil.example/x.svg#a"/>',
        '<image xlink:href="https://evil.example/x.png"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
        '<image href="data:text/html,evil.example"/>',
        '<rect style="fill: url(http://evil.example/x)"/>',
        '<rect fill="URL( //evil.example/x )"/>',
        "<style>@import url(http://evil.example/x.css);</style>",
        "<style>* {background: url(http://evil.example/x)}</style>",
        "<style>@font-face {src: url(http://evil.example/x)}</style>",
        "<foreignObject><iframe src='http://evil.example'/></foreignObject>",
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<set attributeName="onclick" to="alert(1)"/>',
    ],
)
def test_nothing_that_acts_or_fetches_survives(hostile):
    found = inline_svg(svg(hostile + '<circle id="kept"/>'), "f1-", "x").lower()
    for word in ("alert", "evil", "javascript", "script", "iframe", "onload", "@import"):
        assert word not in found
    assert 'id="f1-kept"' in found


def test_a_raster_image_stays():
    picture = "data:image/png;base64,iVBORw0KGgo="
    found = inline_svg(svg(f'<image xlink:href="{picture}" width="1" height="1"/>'), "f1-", "x")
    assert f'href="{picture}"' in found


def test_the_rasters_of_a_drawn_figure_stay():
    """Drawn, not written here: matplotlib breaks the line after the comma."""

    def draw(figure):
        for one in figure.subplots(1, 2):
            one.imshow([[0, 1], [1, 0]])

    drawn = svg_text(draw)
    assert drawn.count("<image") == 2
    assert inline_svg(drawn, "f1-", "x").count('href="data:image/png;base64,') == 2


def test_text_and_label_are_escaped():
    found = inline_svg(svg("<text>&lt;script&gt;</text>"), "f1-", '"><script>')
    assert "<script" not in found
    assert "&lt;script&gt;</text>" in found


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("<svg", "no valid SVG"),
        ("", "no valid SVG"),
        ("<html/>", "expected an svg element"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "declares entities"),
    ],
)
def test_what_is_no_svg_is_refused_in_one_line(text, word):
    with pytest.raises(DataError, match=word) as caught:
        inline_svg(text, "f1-", "roc.svg")
    assert str(caught.value).startswith("roc.svg: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "wide", "whole"),
    [
        ("430 300", False, False),
        ("605 475", True, True),
        ("800 200", True, False),
        ("820 570", True, True),
        ("460 600", True, True),
        ("330 440", False, False),
    ],
)
def test_a_page_among_the_pictures_takes_the_whole_width_at_its_full_height(size, wide, whole):
    picture = Picture("A case", "", "case.svg", Markup(f'<svg viewBox="0 0 {size}"></svg>'))  # noqa: S704
    assert (picture.wide, picture.whole) == (wide, whole)


ESCAPES = [
    *(f'<rect style="fill: {one}"/>' for one in (
        r"\75rl(http://evil.example)", r"\000075 rl(//evil.example)", "u/**/rl(http://evil.example)",
        "url(/*#*/http://evil.example)", "url( 'http://evil.example#a' )", "url(#a),url(//evil)",
        "image-set('http://evil.example' 1x)", "src('http://evil.example')", "var(--evil)",
        "attr(evil)", "element(#evil)", "cross-fade(url(//evil))", "URL\t(http://evil.example)",
        "url(#a) url(evil.svg#b)", "url(\u2025//evil.example)",
    )),
    *(f'<rect {one}="url(http://evil.example/#a)"/>' for one in (
        "filter", "cursor", "mask", "clip-path", "marker-start", "fill", "stroke", "FILL",
    )),
    *(f'<rect style="{one}"/>' for one in (
        "position: fixed; top: 0", "behavior: url(#evil)", "-moz-binding: url(#evil)",
        "@import 'evil'", "width: expression(alert(1))", "--evil: 1", "content: 'evil'",
        "transform: scale(99)", "cursor: url(evil), auto", "background: url(evil)",
        "filter: url(#evil)", "font: 1px x; src: url(evil)", "animation: evil 1s",
    )),
    *(f"<style>{one}</style>" for one in (
        r"@\69mport 'http://evil.example/x.css';", "@/**/import 'evil';", "@charset 'evil';",
        "@namespace x url(evil);", "@media screen { @import 'evil'; }",
        "@supports (a:b) {*{evil:1}}",
        "a{fill:red}@keyframes evil{from{fill:url(evil)}}", "}body{position:fixed}evil{",
        "*{fill:red;background:url(evil)}".replace("fill:red;", ""), "/*evil*/*{src:url(evil)}",
        "@font-face{font-family:evil;src:local(evil)}", "body::after{content:'evil'}",
        "&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>",
        "<![CDATA[</style><script>alert(1)</script>]]>", "*{fill:\\75rl(evil)}",
    )),
    *(f'<{tag} href="{to}" xlink:href="{to}"/>' for tag in ("use", "image", "a", "g", "pattern")
      for to in (
        "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java&#10;script:alert(1)", "vbscript:evil",
        "&#106;avascript:alert(1)", "data:text/html;base64,ZXZpbA==", "data:image/svg+xml,evil",
        "data:image/png;base64,ZXZpbA==", "data:image/png,evil", "//evil.example/x#a", "evil.svg#a",
        "file:///etc/passwd", "data:image/png;base64,iVBORw0KGgo=&quot; onload=&quot;alert(1)",
    )),
    *(f'<rect {one}="alert(1)"/>' for one in (
        "onload", "ONLOAD", "oNbEgIn", "onmouseover", "onfocusin", "onend", "formaction",
    )),
    *(f"<{one}>alert(1)</{one}>" for one in (
        "script", "SCRIPT", "foreignObject", "iframe", "handler", "listener", "switch", "metadata",
        "animateMotion", "animateTransform", "discard", "mpath", "textPath", "view", "cursor",
        "font", "font-face-uri", "set", "feImage", "filter", "feComposite", "hatch", "audio",
        "video", "object", "embed", "link", "base", "meta", "form", "math", "template",
    )),
    '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>',
    '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    '<h:img xmlns:h="http://www.w3.org/1999/xhtml" src="evil" onerror="alert(1)"/>',
    '<h:style xmlns:h="http://www.w3.org/1999/xhtml">@import "evil";</h:style>',
    '<rect xmlns:ev="http://www.w3.org/2001/xml-events" ev:event="load" ev:handler="evil"/>',
    '<rect xml:base="http://evil.example/"/>',
    '<use xmlns:l="http://www.w3.org/1999/xlink" l:href="http://evil.example/#a"/>',
    '<set attributeName="xlink:href" to="javascript:alert(1)"/>',
    '<animate attributeName="href" values="javascript:alert(1)"/>',
    "<title><style>@import 'evil';</style></title>",
    "<desc><rect onload='alert(1)'/>&lt;/desc&gt;&lt;script/&gt;<script>alert(1)</script></desc>",
    '<?xml-stylesheet href="http://evil.example/x.css"?>',
    "<!-- evil --><!--[if IE]><script>alert(1)</script><![endif]-->",
    '<rect id="a onload=alert(1)"/>', '<rect id="&quot;&gt;&lt;script&gt;evil"/>',
    '<rect class="a\\"/>', '<rect width="expression(alert(1))"/>',
    '<rect fill="context-fill url(evil)"/>', '<g data-evil="1" tabindex="1" target="evil"/>',
]  # fmt: skip
WORDS = ("alert", "evil", "javascript", "script", "iframe", "onload", "import", "position",
         "expression", "http", "file:", "xml", "\\")  # fmt: skip


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_known_escape_leaves_the_drawing(escape):
    drawn = svg(f'<g>{escape}</g><circle id="kept"/>')
    found = str(inline_svg(drawn, "f1-", "x"))
    ids = re.findall(r'id="f1-kept"', found)
    assert ids, "what draws beside it stays"
    # Read again as a browser does; text of titles and styles is looked at as text.
    page = Parsed(found)
    assert page.tags <= {"svg", "g", "circle", "rect", "style", "use", "image", "pattern", "title",
                         "desc"}  # fmt: skip
    for name, value in page.attributes:
        assert not name.startswith("on")
        for word in WORDS:
            assert word not in f"{name}={value}".lower(), (name, value)
    for word in ("@", "url", "evil", "\\", "position"):
        assert word not in page.styles.lower()


class Parsed(HTMLParser):
    """The tags, attributes and styles of a piece of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.styles, self._open = set(), [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open.append(tag)

    def handle_endtag(self, tag):
        self._open.pop()

    def handle_data(self, data):
        if self._open and self._open[-1] == "style":
            self.styles += data


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (svg("<g>" * 5000 + "</g>" * 5000), "more than 100 levels"),
        (svg('<g id="a"><use href="#a"/></g>'), "draws itself"),
        (svg('<g id="a"><use href="#b"/></g><g id="b" fill="url(#a)"/>'), "draws itself"),
        (svg('<g id="p0"><path d="M0 0"/></g>' + "".join(
            f'<g id="p{n}">' + f'<use href="#p{n - 1}"/>' * 10 + "</g>" for n in range(1, 9)
        )), "draws more than 1000000 parts"),
        ('<!DOCTYPE svg [<!ENTITY % a "b">]><svg/>', "declares entities"),
        ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', "entities"),
        ('<svg>&evil;</svg>', "no valid SVG"),
        ('<svg a="1" a="2"/>', "no valid SVG"),
        ("<svg>\x00</svg>", "no valid SVG"),
        ("+ADw-svg+AD4-", "no valid SVG"),
        ('<x:svg xmlns:x="http://www.w3.org/1999/xhtml"/>', "expected an svg element"),
    ],
)  # fmt: skip
def test_what_would_hold_up_a_reader_is_refused_in_one_line(text, word):
    with pytest.raises(DataError, match=word) as caught:
        inline_svg(text, "f1-", "roc.svg")
    assert "\n" not in str(caught.value)
    assert title_and_description(text) in (("", ""), title_and_description(text))


def test_more_elements_than_any_figure_has_are_refused(monkeypatch):
    monkeypatch.setattr("cardio_core.report.svg.MOST_ELEMENTS", 1000)
    with refuses(DataError, "x", "1000", code="too_large"):
        inline_svg(svg("<g/>" * 1001), "f1-", "x")


def test_a_thousand_attributes_are_read_and_dropped():
    many = " ".join(f'a{n}="alert(1)"' for n in range(20_000))
    assert "alert" not in inline_svg(svg(f"<rect {many}/>"), "f1-", "x")


def test_another_encoding_in_the_head_changes_nothing():
    drawn = '<?xml version="1.0" encoding="UTF-7"?>' + svg("<text>+ADw-script+AD4-</text>")
    assert "+ADw-script+AD4-</text>" in inline_svg(drawn, "f1-", "x")


def test_a_drawing_cannot_cover_the_page():
    found = inline_svg(
        svg("", 'transform="scale(99)" style="position: fixed; inset: 0" overflow="visible"'),
        "f1-", "x",
    )  # fmt: skip
    assert found == '<svg id="f1-root" role="img" aria-label="x" viewBox="0 0 9 9"></svg>'
