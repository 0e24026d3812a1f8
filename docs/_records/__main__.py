"""``python -m docs._records``: write what pages show of records, and check what they state."""

from __future__ import annotations

import argparse
import sys

from . import listed, pages, record, stale


def main() -> int:
    """Return the exit code: 1 where a page or a record has to be mended."""
    asked = argparse.ArgumentParser(prog="python -m docs._records", description=__doc__)
    asked.add_argument("--check", action="store_true", help="write nothing")
    asked.add_argument("--stale", action="store_true", help="list records whose code changed since")
    given = asked.parse_args()
    if given.stale:
        found = stale.unmarked()
    else:
        if not given.check:
            for page in pages.checked():
                path = record.ROOT / page
                text = path.read_text(encoding="utf-8")
                if (made := pages.rendered(text)) != text:
                    path.write_text(made, encoding="utf-8")
        found = pages.found_wrong()
        if listed.NOT_YET:
            sys.stderr.write(f"Not checked yet: {', '.join(listed.NOT_YET)}\n")
    sys.stdout.write("".join(f"{line}\n" for line in found))
    if found:
        sys.stderr.write("What to do is told in CONTRIBUTING.md, Measured numbers.\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
