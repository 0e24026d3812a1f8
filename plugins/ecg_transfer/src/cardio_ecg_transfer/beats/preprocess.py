"""Preprocess: from a recording to one segment a beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.ready import make_ready
from cardio_ecg_transfer.signal.rr_features import RR_FEATURES
from cardio_ecg_transfer.signal.segments import BeatSegments, segment_beats
from cardio_ecg_transfer.signal.spectrogram.own_record import residual_segments
from cardio_ecg_transfer.signal.spectrogram.settings import M3_CONTEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_core.api import Context, SampleSet
    from cardio_ecg_transfer.beats.config import PreprocessBlock
    from cardio_ecg_transfer.signal.ecg import Ecg

LIMB_LEADS = ("MLII", "II")
CHEST_LEADS = ("V1", "V5", "V2", "V4")


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Mint one sample for every beat that the R-peak detector finds.

    Annotations play no part: a beat that the detector misses is missed, and one that it invents is
    a false detection.

    Returns
    -------
    SampleSet
        Values: float32, shape (n_beats, 2, n_leads, context + n_samples + context), mV at 360 Hz:
        the beat, and what is left of it when the recording's median beat is taken away.
        The table carries `length` (samples of the segment), `r_offset` (sample of its R peak),
        the RR intervals in the columns of `signal.rr_features`, and `flags`.
    """
    recordings, times, values, columns = [], [], [], []
    for recording_id, ecg in samples.opened(ctx.quarantine):
        try:
            cut, residual_mv, peaks_s, flags = cut_beats(ecg, config)
        except DataError as error:
            ctx.quarantine(recording_id, str(error))
            continue
        recordings.append(recording_id)
        times.append(peaks_s)
        values.append(np.stack([cut.segments_mv, residual_mv], axis=1))
        named = {name: cut.rr[:, column] for column, (name, _) in enumerate(RR_FEATURES)}
        columns.append(
            named
            | {
                "length": cut.length,
                "r_offset": np.rint(peaks_s * TARGET_RATE_HZ).astype(np.int64) - cut.start,
                "flags": np.full(len(cut.beat), "; ".join(flags)),
            }
        )
    if not values:
        raise DataError("none of the patient's recordings can be used")
    joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
    return samples.mint(recordings, times, np.concatenate(values), joined)


def cut_beats(
    ecg: Ecg, config: PreprocessBlock
) -> tuple[BeatSegments, NDArray[np.float32], NDArray[np.float64], tuple[str, ...]]:
    """Return a recording's segments, their residuals, the times of their R peaks (s), its flags.

    Raises
    ------
    DataError
        If fewer than three beats are found, or a lead that becomes a picture is flat.
    """
    chosen = picture_leads(ecg.leads, config.leads)
    ready = make_ready(ecg, chosen, high_pass_hz=config.high_pass_hz, notch_hz=config.notch_hz)
    cut = segment_beats(
        ready.signal_mv, ready.peaks, TARGET_RATE_HZ, anchor=config.anchor, context=M3_CONTEXT
    )
    residual_mv = residual_segments(cut, ready.signal_mv, ready.peaks)
    return cut, residual_mv, ready.peaks[cut.beat] / TARGET_RATE_HZ, ready.flags


def picture_leads(leads: tuple[str, ...], which: str) -> list[int]:
    """Return the positions of the leads that become pictures, chosen by name.

    Parameters
    ----------
    leads : tuple of str
        Names of the recording's leads.
    which : {"first", "two", "all"}
        ``first`` is the limb lead (MLII or II), or the first lead where there is none; ``two`` adds
        a chest lead, in the order in which MIT-BIH has them; ``all`` takes every lead.

    Raises
    ------
    DataError
        If two leads are asked for and there is one.

    Notes
    -----
    MIT-BIH stores MLII first except in 114, and has none in 102 and 104.
    """
    by_name = {lead: position for position, lead in reversed(list(enumerate(leads)))}
    limb = [by_name[lead] for lead in LIMB_LEADS if lead in by_name][:1] or [0]
    if which == "first":
        return limb
    rest = [position for position in range(len(leads)) if position not in limb]
    if which == "all":
        return limb + rest
    chest = [by_name[lead] for lead in CHEST_LEADS if lead in by_name and by_name[lead] in rest]
    if not rest:
        raise DataError(
            f"expected two leads, found {', '.join(leads)}; set preprocess.leads=first for one"
        )
    return limb + (chest or rest)[:1]
