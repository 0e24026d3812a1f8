"""The templates that pages are filled in from."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def templates(folder: str) -> Environment:
    """Return the templates of a folder of the package; what they are given is escaped.

    Examples
    --------
    >>> templates("report").get_template("page.html").name
    'page.html'
    """
    return Environment(
        loader=PackageLoader("cardio_core", folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
