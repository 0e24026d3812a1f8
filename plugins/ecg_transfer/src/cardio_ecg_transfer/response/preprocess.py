"""Preprocess for `crt_response`: the dominant beats of twelve leads, and what they measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, SampleSet
from cardio_ecg_transfer.response.config import PreprocessBlock
from cardio_ecg_transfer.shared.beat_samples import Beats, Row, beat_samples, cut_beats
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE
from cardio_ecg_transfer.signal.leads.names import derive_limb_leads, in_standard_order
from cardio_ecg_transfer.signal.measurements.conduction import Sex
from cardio_ecg_transfer.signal.measurements.measure import Measurements, measure
from cardio_ecg_transfer.signal.measurements.names import MEASUREMENTS


@dataclass(frozen=True)
class Patient:
    """What a cohort table says of whom a recording is of; None where it does not.

    Attributes
    ----------
    sex : {"M", "F"} or None
        As the table has it.
    age_y : float or None
        Years.
    date : str or None
        Of the study, as the table has it: shifted, never the true one.
    """

    sex: Sex | None = None
    age_y: float | None = None
    date: str | None = None

    @classmethod
    def of_row(cls, row: Row) -> Patient:
        """Read a row of the sample table."""
        sexes: dict[str, Sex] = {"M": "M", "F": "F"}
        age, date = row.get("age_y"), row.get("study_date")
        return cls(
            sexes.get(str(row.get("sex"))),
            None if age is None or pd.isna(age) else float(age),
            None if date is None or pd.isna(date) else str(date)[:10],
        )


@dataclass(frozen=True)
class Beat:
    """One beat in twelve leads, with the recording that it is from.

    Attributes
    ----------
    segment_mv : ndarray of float32, shape (12, context + n_samples + context)
        Leads in the order `TWELVE`, mV at 360 Hz.
    median_mv : ndarray of float32, shape (12, n_grid)
        The recording's median beat on the grid of `signal.measurements.measure`.
    measured : ndarray of float32, shape (n_measurements,)
        In the order of `MEASUREMENTS`; NaN where there is none.
    heart : Measurements
        The recording's, with its median beat and the limits of its waves.
    r_s : ndarray of float64, shape (n_peaks,)
        Every R peak of the recording, in seconds; those of `heart.beat.members` are dominant.
    duration_s : float
        Length of the recording.
    patient : Patient
        Whose it is.
    """

    segment_mv: NDArray[np.float32]
    median_mv: NDArray[np.float32]
    measured: NDArray[np.float32]
    heart: Measurements
    r_s: NDArray[np.float64]
    duration_s: float
    patient: Patient


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Mint the beats of the dominant morphology of each recording.

    Ectopic beats are left out, and so are beats that the edges cut. At most `config.n_beats` stay,
    evenly over the recording. A recording of fewer than twelve leads is measured where it is new,
    and takes no part in training: its other leads hold zeros, and a flag names those it has.

    Returns
    -------
    SampleSet
        Values: `Beat` objects. The table carries `length`, `r_offset` and `flags`, as for
        `aami_beats`, and `lbbb_read` of the recording.
    """
    whole = ctx.mode == "fit"
    return beat_samples(samples, partial(_beats_of, config=config, whole=whole), ctx)


def _beats_of(ecg: Ecg, about: Row, config: PreprocessBlock, whole: bool) -> Beats:
    """Return the beats of a recording that are kept, and their columns."""
    missing = [lead for lead in TWELVE if lead not in ecg.leads]
    if missing and whole:
        raise DataError(
            f"expected the twelve standard leads, found no {', '.join(missing)}; give a "
            "twelve-lead recording, or one with at least I, II and V1 to V6"
        )
    ecg = in_standard_order(derive_limb_leads(ecg))
    # Leads of other names count where the twelve are not all there: a Holter's MLII is better
    # than nothing.
    leads = TWELVE if set(TWELVE) <= set(ecg.leads) else ecg.leads
    ready, cut, columns = cut_beats(
        ecg, [ecg.leads.index(lead) for lead in leads], config, dead_too=True
    )
    patient = Patient.of_row(about)
    heart = measure(
        ready.signal_mv,
        TARGET_RATE_HZ,
        ready.peaks,
        leads,
        sex=patient.sex,
        findings=ready.findings,
        pacing=ready.pacing,
    )
    kept = np.flatnonzero(np.isin(cut.beat, heart.beat.members))
    if not kept.size:
        raise DataError(
            "expected a whole beat of the dominant morphology, found none; record longer"
        )
    kept = kept[np.unique(np.rint(np.linspace(0, kept.size - 1, config.n_beats)).astype(np.intp))]
    measured = np.array([heart.values[name] for name, _ in MEASUREMENTS], dtype=np.float32)
    beats = np.empty(kept.size, dtype=object)
    r_s = ready.peaks / TARGET_RATE_HZ
    shared = (heart.grid_mv, measured, heart, r_s, ecg.duration_s, patient)
    segments_mv = np.zeros((kept.size, len(TWELVE), cut.segments_mv.shape[2]), np.float32)
    for row, lead in enumerate(TWELVE):
        if lead in leads:
            segments_mv[:, row] = cut.segments_mv[kept, leads.index(lead)]
    beats[:] = [Beat(segment_mv, *shared) for segment_mv in segments_mv]
    read = np.full(kept.size, about.get("lbbb_read", np.nan), dtype=float)
    flags = "; ".join((*ready.flags, *heart.flags))
    own = {"lbbb_read": read, "flags": np.full(kept.size, flags)}
    return beats, {name: values[kept] for name, values in columns.items()} | own
