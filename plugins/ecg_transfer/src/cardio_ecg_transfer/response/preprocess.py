"""Preprocess for `crt_response`: the dominant beats of twelve leads, and what they measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.leads.limb_leads import in_standard_order
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE
from cardio_ecg_transfer.signal.measurements.measure import MEASUREMENTS, measure
from cardio_ecg_transfer.signal.ready import make_ready
from cardio_ecg_transfer.signal.segments import segment_beats
from cardio_ecg_transfer.signal.spectrogram.settings import M3_CONTEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_core.api import Context, SampleSet
    from cardio_ecg_transfer.response.config import PreprocessBlock
    from cardio_ecg_transfer.signal.ecg import Ecg
    from cardio_ecg_transfer.signal.measurements.conduction import Sex


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
    """

    segment_mv: NDArray[np.float32]
    median_mv: NDArray[np.float32]
    measured: NDArray[np.float32]


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Mint the beats of the dominant morphology of each twelve-lead recording.

    Ectopic beats are left out, and so are beats that the edges cut. At most `config.n_beats` stay,
    evenly over the recording.

    Returns
    -------
    SampleSet
        Values: `Beat` objects. The table carries `length`, `r_offset` and `flags`, as for
        `aami_beats`, and `sex` and `lbbb_read` of the recording.
    """
    recordings, times, beats, columns = [], [], [], []
    by_recording = samples.table.set_index("recording_id")
    for recording_id, ecg in samples.opened(ctx.quarantine):
        about = by_recording.loc[recording_id]
        sex: Sex | None = {"M": "M", "F": "F"}.get(str(about.get("sex")))  # type: ignore[assignment]
        try:
            made, cut_times_s, own = _one(ecg, sex, config)
        except DataError as error:
            ctx.quarantine(recording_id, str(error))
            continue
        recordings.append(recording_id)
        times.append(cut_times_s)
        beats += made
        read = about.get("lbbb_read", np.nan)
        columns.append(own | {"lbbb_read": np.full(len(made), read, dtype=float)})
    if not beats:
        raise DataError("none of the patient's recordings can be used")
    joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
    values = np.empty(len(beats), dtype=object)
    values[:] = beats
    return samples.mint(recordings, times, values, joined)


def _one(
    ecg: Ecg, sex: Sex | None, config: PreprocessBlock
) -> tuple[list[Beat], NDArray[np.float64], dict[str, NDArray[np.generic]]]:
    """Return a recording's beats, their times (s), and their columns."""
    missing = [lead for lead in TWELVE if lead not in ecg.leads]
    if missing:
        raise DataError(
            f"expected the twelve standard leads, found no {', '.join(missing)}; give a "
            "twelve-lead recording, or one with at least I, II and V1 to V6"
        )
    ecg = in_standard_order(ecg)
    chosen = [ecg.leads.index(lead) for lead in TWELVE]
    ready = make_ready(ecg, chosen, high_pass_hz=config.high_pass_hz, notch_hz=config.notch_hz)
    cut = segment_beats(
        ready.signal_mv, ready.peaks, TARGET_RATE_HZ, anchor=config.anchor, context=M3_CONTEXT
    )
    r_offset = ready.peaks[cut.beat] - cut.start
    heart = measure(ready.signal_mv, TARGET_RATE_HZ, ready.peaks, TWELVE, sex=sex)
    kept = np.flatnonzero(np.isin(cut.beat, heart.beat.members))
    if not kept.size:
        raise DataError(
            "expected a whole beat of the dominant morphology, found none; record longer"
        )
    kept = kept[np.unique(np.rint(np.linspace(0, kept.size - 1, config.n_beats)).astype(np.intp))]
    values = np.array([heart.values[name] for name, _ in MEASUREMENTS], dtype=np.float32)
    beats = [Beat(cut.segments_mv[i], heart.grid_mv, values) for i in kept]
    return (
        beats,
        ready.peaks[cut.beat][kept] / TARGET_RATE_HZ,
        {
            "length": cut.length[kept],
            "r_offset": r_offset[kept],
            "flags": np.full(kept.size, "; ".join(ready.flags)),
        },
    )
