"""Small cohort tables and folders on disk, and how `load` is called on them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cardio_core.api import Cohort, Context, Target
from cardio_echo_cmr.findings.config import Config
from cardio_echo_cmr.findings.load import load
from cardio_echo_cmr.findings.tasks import TASKS

TASK = {task.name: task for task in TASKS}


def loaded(
    path: Path,
    task: str = "wma",
    mode: str = "fit",
    asked: Target | None = None,
    facts: dict[Path, dict[str, str]] | None = None,
    **settings: Any,
) -> Cohort:
    """Load a folder or table with some settings of the block `load`; one study is enough.

    `asked` is an outcome of the user's own, as the core settles it from its column, `facts` is
    what a person states of a file.
    """
    block = Config.model_validate({"load": {"min_studies": 1} | settings}).load
    what = TASK[task] if asked is None else TASK[task].predicting(asked)
    column = None if asked is None else asked.name
    ctx = Context(what, hook="load", mode=mode, outcome=column, _inputs=(path,), _facts=facts or {})
    cohort = load(block, ctx)
    return replace(cohort, quarantined=tuple(ctx._quarantined))


def segments(finding: str = "wma", **positive_or_open: Any) -> dict[str, Any]:
    """Return seventeen segments without a finding, but for those given: ``s05=1``, ``s12=""``."""
    named = {f"{finding}_seg_{n:02d}": 0 for n in range(1, 18)}
    return named | {f"{finding}_seg_{key[1:]}": value for key, value in positive_or_open.items()}


def write_table(folder: Path, rows: list[dict[str, Any]], name: str = "cohort.csv") -> Path:
    """Write rows that need not have the same columns; a missing cell is empty."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, columns)
        table.writeheader()
        table.writerows(rows)
    return folder / name


def write_clip(file: Path, n_frames: int = 12, side: int = 48) -> Path:
    """Write a loop of noise as NPY."""
    file.parent.mkdir(parents=True, exist_ok=True)
    frames = np.random.default_rng(n_frames).integers(0, 255, (n_frames, side, side))
    np.save(file, frames.astype(np.uint8))
    return file


def write_avi(file: Path, n_frames: int = 40, *, colour: bool = False, side: int = 112) -> Path:
    """Write a loop of noise as motion JPEG, whose container says 50 frames a second."""
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 50.0, (side, side))
    rng = np.random.default_rng(n_frames)
    for _ in range(n_frames):
        grey = rng.integers(0, 255, (side, side), dtype=np.uint8)
        shown = np.stack([grey, grey // 4, 255 - grey] if colour else [grey] * 3, axis=-1)
        writer.write(np.ascontiguousarray(shown))
    writer.release()
    return file
