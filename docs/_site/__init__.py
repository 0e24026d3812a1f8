"""The Sphinx extension of this site: pages made from the code, links that lead out, numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from _records import found_wrong

from _site import fields, links, made


def setup(app: Any) -> dict[str, Any]:
    """Make the pages before Sphinx looks for them, and mend links as each is read.

    Raises
    ------
    ExtensionError
        A page states a number that no record holds, or shows a record otherwise than it is.
    """
    from sphinx.errors import ExtensionError  # tests import this package without Sphinx

    from _site.type_links import OnlyClasses

    if wrong := found_wrong():
        raise ExtensionError("\n".join(["numbers of the pages (see CONTRIBUTING.md):", *wrong]))
    folder = Path(app.srcdir)
    made.write(folder, folder.parent)
    app.connect("source-read", links.mended)
    app.connect("html-page-context", _reachable, priority=900)  # after the theme
    app.add_post_transform(OnlyClasses)
    app.connect("autodoc-process-docstring", fields.add, priority=400)  # before napoleon
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _reachable(_app: Any, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Give captions of the menu a level, and let the keyboard scroll what is wider than a phone."""
    for part, plain, reached in (
        ("furo_navigation_tree", 'role="heading"', 'role="heading" aria-level="2"'),
        ("body", "<pre>", '<pre tabindex="0">'),
        ("body", "<th></th>", "<td></td>"),  # as pandas heads its index
        ("body", '<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
    ):
        context[part] = context.get(part, "").replace(plain, reached)
