"""`measurements.html`: every recording of `cardio measure` on one page, without a network."""

from __future__ import annotations

import base64
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.atomic import replacing
from cardio_core.io.tables.formula import as_it_was, as_they_were
from cardio_core.report.measured.paired import differences, pairs
from cardio_core.report.measured.sheet import THUMBNAILS
from cardio_core.report.measured.values import short
from cardio_core.report.told.page_parts import templates
from cardio_core.report.words import moment

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
MOST_PICTURES = 600
"""Thumbnails in the page; of a larger cohort the others are links, or no browser would open it."""


@dataclass(frozen=True)
class Row:
    """One recording as the page shows it; `picture` is the text of an inline JPEG, or empty."""

    recording: str
    patient: str
    cells: tuple[str, ...]
    flags: tuple[str, ...]
    reason: str
    sheet: str
    picture: str


def write_page(
    path: Path,
    table: Path,
    *,
    by: str,
    made: str,
    notes: Sequence[str],
    of: str = "recording",
    by_recording: str = "",
) -> None:
    """Write the page from the finished table and the thumbnails beside the sheets.

    Parameters
    ----------
    path : Path
        The page; sheets are looked for in the table's folder.
    table : Path
        ``measurements.csv``; read line by line, twice.
    by, made : str
        For the head: what measured, and when. A task's title names what is predicted, and nothing
        is here.
    notes : sequence of str
        Sentences below it.
    of : {"recording", "study"}
        What a line of the table is.
    by_recording : str
        Name of the page beside it that says the same by recording; empty where there is none.
    """
    about = {"by": by, "made": moment(made)}
    columns, counts, reasons, flags = _counted(table)
    changed = differences(columns)
    template = templates("report/measured").get_template("page.html")
    stream = template.generate(
        **about, notes=list(notes), columns=columns, counts=counts, table=table.name,
        reasons=reasons.most_common(), flags=flags.most_common(), most=MOST_PICTURES,
        rows=_rows(table, columns), differences=changed, pairs=pairs(table, changed),
        of=of, many={"study": "studies"}.get(of, f"{of}s"), by_recording=by_recording,
    )  # fmt: skip
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        for piece in stream:
            file.write(piece)


def _counted(table: Path) -> tuple[list[str], dict[str, int], Counter[str], Counter[str]]:
    """Return the columns of what anybody has, and how many were measured, flagged, refused and why.

    Flags that differ in their numbers alone are counted together, with dots in their place.
    """
    counts = {"all": 0, "measured": 0, "flagged": 0, "pictures": 0}
    reasons: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    texts: dict[str, str] = {}
    others = {"id", "patient", "samples", "flags", "not measured because", "sheet"}
    with table.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns = [as_it_was(name) for name in reader.fieldnames or [] if name not in others]
        columns += ["samples"] if "samples" in (reader.fieldnames or []) else []
        filled: set[str] = set()
        for row in map(as_they_were, reader):
            filled.update(name for name in columns if row.get(name))
            counts["all"] += 1
            reason = row.get("not measured because") or ""
            counts["measured"] += not reason
            counts["flagged"] += bool(row.get("flags"))
            counts["pictures"] += bool(row.get("sheet"))
            if reason:
                reasons[reason] += 1
            for flag in filter(None, (row.get("flags") or "").split("; ")):
                alike = _NUMBER.sub("…", flag)
                texts[alike] = flag if texts.get(alike, flag) == flag else alike
                flags[alike] += 1
    told = Counter({texts[alike]: n for alike, n in flags.items()})
    return [name for name in columns if name in filled], counts, reasons, told


def _rows(table: Path, columns: Sequence[str]) -> Iterator[Row]:
    n_pictures = 0
    with table.open(encoding="utf-8", newline="") as file:
        for row in map(as_they_were, csv.DictReader(file)):
            sheet = row.get("sheet") or ""
            picture = ""
            if sheet and n_pictures < MOST_PICTURES:
                picture = _inline(table.parent / sheet)
                n_pictures += bool(picture)
            yield Row(
                row["id"], row.get("patient") or "", tuple(short(row[name]) for name in columns),
                tuple(filter(None, (row.get("flags") or "").split("; "))),
                row.get("not measured because") or "", sheet, picture,
            )  # fmt: skip


def _inline(sheet: Path) -> str:
    file = sheet.parent / THUMBNAILS / f"{sheet.stem}.jpg"
    return base64.b64encode(file.read_bytes()).decode("ascii") if file.is_file() else ""
