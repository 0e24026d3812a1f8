"""Preprocess: from a loop to the M-mode of its septum, and of the lines beside it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, SampleSet
from cardio_mmode_septal_flash.flash.config import PreprocessBlock
from cardio_mmode_septal_flash.flash.models import A4C, VIEW_STATED
from cardio_mmode_septal_flash.flash.study import Study, prepare_study
from cardio_mmode_septal_flash.motion import BeatsMotion, septal_motion, trust_of_motion
from cardio_ultrasound import ScanLine, nameless


@dataclass(frozen=True, eq=False)
class StudyMModes:
    """The M-modes of one loop, shared by the samples that are cut from it.

    Attributes
    ----------
    mmodes : ndarray of uint8, shape (n_lines, n_rows, n_columns)
        By line, the unshifted one first.
    shifts : tuple of int
        Of the lines, in points of the septum.
    lines : tuple of ScanLine
        The lines.
    study : Study
        Where they come from.
    motion : BeatsMotion or None
        Of all beats of the loop; None where it is not measured.
    """

    mmodes: NDArray[np.uint8]
    shifts: tuple[int, ...]
    lines: tuple[ScanLine, ...]
    study: Study
    motion: BeatsMotion | None = None


@dataclass(frozen=True)
class LineOfStudy:
    """One sample: a line of a study.

    Attributes
    ----------
    study : StudyMModes
        All lines of the loop.
    place : int
        Which of them; 0 is the unshifted one.
    """

    study: StudyMModes
    place: int


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Mint one sample for every line across the septum of every loop.

    The septum is followed in every beat of a loop that can be measured; the M-mode is of one beat,
    whose early peak lies nearest their median (`BeatsMotion.usual`), under both protocols.

    Sample ``recording#0`` is the line on the point between `first_point` and `last_point`; the
    shifted ones, in fit mode, are variants 1 and up: they train, and never validate or test. In
    predict mode there is the unshifted line only, whose motion is measured on all of them alike.

    Returns
    -------
    SampleSet
        Values are `LineOfStudy`. The table carries `time_s` (begin of the cycle in the loop),
        `variant`, `shift`, `mvc_ms`, `avo_ms`, `timepoint`, `flags`, `no_verdict` and `view`,
        which was seen.

    Raises
    ------
    DataError
        None of the patient's loops can be used.
    """
    device = "cpu" if ctx.device is None else ctx.device.torch_name
    values: list[LineOfStudy] = []
    rows: list[dict[str, Any]] = []
    parents = samples.table.set_index("recording_id").to_dict("index")
    for recording_id, opened in samples.opened(ctx.quarantine):
        try:
            stated = parents[recording_id].get(VIEW_STATED) == A4C
            study = prepare_study(
                opened.loop,
                opened.septum,
                config,
                view_stated=stated,
                unscaled=ctx.mode == "predict",
            )
            made = follow_beats(study, config, device)
        except DataError as error:
            stated = nameless(str(error), Path(opened.loop.name))
            ctx.quarantine(recording_id, DataError(stated, code=error.code))
            continue
        kept = made.shifts if ctx.mode == "fit" else made.shifts[:1]
        for place, shift in enumerate(kept):
            values.append(LineOfStudy(made, place))
            rows.append(_row(recording_id, parents[recording_id], made.study, place, shift))
    if not values:
        raise DataError("none of the patient's loops can be used; see why of each")
    table = pd.DataFrame(rows).set_index("sample_id")
    held = np.empty(len(values), dtype=object)
    held[:] = values
    return SampleSet(table, held)


def follow_beats(study: Study, config: PreprocessBlock, device: str = "cpu") -> StudyMModes:
    """Reslice every measured beat of a study and follow the septum in it; show the usual one.

    All beats are cut on the same lines. What is not to be measured is resliced once and not
    followed.
    """
    if study.why_not:
        return reslice_study(study, config, device)
    made: list[StudyMModes] = []
    motions = []
    for cycle in study.beats.measured:
        cut = reslice_study(study.showing(cycle), config, device)
        line = cut.lines[0]
        per_row = line.mm_per_row(cut.mmodes.shape[1])
        motions.append(septal_motion(cut.mmodes, per_row, cycle.rr_ms, from_mm=line.from_mm))
        # The frames of one beat at a time are held.
        made.append(replace(cut, study=study))
    motion = BeatsMotion(tuple(motions), tuple(cycle.rr_ms for cycle in study.beats.measured))
    shown = motion.usual
    study = study.showing(study.beats.measured[shown]).judged(trust_of_motion(motion))
    return replace(made[shown], study=study, motion=None if study.why_not else motion)


def reslice_study(study: Study, config: PreprocessBlock, device: str = "cpu") -> StudyMModes:
    """Return the M-modes of all lines of a study, by the engine that the configuration names."""
    lines = list(study.lines.values())
    shape: dict[str, Any] = {
        "n_rows": config.n_pixels,
        "n_columns": config.n_pixels,
        "interpolation": config.interpolation,
    }
    if config.engine == "vtk":
        from cardio_mmode_septal_flash.mmode.reslice_vtk import reslice_vtk

        mmodes = reslice_vtk(study.volume, lines, **shape)
    else:
        from cardio_mmode_septal_flash.mmode.reslice_torch import reslice_torch

        (mmodes,) = reslice_torch([study.volume], [lines], **shape, device=device)
    return StudyMModes(mmodes, tuple(study.lines), tuple(lines), study)


def _row(
    recording_id: str, parent: dict[Hashable, Any], study: Study, place: int, shift: int
) -> dict[str, Any]:
    carried = ("study_id", "patient_id", "timepoint", "mvc_ms", "avo_ms")
    return {
        "sample_id": f"{recording_id}#{place}",
        "recording_id": recording_id,
        **{name: parent[name] for name in carried if name in parent},
        "time_s": study.cycle.start_ms / 1000.0,
        "variant": place,
        "shift": shift,
        "flags": "; ".join(dict.fromkeys(study.all_flags)),
        "no_verdict": "; ".join(study.no_verdict),
        "view": study.view,
    }
