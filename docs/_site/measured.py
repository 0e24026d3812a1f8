"""The list of all records: what was measured when, and whether it is still so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from _records import listed, pages, record

SCRIPTS = (*listed.MADE, *listed.PARTS)


def pages_of() -> dict[str, str]:
    """Return the page that shows where each record comes from, below docs/."""
    found = {}
    for page in pages.checked():
        text = (record.ROOT / page).read_text(encoding="utf-8")
        for name in re.findall(r"<!-- origin: (\S+) -->", text):
            found.setdefault(name, page)
    return found


def made() -> Iterator[tuple[str, str]]:
    """Yield the page."""
    where = pages_of()
    records = [record.read(name) for name in record.names()]
    stale = [one for one in records if one.stale]
    yield (
        "reference/measured.md",
        "\n".join(
            [
                "# What was measured, and is it still so",
                "",
                f"{len(records)} records hold the numbers of these pages; {len(stale)} of them are "
                "stale: something changed since that alters them, or may. Copied: from what a "
                "command printed, because the output itself is gone. Numbers that scripts of "
                "their own write are not here; their pages say when they were measured: "
                f"{', '.join(f'`{page}`' for page in SCRIPTS)}.",
                "",
                "| record | measured on | at commit | numbers | since then |",
                "|---|---|---|---|---|",
                *(_row(one, where[one.name]) for one in records if one.name in where),
            ]
        )
        + "\n",
    )


def _row(one: record.Record, page: str) -> str:
    raw = one.raw
    how = next(
        (words for key, words in {"quoted": "quoted", "transcribed": "copied",
         "source": "stored by the study"}.items() if key in raw),
        "stored here",
    )  # fmt: skip
    state = f"**stale**: {one.stale.removesuffix('; not measured again')}" if one.stale else ""
    if "unchanged" in raw:
        state = f"still so on {raw['unchanged']['date']}"
    shown = page.removeprefix("docs/")
    link = f"[{one.name}](../{shown})" if page.startswith("docs/") else f"`{one.name}`"
    cells = (link, raw["date"], raw.get("commit", ""), how, state.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |"
