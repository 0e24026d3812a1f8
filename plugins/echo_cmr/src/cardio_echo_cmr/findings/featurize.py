"""Featurize: the small videos with their times, as blocks that are read when they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet
from cardio_echo_cmr.findings.config import FeaturizeBlock
from cardio_echo_cmr.findings.preprocess import SectorVideo
from cardio_echo_cmr.mechanics import HEART

TIMING = (("n_frames", "1"), ("frame_rate_hz", "Hz"), ("mm_per_px", "mm"))
"""Names and units of the block `timing`."""

LOOP = (
    ("frame_rate_hz", "Hz", "Frame rate"),
    ("n_frames", "1", "Frames"),
    ("duration_s", "s", "Duration"),
    ("heart_rate_bpm", "/min", "Heart rate"),
    ("n_beats", "1", "Beats"),
    ("depth_mm", "mm", "Depth of the sector"),
    ("pixel_mm", "mm", "Size of a pixel"),
)
"""Names, units and titles of the block `loop`: what `cardio measure` lists."""

CLINICAL = (("lvef_pct", "%"), ("age_y", "years"), ("sex_male", "1"))
"""Names and units of the block `clinical`."""

_CARRIED = ("recording_id", "study_id", "patient_id", "site_id", "view_given", "view", "flags")


def featurize(samples: SampleSet, config: FeaturizeBlock) -> FeatureSet:
    """Put the videos of one patient's loops into blocks; the same for all tasks.

    Parameters
    ----------
    samples : SampleSet
        Values are `SectorVideo`.
    config : FeaturizeBlock
        Nothing of it is needed: the size of the videos is decided before they are decoded.

    Returns
    -------
    FeatureSet
        One row a loop. Blocks:

        `video` uint8 (n, max_frames, side, side): grey levels of the sector, 0 outside of it and
        after the loop's end.
        `times` float32 (n, max_frames): ms from the first frame, NaN after the end.
        `timing` float32: `TIMING`; `mm_per_px` is of the small picture, NaN where unknown.
        `loop` float32: `LOOP`, of the whole recording; NaN where nothing tells it.
        `heart` float32, of new recordings alone: `HEART`; NaN where it is withheld.
        `clinical` float32: `CLINICAL`, NaN where unknown; the same for all loops of a study.
    """
    values: list[SectorVideo] = list(samples.values)
    videos = np.stack([video.frames for video in values])
    frames = tuple(f"frame_{number}" for number in range(1, videos.shape[1] + 1))
    timing = [(video.n_frames, video.frame_rate_hz, video.mm_per_px) for video in values]
    known = samples.table.reindex(columns=[name for name, _ in CLINICAL])
    columns = [name for name in _CARRIED if name in samples.table.columns]
    found = [video.mechanics for video in values if video.mechanics is not None]
    rows = [[getattr(heart, name) for name, _, _ in HEART] for heart in found]
    heart = {"heart": _listed(rows, HEART)} if found else {}
    return FeatureSet(
        samples.table[columns],
        {
            "video": FeatureBlock(videos, ("frame", "row", "column"), frames, ("1",)),
            "times": FeatureBlock(
                np.stack([video.times_ms for video in values]),
                ("frame",),
                frames,
                ("ms",),
                titles=(),
            ),
            "timing": _tabular(timing, TIMING),
            "loop": _listed([_measured(video) for video in values], LOOP),
            **heart,
            # Of the table, and not measured in the loop.
            "clinical": _tabular(known.to_numpy(dtype=np.float64, na_value=np.nan), CLINICAL),
        },
    )


def _measured(video: SectorVideo) -> tuple[float, ...]:
    known = vars(video.measures) | {"frame_rate_hz": video.frame_rate_hz}
    return tuple(float(known[name]) for name, _, _ in LOOP)


def _listed(rows: Any, named: tuple[tuple[str, str, str], ...]) -> FeatureBlock:
    """Return what a reader is shown, with its titles."""
    titles = tuple(title for _, _, title in named)
    return _tabular(rows, tuple((name, unit) for name, unit, _ in named), titles)


def _tabular(
    rows: Any, named: tuple[tuple[str, str], ...], titles: tuple[str, ...] = ()
) -> FeatureBlock:
    names, units = zip(*named, strict=True)
    values: NDArray[np.float32] = np.asarray(rows, dtype=np.float32)
    return FeatureBlock(values, ("measure",), names, units, titles=titles)
