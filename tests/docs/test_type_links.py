"""In the reference, the type of an argument links classes and nothing else."""

from __future__ import annotations

import pytest

from .test_commands import ROOT

CONF = """
import sys
sys.path.insert(0, {docs!r})
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
napoleon_google_docstring = False
def setup(app):
    from _site.type_links import OnlyClasses
    app.add_post_transform(OnlyClasses)
"""
PAGE = """
Curves
======

.. py:class:: Curve

   .. py:attribute:: n

   .. py:attribute:: frames

.. py:function:: drawn(x, curve)

   :param x: Values.
   :type x: array-like of shape (n, frames, ...)
   :param curve: One.
   :type curve: Curve or None
"""


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    """Return the text of the arguments on a page, and what their types link."""
    application = pytest.importorskip("sphinx.application")
    from docutils import nodes

    folder = tmp_path_factory.mktemp("site")
    (folder / "conf.py").write_text(CONF.format(docs=str(ROOT / "docs")), encoding="utf-8")
    (folder / "index.rst").write_text(PAGE, encoding="utf-8")
    out = folder / "out"
    app = application.Sphinx(folder, folder, out, out / "trees", "html", status=None)
    app.build()
    page = app.env.get_and_resolve_doctree("index", app.builder)
    fields = next(page.findall(nodes.field_list))
    return fields.astext(), {one["refid"] for one in fields.findall(nodes.reference)}


def test_a_word_of_a_type_is_no_link_to_an_attribute_of_that_name(types):
    text, linked = types
    assert "array-like of shape (n, frames, ...)" in text
    assert not {"Curve.n", "Curve.frames"} & linked


def test_a_class_in_a_type_is_a_link_to_it(types):
    assert types[1] == {"Curve"}
