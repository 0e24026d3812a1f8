"""The Sphinx extension of this site: pages made from the code, and links that lead out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from _site import links, made


def setup(app: Any) -> dict[str, Any]:
    """Make the pages before Sphinx looks for them, and mend links as each is read."""
    folder = Path(app.srcdir)
    made.write(folder, folder.parent)
    app.connect("source-read", links.mended)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
