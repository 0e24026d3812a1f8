"""What this plugin lends to `cardio data`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.api import ConfigError


def rpeaks(path: Path, *, channel: int | None = None) -> dict[str, Any]:
    """Find the R peaks of one recording.

    Parameters
    ----------
    path : Path
        Anything that `readers.read_ecg` reads.
    channel : int or None
        Use this lead only, counted from 0; None uses all leads together.

    Returns
    -------
    dict
        JSON-ready: `rate_hz`, `leads`, `lead` (in which the peaks were placed), `samples` (at the
        recording's own rate), `times_s`, `polarity` (1 or -1 for each beat),
        `pacing_spikes_s`, `heart_rate_bpm`
        (from the median RR interval; None below two beats), `flags`.

    Raises
    ------
    ConfigError
        If the recording has no such channel.
    DataError
        If the recording cannot be read.
    """
    from cardio_ecg_transfer.readers import read_ecg
    from cardio_ecg_transfer.signal.pacing import beats_without_spikes

    ecg = read_ecg(path, min_duration_s=1.0)
    if channel is not None and not 0 <= channel < len(ecg.leads):
        raise ConfigError(
            f"--channel {channel}: expected 0 to {len(ecg.leads) - 1}, the leads are "
            + ", ".join(ecg.leads)
        )
    used = range(len(ecg.leads)) if channel is None else [channel]
    leads = tuple(ecg.leads[i] for i in used)
    _, peaks, pacing = beats_without_spikes(
        replace(ecg, signal_mv=ecg.signal_mv[list(used)], leads=leads)
    )
    rr_s = np.diff(peaks.times_s)
    return {
        "rate_hz": ecg.rate_hz,
        "leads": list(leads),
        "lead": leads[peaks.lead],
        "samples": peaks.samples.tolist(),
        "times_s": [round(float(t), 4) for t in peaks.times_s],
        "polarity": peaks.polarity.tolist(),
        "pacing_spikes_s": [round(float(t), 4) for t in pacing.times_s],
        "heart_rate_bpm": round(60 / float(np.median(rr_s)), 1) if rr_s.size else None,
        "flags": list(ecg.flags),
    }
