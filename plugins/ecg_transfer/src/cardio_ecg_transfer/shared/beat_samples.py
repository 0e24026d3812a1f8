"""From recordings to their beats: make each ready, cut it, and make samples of its beats."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, SampleSet
from cardio_ecg_transfer.shared.config import BeatsBlock
from cardio_ecg_transfer.signal.delineation.median_beat import median_beat
from cardio_ecg_transfer.signal.ecg import Ecg, Finding, unfit_leads
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.leads.exchanges import polarity_flags
from cardio_ecg_transfer.signal.leads.names import INDEPENDENT_LEADS
from cardio_ecg_transfer.signal.pacing import Pacing, beats_without_spikes
from cardio_ecg_transfer.signal.recording_checks import check_recording
from cardio_ecg_transfer.signal.rpeaks import at_working_rate
from cardio_ecg_transfer.signal.segments import BeatSegments, segment_beats
from cardio_ecg_transfer.signal.spectrogram.settings import M3_CONTEXT

Row = Mapping[Hashable, Any]
Beats = tuple[NDArray[Any], dict[str, NDArray[Any]]]


@dataclass(frozen=True)
class Ready:
    """A recording at the working rate, with its beats found.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_chosen_leads, n_samples)
        At 360 Hz, filtered as configured; NaN where the recording has no value.
    peaks : ndarray of int64, shape (n_peaks,)
        R peaks as samples at 360 Hz.
    flags : tuple of str
        Of the file, the leads' quality, and the electrodes.
    findings : tuple of Finding
        What is wrong with its leads; one without a signal holds zeros.
    pacing : Pacing
        Pacemaker spikes, which are bridged in `signal_mv`.
    """

    signal_mv: NDArray[np.float32]
    peaks: NDArray[np.int64]
    flags: tuple[str, ...]
    findings: tuple[Finding, ...]
    pacing: Pacing


def beat_samples(
    samples: SampleSet, beats_of: Callable[[Ecg, Row], Beats], ctx: Context
) -> SampleSet:
    """Return the beats of every recording that can be used; the others are quarantined.

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
        raise DataError("none of the patient's recordings can be used; see why of each")
    values, columns = zip(*made.values(), strict=True)
    joined = {name: np.concatenate([item[name] for item in columns]) for name in columns[0]}
    times_s = [column["time_s"] for column in columns]
    return samples.cut(list(made), times_s, np.concatenate(values), joined)


def cut_beats(
    ecg: Ecg, chosen: list[int], config: BeatsBlock, *, dead_too: bool = False
) -> tuple[Ready, BeatSegments, dict[str, NDArray[Any]]]:
    """Cut the chosen leads of a recording into one segment a beat.

    With `dead_too` leads without a signal are left as zeros, and found in `Ready.findings`.

    Returns
    -------
    Ready, BeatSegments
        The recording at the working rate, and its segments.
    dict of str to ndarray, shape (n_beats,)
        `time_s`, `length` (samples of the segment), `r_offset` (sample of its R peak), `flags`.

    Raises
    ------
    DataError
        If fewer than three beats are found, or a chosen lead is flat (and not `dead_too`).
    """
    ready = _make_ready(ecg, chosen, config, dead_too)
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


def _make_ready(ecg: Ecg, chosen: list[int], config: BeatsBlock, dead_too: bool) -> Ready:
    """Resample and filter the chosen leads of a recording, and find its beats in all leads."""
    checked = check_recording(ecg)
    file_flags = ecg.flags
    ecg, peaks, pacing = beats_without_spikes(checked.ecg)
    if peaks.samples.size < 3:
        raise DataError(
            f"expected beats, found {peaks.samples.size} in {ecg.duration_s:.0f} s; "
            "check that the recording is an ECG in mV"
        )
    dead = unfit_leads(checked.findings, "signal")
    flat = [ecg.leads[i] for i in chosen if ecg.leads[i] in dead]
    if flat and not dead_too:
        raise DataError(
            f"expected a signal in every lead that becomes a picture, found {flat[0]} flat; "
            "check the electrode, or leave the recording out"
        )
    signal_mv, at_360 = at_working_rate(
        ecg, peaks, high_pass_hz=config.high_pass_hz, notch_hz=config.notch_hz
    )
    flags = (*file_flags, *checked.flags)
    if not set(INDEPENDENT_LEADS) <= set(ecg.leads):  # else find_exchanges sees more
        with suppress(DataError):  # too few beats alike
            flags += polarity_flags(median_beat(signal_mv, TARGET_RATE_HZ, at_360, ecg.leads))
    return Ready(signal_mv[chosen], at_360, flags, checked.findings, pacing)
