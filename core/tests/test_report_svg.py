"""An SVG that goes into a page: unique ids, nothing that acts, nothing that fetches."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from cardio_core.errors import DataError
from cardio_core.report.figures import ForestRow, forest, svg_text
from cardio_core.report.inline_svg import inline_svg
from cardio_core.report.pictures import Picture


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
    drawn = svg_text(forest([ForestRow("V", "honest", 0.8, 0.7, 0.9)], title="Classes"))
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
    [("450 300", False, False), ("800 200", True, False), ("820 570", True, True)],
)
def test_a_page_among_the_pictures_takes_the_whole_width_at_its_full_height(size, wide, whole):
    picture = Picture("A case", "", "case.svg", Markup(f'<svg viewBox="0 0 {size}"></svg>'))  # noqa: S704
    assert (picture.wide, picture.whole) == (wide, whole)
