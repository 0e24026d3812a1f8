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


_OF_README = re.compile(r"<!-- README: (.+?) -->")
"""Where a page shows a section of the README, so that it is written once."""


def mended(app: Any, page: str, source: list[str]) -> None:
    """Let links to what the site shows elsewhere lead there; what it does not show is named."""
    root, where = Path(app.srcdir).parent, PurePosixPath(f"docs/{page}.md")

    def section(found: re.Match[str]) -> str:
        text = section_of((root / "README.md").read_text(encoding="utf-8"), found[1])
        return for_site(text, root, PurePosixPath("README.md"), where)

    source[0] = _OF_README.sub(section, for_site(source[0], root, where, where))


def section_of(text: str, title: str) -> str:
    r"""Return what stands below a heading of the second level, without it.

    Raises
    ------
    ValueError
        There is no such heading.

    Examples
    --------
    >>> section_of("# A\n## B\n\nwords\n## C\n", "B")
    'words'
    """
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f"no section {title!r} in the README")
    return found[1].strip()


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
    >>> place_of(PurePosixPath("core/cardio-stats/tests/oracles")) is None
    True
    """
    known = HAVE_A_PAGE.get(str(path))
    if known:
        return PurePosixPath("docs") / known
    if path.parts[0] == "plugins" and len(path.parts) == 3 and path.name == "README.md":
        return PurePosixPath(f"docs/plugins/{path.parts[1]}.md")
    shown = path.parts[0] == "docs" and path.suffix in {".md", ".svg", ".png", ".webm"}
    return path if shown else None
