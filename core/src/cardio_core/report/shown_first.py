"""What stands open on the page: Table 1, the main figures, and the cases that explain most."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cardio_core.io.run_artifact import CaseRecord, RunManifest
from cardio_core.report.pictures import MAX_CASES, Picture
from cardio_core.report.tables import OF_A_PAPER, Table
from cardio_core.report.words import PROTOCOLS

MAX_FIGURES = 4
MAX_CASES_SHOWN = 2
MAX_BYTES_OF_CASES = 3_000_000
"""Figures of explained cases that are put into the page behind a fold."""

_KINDS = (
    (r"^roc\b", ("honest", "paper")),
    (r"^calibration\b", ("honest",)),
    (r"^decision\b", ("honest",)),
    (r"^(agreement|scatter)\b", ("honest", "paper")),
    (r"^(classes|confusion)\b", ("honest", "paper")),
)
"""Figures by the beginning of their files' names, and the protocols under which they lead."""

_TABLE_1 = re.compile(r"^table-?1$|^table-1-(?!beside)")


def table_one(tables: Sequence[Table]) -> Table | None:
    """Return Table 1 of the honest protocol, where there is one."""
    found = [table for table in tables if _TABLE_1.search(_stem(table.file))]
    return next(
        (table for table in found if table.protocol != "paper"), found[0] if found else None
    )


def of_a_paper(table: Table) -> bool:
    """Return whether a table repeats what a paper printed."""
    return OF_A_PAPER.search(table.file) is not None


def main_figures(pictures: Sequence[Picture], manifest: RunManifest) -> list[Picture]:
    """Return the figures of discrimination, calibration and use: at most `MAX_FIGURES`.

    Of several of a kind the one of the first target and the primary model leads.
    """
    targets = [one.name for one in manifest.targets]
    models = [manifest.primary, *manifest.models]
    found: list[Picture] = []
    for pattern, protocols in _KINDS:
        for protocol in protocols:
            own = [
                one
                for one in pictures
                if one.protocol in (protocol, "")
                and re.search(pattern, _stem(one.file))
                and one not in found
            ]
            if own:
                found.append(min(own, key=lambda one: _rank(_stem(one.file),
                                                            targets, models)))  # fmt: skip
    return found[:MAX_FIGURES]


def _rank(stem: str, targets: Sequence[str], models: Sequence[str]) -> tuple[int, int, int]:
    words = stem.split("-")
    target = next((n for n, name in enumerate(targets) if name in words), len(targets))
    model = next((n for n, name in enumerate(models) if name in words), len(models))
    of_all = model == len(models)
    return target, 0 if of_all else 1, model


def cases_shown(cases: Sequence[CaseRecord], primary: str) -> list[CaseRecord]:
    """Return the explained cases that stand open: honest ones of the primary model, unlike."""
    drawn = [case for case in cases if case.figure]
    order = sorted(drawn, key=lambda c: (c.model != primary, c.protocol == "paper"))
    same = [case for case in order if _of(case) == _of(order[0])]
    by_kind = {_kind(case): case for case in reversed(same)}
    found = [case for case in same if by_kind[_kind(case)] is case]
    found += [case for case in same if case not in found]
    return found[:MAX_CASES_SHOWN]


def cases_folded(
    cases: Sequence[CaseRecord], shown: Sequence[CaseRecord], run: Path
) -> list[CaseRecord]:
    """Return the further cases that the page holds: until they are many, or their figures large."""
    found: list[CaseRecord] = []
    room = MAX_BYTES_OF_CASES
    for case in cases:
        if case in shown:
            continue
        path = run / case.figure
        room -= path.stat().st_size if path.is_file() else 0
        if room < 0 or len(found) == MAX_CASES:
            break
        found.append(case)
    return found


def _of(case: CaseRecord) -> tuple[Any, Any]:
    return case.model, case.protocol


def _kind(case: CaseRecord) -> str:
    return re.split(r"[;,(]", case.title)[0]


def _stem(file: str) -> str:
    stem = file.rpartition("/")[2].rpartition(".")[0]
    for protocol in PROTOCOLS:
        stem = stem.removeprefix(f"{protocol}-").removeprefix(f"{protocol}_")
    return stem
