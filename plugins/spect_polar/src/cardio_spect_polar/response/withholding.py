"""Numbers of studies without a verdict are withheld: missing, instead of wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cardio_core.api import FeatureBlock
from cardio_spect_polar.readers.flag import Numbers

BLOCKS_OF_NEITHER = (
    "perfusion", "segment_perfusion", "scores", "state", "ends", "clinical", "qc_counts",
    "qc_dots", "qc_edges", "qc_base", "qc_about",
)  # fmt: skip
"""Blocks that a study without gates would show too."""

OF_NEITHER = ("scar_pct", "wall_confidence", "rr_ms")
"""How the names of indices end that do not hang on the gates."""

OF_VOLUMES = (
    "lvedv", "lvesv", "lvef", "volume", "stroke", "cardiac", "peak_filling", "peak_ejection",
    "time_to_peak", "base_", "myocardial",
)  # fmt: skip
"""How the names of indices and blocks begin that are made of the cavity's volumes."""

_NAMED = ("indices", "regions")


def withhold(
    blocks: Mapping[str, FeatureBlock], reasons: Sequence[Collection[Numbers]]
) -> dict[str, FeatureBlock]:
    """Return the blocks with NaN where numbers are withheld.

    Parameters
    ----------
    blocks : mapping of str to FeatureBlock
        Of all studies. A block or an index that is not known to be made of volumes, or of neither,
        counts as made of phases.
    reasons : sequence of collection of {"phase", "volumes"}
        What of each study is withheld, in the order of the rows.

    Examples
    --------
    >>> made = FeatureBlock(
    ...     np.array([[9.0, 60.0, 5.0]]), ("name",), ("psd_deg", "lvef_spect_pct", "scar_pct"),
    ...     ("deg", "%", "%"),
    ... )
    >>> withhold({"indices": made}, [("phase",)])["indices"].values.tolist()
    [[nan, 60.0, 5.0]]
    """
    rows: dict[Numbers, list[int]] = {
        numbers: [row for row, found in enumerate(reasons) if numbers in found]
        for numbers in ("phase", "volumes")
    }
    if not any(rows.values()):
        return dict(blocks)
    return {name: _without(name, block, rows) for name, block in blocks.items()}


def _without(name: str, block: FeatureBlock, rows: Mapping[Numbers, list[int]]) -> FeatureBlock:
    if name in BLOCKS_OF_NEITHER:
        return block
    values = np.array(block.values)
    if name not in _NAMED:
        values[rows[_made_of(name)]] = np.nan
        return replace(block, values=values)
    for place, index in enumerate(block.names):
        if not index.endswith(OF_NEITHER):
            values[rows[_made_of(index)], place] = np.nan
    return replace(block, values=values)


def _made_of(name: str) -> Numbers:
    return "volumes" if name.startswith(OF_VOLUMES) else "phase"
