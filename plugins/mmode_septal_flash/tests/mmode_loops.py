"""Loops, septa and tables as files, and what the hooks make of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import Context, DataError
from cardio_core.testing import refuses
from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.featurize import featurize
from cardio_mmode_septal_flash.flash.load import load
from cardio_mmode_septal_flash.flash.models import SEPTAL_FLASH
from cardio_mmode_septal_flash.flash.preprocess import preprocess
from cardio_mmode_septal_flash.synthetic import patients
from cardio_mmode_septal_flash.synthetic.septal_flash import SECTOR
from cardio_ultrasound import write_us_loop

from .mmode_phantoms import SPACING, phantom

FIRST_ROW, FIRST_COLUMN, LAST_ROW, LAST_COLUMN = SECTOR.box_px()
REGION = (FIRST_COLUMN, FIRST_ROW, LAST_COLUMN, LAST_ROW)


SMALL = {"n_pixels": 128, "max_shift": 2}


def shorten_loops(patch: Any) -> None:
    """Let cohorts be drawn of short beats, with frames as far apart as a verdict allows.

    Few patients are drawn in this process, where the change counts.
    """
    drawn = patients._draw_loop

    def shorter(*arguments):
        spec = drawn(*arguments)
        beat = replace(spec.beat, hr_bpm=80 + spec.beat.hr_bpm / 4)
        return replace(spec, beat=beat, rate_hz=round(51 + spec.rate_hz / 20, 1))

    patch.setattr(patients, "_draw_loop", shorter)


def context(path: Path, mode: str) -> Context:
    return Context(SEPTAL_FLASH, hook="load", mode=mode, _inputs=(path,))


def write_loop(file: Path, frames=None, *, number: int = 1, rate_hz: float | None = None, **others):
    """Write a phantom, or other frames with its times, as DICOM; return what it shows."""
    one = phantom(number, rate_hz=50.0)
    settings = {
        "frame_rate_hz": rate_hz or one.spec.rate_hz,
        "mm_per_pixel": SPACING,
        "region": REGION,
        "photometric": "MONOCHROME2",
        "r_times_ms": (1000 * one.spec.r_s).tolist(),
    }
    write_us_loop(file, one.frames if frames is None else frames, **(settings | others))
    return one


def write_septum(file: Path, points=None) -> None:
    points = phantom(1, rate_hz=50.0).truth.polyline_px if points is None else points
    file.write_text(json.dumps({"points_px": np.asarray(points).tolist(), "frame": 1}))


def write_cohort(folder: Path, rows: list[dict]) -> None:
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)


def prepared(path: Path, mode: str = "predict", *, view: str = "look", **changes):
    """Run the three hooks; return the cohort, the features and what was quarantined, and why."""
    config, ctx = Config(), context(path, mode)
    cohort = load(config.load.model_copy(update={"view": view}), ctx)
    block = config.preprocess.model_copy(update=SMALL | changes)
    samples = preprocess(cohort.samples, block, ctx.replace(hook="preprocess"))
    features = featurize(samples, config.featurize.model_copy(update={"size": 64}))
    return cohort, features, {row.recording_id: row.reason for row in ctx._quarantined}


def refusal(path: Path, **changes) -> str:
    """Return why the only loop of a folder is set aside: one line."""
    config, ctx = Config(), context(path, "predict")
    cohort = load(config.load, ctx)
    block = config.preprocess.model_copy(update=SMALL | changes)
    with refuses(DataError):
        preprocess(cohort.samples, block, ctx.replace(hook="preprocess"))
    (row,) = ctx._quarantined
    assert "\n" not in row.reason
    return row.reason


def timing(features) -> dict[str, float]:
    block = features["timing"]
    return dict(zip(block.names, np.asarray(block.values)[0].tolist(), strict=True))
