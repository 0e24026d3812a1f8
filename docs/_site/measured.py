"""The list of all records: what was measured when and how, and whether it is current."""

from __future__ import annotations

from collections.abc import Iterator

from _records import listed, pages, record

SCRIPTS = (*listed.MADE, *listed.PARTS)


def pages_of() -> dict[str, str]:
    """Return the page that shows the provenance of each record, below docs/."""
    found: dict[str, str] = {}
    for page in pages.checked():
        text = (record.ROOT / page).read_text(encoding="utf-8")
        for name in pages.with_provenance(text):
            if name not in found or name.partition("/")[0] in page:  # others quote it
                found[name] = page
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
                "# Measurements",
                "",
                f"{len(records)} records hold the measured numbers of these pages; {len(stale)} of "
                "them are stale: the code has changed since, and the numbers may have. Other "
                "measured numbers are written by scripts; their pages give the date: "
                f"{', '.join(f'`{page}`' for page in SCRIPTS)}.",
                "",
                "| record | measured on | at commit | numbers | state |",
                "|---|---|---|---|---|",
                *(_row(one, where[one.name]) for one in records if one.name in where),
                *(line for one in records for line in ("", f"## {one.name}", "", one.origin())),
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
    state = f"**stale**: {one.stale}" if one.stale else ""
    if "unchanged" in raw:
        state = f"unchanged on {raw['unchanged']['date']}"
    shown = page.removeprefix("docs/")
    link = f"[{one.name}](../{shown})" if page.startswith("docs/") else f"`{one.name}`"
    cells = (link, raw["date"], raw.get("commit", ""), how, state.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |"
