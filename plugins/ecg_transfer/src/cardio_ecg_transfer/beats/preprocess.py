"""Preprocess: from a recording to one segment a beat."""

from __future__ import annotations

from functools import partial

import numpy as np

from cardio_core.api import Context, DataError, SampleSet
from cardio_ecg_transfer.beats.config import PreprocessBlock
from cardio_ecg_transfer.shared.beat_samples import Beats, Row, beat_samples, cut_beats
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.ectopy.evidence import beat_evidence
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ
from cardio_ecg_transfer.signal.segments import RR_FEATURES, residual_segments

EVIDENCE = "evidence_"
"""What the names of such columns begin with between `preprocess` and `featurize`."""

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
        the RR intervals in the columns of `signal.rr_features`, the columns of
        `signal.ectopy.evidence` under names that begin with ``evidence_``, and `flags`.
    """
    return beat_samples(samples, partial(_beats_of, config=config), ctx)


def _beats_of(ecg: Ecg, _: Row, config: PreprocessBlock) -> Beats:
    """Return a recording's segments beside their residuals, and the columns of its beats."""
    ready, cut, columns = cut_beats(ecg, picture_leads(ecg.leads, config.leads), config)
    residual_mv = residual_segments(cut, ready.signal_mv, ready.peaks)
    rr = {name: cut.rr[:, column] for column, (name, _) in enumerate(RR_FEATURES)}
    measured = beat_evidence(ready.signal_mv, ready.peaks, TARGET_RATE_HZ)
    evidence = {f"{EVIDENCE}{name}": value[cut.beat] for name, value in measured.items()}
    return np.stack([cut.segments_mv, residual_mv], axis=1), rr | evidence | columns


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
