"""The AHA-17 segments: the wall, the pose of the heart in a view, labels and scores."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

import cardio_stats as stats
from cardio_core.api import (
    Case,
    Cohort,
    ConfigError,
    DataError,
    EvaluateBlock,
    Explanation,
    Metric,
    Scope,
)
from cardio_stats import Estimate
from cardio_ultrasound import WallPlace, wall_place

_BASE, _MID, _CAP = 0.347, 0.72, 1.195
"""Eccentric angles where the basal, the mid and the apical third end; beyond is the apex."""

_LONG_BORDERS = (0.0, _BASE, _MID, _CAP, np.pi - _CAP, np.pi - _MID, np.pi - _BASE, np.pi)
_RING_BORDERS = tuple(np.radians(np.arange(-180.0, 181.0, 60.0)))

SEGMENTS_ALONG = {
    "a4c": (6, 12, 16, 17, 14, 9, 3),
    "a2c": (1, 7, 13, 17, 15, 10, 4),
    "plax": (5, 11, 0, 0, 0, 8, 2),
    "other": (9, 10, 11, 12, 7, 8),
}
"""AHA segments of each view by growing eccentric angle; 0 is wall that belongs to no segment.

``other`` is a parasternal short axis through the papillary muscles.
"""

_N_GRID = 512
_SMOOTH_MM = 4.0  # SD of the Gaussian that smooths the borders along the wall


@dataclass(frozen=True)
class Wall:
    """The left ventricle's wall in one view.

    Attributes
    ----------
    view : {"a4c", "a2c", "plax", "other"}
        Which segments lie along it.
    half_width_mm, length_mm : float
        Semi-axes of the middle of the wall.
    wall_mm : float
        Thickness where it is not thinned.
    """

    view: str
    half_width_mm: float = 28.0
    length_mm: float = 82.0
    wall_mm: float = 9.5

    @property
    def is_ring(self) -> bool:
        """Whether the wall is closed."""
        return self.view == "other"

    @property
    def segments(self) -> tuple[int, ...]:
        """AHA segments along the wall, 0 for none."""
        return SEGMENTS_ALONG[self.view]

    @property
    def borders(self) -> NDArray[np.float64]:
        """Eccentric angles between which they lie, one more than segments."""
        return np.asarray(_RING_BORDERS if self.is_ring else _LONG_BORDERS)

    def place(self, heart_mm: NDArray[np.float64]) -> WallPlace:
        """Return where points (u, v) lie; below the base an open wall goes straight on.

        Examples
        --------
        >>> ring = Wall("other", 25.0, 25.0)
        >>> ring.place(np.array([[30.0, 25.0], [0.0, 5.0]])).depth_mm.round(6).tolist()
        [5.0, -5.0]
        """
        return wall_place(heart_mm, self.half_width_mm, self.length_mm, ring=self.is_ring)

    def segment_at(self, eccentric: ArrayLike) -> NDArray[np.uint8]:
        """Return the AHA segment at eccentric angles, 0 for none.

        Examples
        --------
        >>> Wall("a4c").segment_at([0.1, np.pi / 2, 3.1]).tolist()
        [6, 17, 3]
        """
        between = np.searchsorted(self.borders, np.asarray(eccentric), side="right") - 1
        index = np.clip(between, 0, len(self.segments) - 1)
        return np.asarray(self.segments, np.uint8)[index]

    def profile(
        self, of_segment: Mapping[int, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a value along the wall that passes smoothly from segment to segment.

        Parameters
        ----------
        of_segment : mapping of int to float
            The value of every AHA segment; wall without a segment takes the nearest one's.

        Returns
        -------
        eccentric, value : ndarray, shape (512,)
            For `numpy.interp`.

        Examples
        --------
        >>> angle, value = Wall("a4c").profile({s: float(s == 17) for s in range(1, 18)})
        >>> np.interp([0.1, np.pi / 2], angle, value).round(2).tolist()
        [0.0, 1.0]
        """
        fine = np.linspace(self.borders[0], self.borders[-1], 4 * _N_GRID)
        speed = np.hypot(self.half_width_mm * np.sin(fine), self.length_mm * np.cos(fine))
        arc = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(fine))])
        eccentric = np.interp(np.linspace(0.0, arc[-1], _N_GRID), arc, fine)
        names = _nearest_named(self.segment_at(eccentric))
        steps = np.array([of_segment[int(name)] for name in names])
        value = ndimage.gaussian_filter1d(
            steps, _SMOOTH_MM * _N_GRID / arc[-1], mode="wrap" if self.is_ring else "nearest"
        )
        return eccentric, np.asarray(value, dtype=np.float64)


def _nearest_named(names: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace 0 by the nearest value that is not."""
    nearest = ndimage.distance_transform_edt(
        names == 0, return_distances=False, return_indices=True
    )
    return np.asarray(names[nearest[0]])


DEPTH_MM = {"a4c": 145.0, "a2c": 145.0, "plax": 140.0, "other": 125.0}
VIEWS = tuple(DEPTH_MM)
"""Apical four- and two-chamber, parasternal long axis, and a parasternal short axis."""

HALF_ANGLE_DEG = 38.0
"""Field of view in the middle of what is drawn for patients."""

_ANCHOR_MM = {"a4c": (5.0, 18.0), "a2c": (1.0, 18.0), "plax": (12.0, 77.0), "other": (8.0, 64.0)}
_AXES = {
    "a4c": ((1.0, 0.0), (0.0, 1.0)),
    "a2c": ((1.0, 0.0), (0.0, 1.0)),
    "plax": ((0.0, 1.0), (1.0, 0.0)),
    "other": ((1.0, 0.0), (0.0, 1.0)),
}
_TILT_DEG = {"a4c": 1.0, "a2c": 0.0, "plax": 0.0, "other": 0.0}

_RING_SHARE = 0.95
"""Radius of the short axis as a share of half the width of the long one."""


@dataclass(frozen=True)
class Geometry:
    """A wall, and where a view shows it.

    Attributes
    ----------
    wall : Wall
        The left ventricle.
    anchor_mm : tuple of float
        (x, z) of the apex in the apical views, of the middle of the base in the parasternal long
        axis, and of the centre in the short axis.
    tilt_deg : float
        How far the heart is turned about it; positive turns the right side downwards.
    """

    wall: Wall
    anchor_mm: tuple[float, float]
    tilt_deg: float = 0.0

    @property
    def view(self) -> str:
        """Which view it is."""
        return self.wall.view

    def to_body(self, heart_mm: ArrayLike) -> NDArray[np.float64]:
        """Turn (u, v) into (x, z) in the sector, both along the last axis.

        Examples
        --------
        >>> default_geometry("plax").to_body([28.0, 82.0]).tolist()  # base of the posterior wall
        [12.0, 105.0]
        """
        away = np.asarray(heart_mm, dtype=np.float64) - self._anchor_heart()
        return np.asarray(self.turn(away) + np.asarray(self.anchor_mm))

    def to_heart(self, body_mm: ArrayLike) -> NDArray[np.float64]:
        """Turn (x, z) into (u, v), both along the last axis."""
        away = np.asarray(body_mm, dtype=np.float64) - np.asarray(self.anchor_mm)
        return np.asarray(away @ self._axes().T + self._anchor_heart())

    def turn(self, vector: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn vectors (du, dv) into (dx, dz)."""
        return np.asarray(vector @ self._axes(), dtype=np.float64)

    def _anchor_heart(self) -> NDArray[np.float64]:
        apical = self.view in ("a4c", "a2c")
        return np.array([0.0, 0.0 if apical else self.wall.length_mm])

    def _axes(self) -> NDArray[np.float64]:
        """Return (x, z) of the unit vectors of u and of v, a row each."""
        angle = np.radians(self.tilt_deg)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return np.asarray(np.array(_AXES[self.view]) @ turn)


def default_geometry(view: str, *, size: float = 1.0) -> Geometry:
    """Return the heart in the middle of what is drawn for patients.

    Parameters
    ----------
    view : {"a4c", "a2c", "plax", "other"}
        The view.
    size : float
        Its size relative to a half width of 28 mm and a length of 82 mm.

    Examples
    --------
    >>> default_geometry("other").wall.is_ring
    True
    """
    half, length = 28.0 * size, 82.0 * size
    if view == "other":
        half = length = _RING_SHARE * half
    return Geometry(Wall(view, half, length), _ANCHOR_MM[view], _TILT_DEG[view])


SEGMENT_NAMES = (
    "basal anterior", "basal anteroseptal", "basal inferoseptal",
    "basal inferior", "basal inferolateral", "basal anterolateral",
    "mid anterior", "mid anteroseptal", "mid inferoseptal",
    "mid inferior", "mid inferolateral", "mid anterolateral",
    "apical anterior", "apical septal", "apical inferior", "apical lateral", "apex",
)  # fmt: skip
"""Names of segments 1 to 17 (Cerqueira et al., Circulation 2002;105:539-542)."""


def segment_map(view: str, side: int = 112) -> NDArray[np.uint8]:
    """Return the AHA segment of every pixel, for a heart of usual size and place at end diastole.

    Parameters
    ----------
    view : {"a4c", "a2c", "plax", "other"}
        The view; ``other`` is a short axis through the papillary muscles (segments 7 to 12).
    side : int
        Pixels of the square picture, whose middle is that of the sector's bounding box and whose
        side is the longer one of that box.

    Returns
    -------
    ndarray, shape (side, side), uint8
        1 to 17, 0 outside the wall and the sector.

    Raises
    ------
    ValueError
        A view that does not exist.

    Examples
    --------
    >>> sorted({int(number) for number in np.unique(segment_map("plax"))})
    [0, 2, 5, 8, 11]
    >>> bool((segment_map("a4c")[:, :56] == 9).any()), bool((segment_map("a4c")[:, 70:] == 9).any())
    (True, False)
    """
    if view not in VIEWS:
        raise ValueError(f"expected a view of {', '.join(VIEWS)}, found {view!r}")
    return geometry_map(
        default_geometry(view), depth_mm=DEPTH_MM[view], half_angle_deg=HALF_ANGLE_DEG, side=side
    )


def geometry_map(
    geometry: Geometry, *, depth_mm: float, half_angle_deg: float, side: int = 112
) -> NDArray[np.uint8]:
    """Return the AHA segment of every pixel for one geometry and field of view.

    Parameters
    ----------
    geometry : Geometry
        The heart at end diastole.
    depth_mm, half_angle_deg : float
        The sector.
    side : int
        Pixels of the square picture, as for `segment_map`.

    Returns
    -------
    ndarray, shape (side, side), uint8
        1 to 17, 0 outside the wall and the sector.
    """
    crop_mm = max(depth_mm, 2.0 * depth_mm * math.sin(math.radians(half_angle_deg)))
    offset = ((np.arange(side) + 0.5) / side - 0.5) * crop_mm
    z, x = np.meshgrid(offset + depth_mm / 2.0, offset, indexing="ij")
    heart = geometry.to_heart(np.stack([x.ravel(), z.ravel()], axis=1))
    place = geometry.wall.place(heart)
    wall = geometry.wall
    inside = np.abs(place.depth_mm) <= wall.wall_mm / 2.0
    if not wall.is_ring:
        inside &= heart[:, 1] <= wall.length_mm
    angle_deg = np.degrees(np.arctan2(x, z)).ravel()
    inside &= (np.hypot(x, z).ravel() <= depth_mm) & (np.abs(angle_deg) <= half_angle_deg)
    segment = np.where(inside, wall.segment_at(place.eccentric), 0)
    return np.asarray(segment, dtype=np.uint8).reshape(side, side)


N_SEGMENTS = 17

SEGMENTS_OF_VIEW = {
    "a4c": (3, 6, 9, 12, 14, 16, 17),
    "a2c": (1, 4, 7, 10, 13, 15, 17),
    "plax": (2, 5, 8, 11),
}
"""Segments of the AHA model that a view shows; together they are all seventeen."""


def any_positive(
    segments: NDArray[np.float64], numbers: Collection[int] = range(1, N_SEGMENTS + 1)
) -> NDArray[np.float64]:
    """Return whether any of some segments has a finding.

    Parameters
    ----------
    segments : ndarray of float, shape (n_studies, 17)
        1 a finding, 0 none, NaN not judged.
    numbers : collection of int
        Segments that count, 1 to 17.

    Returns
    -------
    ndarray of float, shape (n_studies,)
        1 where one of them has it, 0 where all are judged and none has, NaN where none has and
        not all are judged.

    Examples
    --------
    >>> one = np.zeros((1, 17))
    >>> one[0, [4, 11]] = 1.0, np.nan           # a finding in segment 5; 12 is not judged
    >>> [float(any_positive(one, SEGMENTS_OF_VIEW[view])[0]) for view in SEGMENTS_OF_VIEW]
    [nan, 0.0, 1.0]
    >>> float(any_positive(one)[0])
    1.0
    """
    chosen = segments[:, [number - 1 for number in numbers]]
    found = (chosen == 1).any(axis=1)
    open_ = np.isnan(chosen).any(axis=1)
    return np.where(found, 1.0, np.where(open_, np.nan, 0.0))


def segment_labels(table: pd.DataFrame, finding: str) -> pd.DataFrame:
    """Return a finding anywhere, and in the segments of each view.

    Parameters
    ----------
    table : DataFrame
        A cohort table with columns ``wma_seg_01`` to ``17``, say; a missing one is not judged.
    finding : {"wma", "lge"}

    Returns
    -------
    DataFrame
        Indexed like the table, columns finding, ``finding_a4c``, ``finding_a2c`` and
        ``finding_plax``; 1, 0 or NaN, as of `any_positive`.

    Raises
    ------
    ConfigError
        The table has none of the columns.
    """
    names = [f"{finding}_seg_{number:02d}" for number in range(1, N_SEGMENTS + 1)]
    if not set(names) & set(table.columns):
        raise ConfigError(
            f"{finding}: expected columns {names[0]} to {names[-1][-2:]} in the cohort table, "
            "found none; add the segments of the CMR report"
        )
    # Float64 first: whole numbers with NA cannot become NumPy floats at once.
    segments = table.reindex(columns=names).astype("Float64").to_numpy(float, na_value=np.nan)
    made = {finding: any_positive(segments)}
    made |= {
        f"{finding}_{view}": any_positive(segments, numbers)
        for view, numbers in SEGMENTS_OF_VIEW.items()
    }
    return pd.DataFrame(made, index=table.index)


def unjudged_note(labels: pd.DataFrame) -> str:
    """Say how many studies have no label, by target, and which cells give them one.

    Parameters
    ----------
    labels : DataFrame
        Of `segment_labels`.

    Examples
    --------
    >>> unjudged_note(pd.DataFrame({"wma": [1.0, 0.0], "wma_plax": [None, 1.0]}))
    'Without a label, because segments were not judged and no other is positive: wma_plax 1 of 2. \
Set their empty cells to 0 or 1: wma_plax needs wma_seg_02, 05, 08, 11.'
    """
    lost = labels.isna().sum()
    short = {str(name): int(n) for name, n in lost.items() if n}
    if not short:
        return ""
    finding = str(labels.columns[0])
    listed = ", ".join(f"{name} {n} of {len(labels)}" for name, n in short.items())
    needed = "; ".join(
        f"{name} needs {finding}_seg_{_numbers(name.removeprefix(finding).lstrip('_'))}"
        for name in short
    )
    return (
        f"Without a label, because segments were not judged and no other is positive: {listed}. "
        f"Set their empty cells to 0 or 1: {needed}."
    )


def _numbers(view: str) -> str:
    """Return the segments of a view, or of all, as they end the names of columns."""
    if view not in SEGMENTS_OF_VIEW:
        return f"01 to {N_SEGMENTS}"
    return ", ".join(f"{number:02d}" for number in SEGMENTS_OF_VIEW[view])


FEWEST = 5
"""Patients that an interval needs."""


def segment_tables(
    cases: Sequence[Case],
    cohort: Cohort,
    finding: str,
    config: EvaluateBlock,
    seed: int,
    *,
    people: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, pd.DataFrame], list[Metric], list[str]]:
    """Return how the worth of segments agrees with their labels.

    Parameters
    ----------
    cases : sequence of Case
        Their `tested` carries what every segment of every tested video was worth, by method.
    cohort : Cohort
        Its table labels the segments: ``FINDING_seg_NN``.
    finding : str
        ``wma``, ``lge``, or another finding, whose segments nobody labelled.
    config : EvaluateBlock
    seed : int
    people : mapping of str to str
        The person behind a patient id, where it is another: intervals are clustered by person.

    Returns
    -------
    dict of str to DataFrame
        ``segments``: of each model and method the area under the curve of all segments of all
        videos against their labels (interval of `auc`, clustered by patient), and the mean of the
        areas within videos that have segments of both kinds. Only the latter shows where a network
        looked: the former is also good where it is surer of sick patients.
    list of Metric
    list of str
    """
    tables: dict[str, pd.DataFrame] = {}
    metrics: list[Metric] = []
    notes: list[str] = []
    rows = []
    known = _by_person(labelled_segments(cases, cohort, finding), people)
    for (model, method), worth in known.groupby(["model", "method"], sort=False):
        row, found, lines = _areas(worth, f"{method} of {model}", config, seed)
        rows.append({"model": model, "method": method} | row)
        scope = Scope(task=finding, model=str(model), subgroup=f"segments, {method}")
        metrics += [Metric(entry, scope) for entry in found]
        notes += lines
    if rows:
        tables["segments"] = pd.DataFrame(rows)
    return tables, metrics, notes


def _by_person(rows: pd.DataFrame, people: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows with persons for patient ids: one person's loops are no independent ones."""
    patients = rows["patient_id"].astype(str)
    return rows.assign(patient_id=patients.map(people).fillna(patients))


def labelled_segments(cases: Sequence[Case], cohort: Cohort, finding: str) -> pd.DataFrame:
    """Return what every segment of every tested video was worth, where its label is known.

    A segment that several folds or several random networks were asked about has the mean.

    Returns
    -------
    DataFrame
        Columns model, method, sample_id, study_id, patient_id, segment, value, y (0, 1).
    """
    keys = ["model", "method", "sample_id", "study_id", "patient_id", "segment"]
    worth = Explanation(cases).tested()
    if cohort.table is None or worth.empty:
        return pd.DataFrame(columns=[*keys, "value", "y"])
    worth = worth.dropna(subset=["value"]).groupby(keys, sort=False)["value"].mean().reset_index()
    named = {f"{finding}_seg_{number:02d}": number for number in range(1, N_SEGMENTS + 1)}
    labels = cohort.table[~cohort.table.index.duplicated()].reindex(columns=list(named))
    long = labels.rename(columns=named).rename_axis("study_id").reset_index()
    long = long.melt("study_id", var_name="segment", value_name="y").dropna(subset=["y"])
    of = long.astype({"study_id": str, "segment": int, "y": int})
    return worth.merge(of, on=["study_id", "segment"], how="inner")


def _areas(
    worth: pd.DataFrame, what: str, config: EvaluateBlock, seed: int
) -> tuple[dict[str, Any], list[Estimate], list[str]]:
    by_video = [
        (video["patient_id"].iloc[0], _share_of_pairs(video))
        for _, video in worth.groupby("sample_id", sort=False)
        if video["y"].nunique() == 2
    ]
    row: dict[str, Any] = {
        "n_videos": worth["sample_id"].nunique(), "n_patients": worth["patient_id"].nunique(),
        "n_segments": len(worth), "n_abnormal": int(worth["y"].sum()),
    }  # fmt: skip
    found: list[Estimate] = []
    notes: list[str] = []
    try:
        pooled = stats.auc(
            worth["y"], worth["value"], patient=worth["patient_id"], level=config.level
        ).replace(name="segment_auc")
        found.append(pooled)
        row |= {"auc": pooled.value, "low": pooled.low, "high": pooled.high}
    except DataError as error:
        notes.append(f"Segments, {what}: no area over all of them. {error}")
    if by_video:
        areas = pd.DataFrame(by_video, columns=["patient_id", "value"])
        mean = mean_score(areas, "segment_auc_within_videos", config, seed)
        found.append(mean)
        row |= {"within_videos": mean.value, "within_low": mean.low, "within_high": mean.high,
                "n_videos_of_both": len(areas)}  # fmt: skip
    return row, found, notes


def _share_of_pairs(video: pd.DataFrame) -> float:
    """Return the area within one video, which DeLong's variance needs more segments for."""
    value, y = video["value"].to_numpy(float), video["y"].to_numpy(int)
    apart = value[y == 1][:, None] - value[y == 0]
    return float(np.mean((apart > 0) + 0.5 * (apart == 0)))


def mean_score(scores: pd.DataFrame, name: str, config: EvaluateBlock, seed: int) -> Estimate:
    """Return the mean of column `value`; patients are drawn for its interval, if there are five."""
    values = scores["value"].to_numpy(float)
    n_patients = int(scores["patient_id"].nunique())
    if n_patients < FEWEST:
        return Estimate(
            name, float(values.mean()), method="mean", n=len(values), unit="recording",
            n_patients=n_patients, note="fewer than five patients: no interval",
        )  # fmt: skip
    drawn: list[Estimate] = stats.bootstrap_sums(
        np.column_stack([np.ones_like(values), values]),
        lambda sums: sums[..., 1:] / sums[..., :1],
        (name,),
        patient=scores["patient_id"].to_numpy(str), n_resamples=config.n_resamples, seed=seed,
        level=config.level,
    )  # fmt: skip
    return drawn[0]
