"""The detector, lent to `cardio data rpeaks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cardio_toy.bumps.find import find_bumps
from cardio_toy.readers.trace import open_trace


def rpeaks(path: Path, *, channel: int | None = None) -> dict[str, Any]:
    """Find the bumps of one recording."""
    trace = open_trace(path)
    tops = find_bumps(trace, 0.35)
    return {
        "rate_hz": trace.rate_hz,
        "leads": ["bump"],
        "lead": "bump",
        "samples": tops.tolist(),
        "times_s": (tops / trace.rate_hz).tolist(),
        "polarity": np.sign(trace.values_mv[tops]).astype(int).tolist(),
    }
