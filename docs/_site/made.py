"""Write the pages that are made from the code; they are in no commit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path, PurePosixPath

from _site import columns, commands, links, measured, metrics, reference, settings


def write(docs: Path, root: Path) -> None:
    """Write every made page below docs/, where it changed."""
    sources = (
        commands.pages(), settings.pages(), columns.pages(), reference.pages(), metrics.pages(),
        measured.made(),
    )  # fmt: skip
    for name, text in (*_copied(root), *chain.from_iterable(sources)):
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only what changed is written, so that a second build reads little.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _copied(root: Path) -> Iterator[tuple[str, str]]:
    """Yield pages that stand elsewhere in the repository, their links mended."""
    sources = [*links.HAVE_A_PAGE, *(f"plugins/{one.name}/README.md"
                                     for one in sorted((root / "plugins").iterdir()))]  # fmt: skip
    for source in sources:
        written = PurePosixPath(source)
        shown = links.place_of(written)
        if shown is not None and shown.name != "index.md" and (root / source).is_file():
            text = (root / source).read_text(encoding="utf-8")
            yield str(shown.relative_to("docs")), links.for_site(text, root, written, shown)
