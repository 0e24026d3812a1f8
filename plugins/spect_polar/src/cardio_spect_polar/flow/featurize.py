"""Featurize flow maps: a picture and 17 segments (with the mean of all) of each map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureBlock, FeatureSet, SampleSet
from cardio_spect_polar.flow.config import FeaturizeBlock
from cardio_spect_polar.flow.models import MAPS, N_SEGMENTS
from cardio_spect_polar.polar.flow_maps import FlowMaps, segments_of_map
from cardio_spect_polar.polar.maps import LARGEST, disc, to_bytes

UNITS = {"rest": "ml/min/g", "stress": "ml/min/g", "reserve": "1"}


def featurize(samples: SampleSet, config: FeaturizeBlock, ctx: Context) -> FeatureSet:
    """Return blocks ``picture_MAP`` (uint8) and ``segments_MAP`` (17 and the mean) of three maps.

    With fixed scaling a picture's bytes stand for flow, and `scale` gives it back; divided by
    their own largest value they are shares of it.
    """
    blocks = {}
    studies = list(samples.values)
    fixed = config.scaling == "fixed"
    for name in MAPS:
        largest = LARGEST[name] if fixed else None
        pictures = [to_bytes(disc(getattr(study, name), config.size), largest) for study in studies]
        blocks[f"picture_{name}"] = FeatureBlock(
            np.stack(pictures)[:, None],
            ("map", "row", "column"),
            (name,),
            (UNITS[name] if fixed else "1",),
            scale=(LARGEST[name] if fixed else 1.0) / 255,
        )
        blocks[f"segments_{name}"] = FeatureBlock(
            np.stack([segments_and_mean(study, name) for study in studies]).astype(np.float32),
            ("segment",),
            (*(f"{name}_{n:02d}" for n in range(1, N_SEGMENTS + 1)), f"{name}_mean"),
            (UNITS[name],),
        )
    return FeatureSet(samples.table, blocks)


def segments_and_mean(maps: FlowMaps, name: str) -> NDArray[np.float64]:
    """Return 17 segment means and the mean of the wall; of the reserve, that of mean flows.

    Examples
    --------
    >>> from cardio_spect_polar.polar.flow_maps import make_maps
    >>> maps = make_maps([1.0] * 16 + [2.0], [3.0] * 17)
    >>> float(segments_and_mean(maps, "reserve")[17].round(3))  # 51 / 18, not the mean of ratios
    2.833
    """
    values = getattr(maps, name)
    overall = maps.global_reserve if name == "reserve" else float(np.nanmean(values))
    return np.append(segments_of_map(values), overall)
