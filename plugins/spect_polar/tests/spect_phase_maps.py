"""Phase maps made by code, with an outcome that is known: for tests and simulations.

These skip the heart, the scanner and the wall; `synthetic` has those. Here only what follows the
phase map is at stake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from cardio_core.api import FeatureBlock, FeatureSet, Targets
from cardio_spect_polar.polar.maps import segments_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CLINICAL_UNITS = {"age_y": "y", "male": "1", "acei_arb": "1", "qrs_ms": "ms"}
INDEX_UNITS = {
    "psd_deg": "deg", "pbw_deg": "deg", "entropy": "1", "delay_deg": "deg",
    "latest_viable_deg": "deg",
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A delay that goes with the outcome.

    Attributes
    ----------
    segments : tuple of int
        AHA segments that contract later.
    mean_deg : float
        How much later in responders than in the others, on average.
    sd_deg : float
        Between patients of one group.
    """

    segments: tuple[int, ...] = (5, 6, 11, 12)
    mean_deg: float = 40.0
    sd_deg: float = 15.0


def cells_of(rings: int, angles: int) -> NDArray[np.int64]:
    """Return the AHA segment of every cell of a polar grid, shape (rings, angles)."""
    arc = (np.arange(rings) + 0.5) / rings
    angle_deg = (np.arange(angles) + 0.5) * 360 / angles
    return segments_of(arc[:, np.newaxis], angle_deg[np.newaxis])


def smooth_maps(
    n: int,
    rng: np.random.Generator,
    *,
    rings: int = 24,
    angles: int = 72,
    spread_deg: float = 25.0,
    noise_deg: float = 8.0,
) -> Floats:
    """Return meaningless phase maps, shape (n, rings, angles), degrees [0, 360).

    Parameters
    ----------
    n : int
    rng : Generator
    rings, angles : int
    spread_deg : float
        SD of the smooth part over a map.
    noise_deg : float
        SD of the noise of a cell.
    """
    width = (rings / 8, angles / 12)
    raw = rng.normal(size=(n, rings, angles))
    smooth = np.stack([gaussian_filter(one, width, mode=("nearest", "wrap")) for one in raw])
    smooth *= spread_deg / smooth.std(axis=(1, 2), keepdims=True)
    level = rng.uniform(100, 180, size=(n, 1, 1))
    return np.asarray((smooth + level + rng.normal(0, noise_deg, raw.shape)) % 360)


def example_patients(
    outcome: Sequence[float],
    *,
    seed: int = 0,
    planted: Planted | None = None,
    rings: int = 24,
    angles: int = 72,
) -> tuple[FeatureSet, Targets]:
    """Return features and targets of patients with the given outcomes, NaN for unlabelled.

    Parameters
    ----------
    outcome : sequence of float
        1, 0 or NaN, one a patient.
    seed : int
    planted : Planted, optional
        Without it nothing in the features goes with the outcome.
    rings, angles : int
        Of the polar grid.

    Examples
    --------
    >>> features, targets = example_patients([1, 0, 1], rings=6, angles=12)
    >>> features["phase"].values.shape, list(targets.table["response"])
    ((3, 6, 12), [1.0, 0.0, 1.0])
    """
    rng = np.random.default_rng(seed)
    y = np.asarray(outcome, np.float64)
    n = len(y)
    maps = smooth_maps(n, rng, rings=rings, angles=angles)
    if planted is not None:
        shown = np.where(np.isfinite(y), y, rng.integers(0, 2, n))
        delay = planted.mean_deg * shown + planted.sd_deg * rng.normal(size=n)
        late = np.isin(cells_of(rings, angles), planted.segments)
        maps = (maps + delay[:, np.newaxis, np.newaxis] * late) % 360
    centred = (maps - maps.mean(axis=(1, 2), keepdims=True)).reshape(n, -1)
    indices = np.column_stack(
        [centred.std(axis=1), np.ptp(centred, axis=1), rng.uniform(0.5, 0.9, n),
         rng.normal(10, 20, n), rng.normal(150, 20, n)]
    )  # fmt: skip
    clinical = np.column_stack(
        [rng.normal(61, 13, n), rng.random(n) < 0.73, rng.random(n) < 0.86,
         rng.normal(157, 22, n)]
    )  # fmt: skip
    ids = [f"p{i:03d}" for i in range(n)]
    table = pd.DataFrame(
        {"recording_id": ids, "study_id": ids, "patient_id": ids, "subject_id": ids},
        index=pd.Index(ids, name="sample_id"),
    )
    blocks = {
        "phase": FeatureBlock(
            maps.astype(np.float32), ("ring", "angle"),
            tuple(f"ring {i}" for i in range(rings)), ("deg",),
        ),
        "indices": _tabular(indices, INDEX_UNITS),
        "clinical": _tabular(clinical, CLINICAL_UNITS),
    }  # fmt: skip
    named = pd.DataFrame({"response": y}, index=pd.Index(ids, name="patient_id"))
    return FeatureSet(table, blocks), Targets("patient", named)


def _tabular(values: Floats, units: dict[str, str]) -> FeatureBlock:
    return FeatureBlock(
        values.astype(np.float32), ("measurement",), tuple(units), tuple(units.values())
    )
