"""Links of pages that are read in the repository, too, as they have to be on the site."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
HAVE_A_PAGE = {
    "CHANGELOG.md": "reference/changes.md",
    "CONTRIBUTING.md": "reference/contributing.md",
    "SECURITY.md": "reference/security.md",
    "README.md": "index.md",
    "docs/README.md": "index.md",
}
"""Files outside of docs/ that the site shows, and where."""


def mended(app: Any, page: str, source: list[str]) -> None:
    """Let links to what the site shows elsewhere lead there; what it does not show is named."""
    where = PurePosixPath(f"docs/{page}.md")
    source[0] = for_site(source[0], Path(app.srcdir).parent, where, where)


def for_site(text: str, root: Path, written: PurePosixPath, shown: PurePosixPath) -> str:
    """Return a page with its links as the site needs them.

    Parameters
    ----------
    text : str
        Markdown.
    root : Path
        Of the repository.
    written, shown : PurePosixPath
        Where the page stands in the repository, and where on the site (below docs/).
    """

    def link(found: re.Match[str]) -> str:
        mark, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        if not target or ":" in target:
            return found[0]
        path = PurePosixPath(os.path.normpath(written.parent / target))
        place = place_of(path)
        if place is None:
            inside = (root / path).exists()
            return f"{words} (`{path}`)" if inside and words != str(path) else f"`{path}`"
        return f"{mark}[{words}]({os.path.relpath(place, shown.parent)}{anchor})"

    return LINK.sub(link, text)


def place_of(path: PurePosixPath) -> PurePosixPath | None:
    """Return where the site shows a file of the repository; None where it does not.

    Examples
    --------
    >>> place_of(PurePosixPath("plugins/ecg_transfer/README.md"))
    PurePosixPath('docs/plugins/ecg_transfer.md')
    >>> place_of(PurePosixPath("core/tests/oracles")) is None
    True
    """
    known = HAVE_A_PAGE.get(str(path))
    if known:
        return PurePosixPath("docs") / known
    if path.parts[0] == "plugins" and len(path.parts) == 3 and path.name == "README.md":
        return PurePosixPath(f"docs/plugins/{path.parts[1]}.md")
    shown = path.parts[0] == "docs" and path.suffix in {".md", ".svg", ".png", ".webm"}
    return path if shown else None
