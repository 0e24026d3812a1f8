"""From recordings to their beats: cut each recording, and mint what was cut as samples."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, SampleSet
from cardio_ecg_transfer.shared.config import BeatsBlock
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.ready import Ready, make_ready
from cardio_ecg_transfer.signal.segments import BeatSegments, segment_beats
from cardio_ecg_transfer.signal.spectrogram.settings import M3_CONTEXT

Row = Mapping[Hashable, Any]
Beats = tuple[NDArray[Any], dict[str, NDArray[Any]]]


def mint_beats(
    samples: SampleSet, beats_of: Callable[[Ecg, Row], Beats], ctx: Context
) -> SampleSet:
    """Mint the beats of every recording that can be used; the others are quarantined.

    Parameters
    ----------
    samples : SampleSet
        Recordings of one patient.
    beats_of : callable
        From a recording and its row of the sample table to the values of its beats, shape
        (n_beats, ...), and their columns, `time_s` among them; raises DataError.
    ctx : Context
        Who is told of what cannot be used.

    Raises
    ------
    DataError
        If no recording can be used.
    """
    made: dict[str, Beats] = {}
    about = samples.table.set_index("recording_id").to_dict("index")
    for recording_id, ecg in samples.opened(ctx.quarantine):
        try:
            made[recording_id] = beats_of(ecg, about[recording_id])
        except DataError as error:
            ctx.quarantine(recording_id, str(error))
    if not made:
        raise DataError("none of the patient's recordings can be used")
    values, columns = zip(*made.values(), strict=True)
    joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
    times_s = [one["time_s"] for one in columns]
    return samples.mint(list(made), times_s, np.concatenate(values), joined)


def cut_beats(
    ecg: Ecg, chosen: list[int], config: BeatsBlock
) -> tuple[Ready, BeatSegments, dict[str, NDArray[Any]]]:
    """Cut the chosen leads of a recording into one segment a beat.

    Returns
    -------
    Ready, BeatSegments
        The recording at the working rate, and its segments.
    dict of str to ndarray, shape (n_beats,)
        `time_s`, `length` (samples of the segment), `r_offset` (sample of its R peak), `flags`.

    Raises
    ------
    DataError
        If fewer than three beats are found, or a chosen lead is flat.
    """
    ready = make_ready(ecg, chosen, high_pass_hz=config.high_pass_hz, notch_hz=config.notch_hz)
    cut = segment_beats(
        ready.signal_mv, ready.peaks, TARGET_RATE_HZ, anchor=config.anchor, context=M3_CONTEXT
    )
    peaks = ready.peaks[cut.beat]
    columns = {
        "time_s": peaks / TARGET_RATE_HZ,
        "length": cut.length,
        "r_offset": peaks - cut.start,
        "flags": np.full(len(peaks), "; ".join(ready.flags)),
    }
    return ready, cut, columns
