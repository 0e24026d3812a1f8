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
    app.add_post_transform(OnlyClasses)
    app.connect("autodoc-process-docstring", fields.add, priority=400)  # before napoleon
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
