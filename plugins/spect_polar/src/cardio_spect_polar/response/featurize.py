"""Featurize for `crt_response`: phase maps, indices, segments and clinical variables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from cardio_core.api import Context, DataError, Difference, FeatureBlock, FeatureSet, SampleSet
from cardio_spect_polar.drawing.words import CHANGES, INDICES, REGIONS
from cardio_spect_polar.phase.cycle import phase_histogram
from cardio_spect_polar.phase.geometry import SampledWall
from cardio_spect_polar.phase.perfusion import (
    CHANGE_OF,
    CHANGE_UNITS,
    change_from_rest,
    summed_score,
)
from cardio_spect_polar.phase.sampling import GATES, qc_view
from cardio_spect_polar.phase.summary import (
    REGION_UNITS,
    SUMMARY_UNITS,
    WallSummary,
    spread_of,
    summarise,
)
from cardio_spect_polar.phase.volumes import FILLING_UNITS, N_TIMES, filling, volume_curve
from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES
from cardio_spect_polar.published.normal_limits import LIMITS, within_limits
from cardio_spect_polar.readers.gated import Numbers, withheld
from cardio_spect_polar.response.config import FeaturizeBlock
from cardio_spect_polar.response.patients import CLINICAL
from cardio_spect_polar.response.preprocess import Heart

_NO_YES = ("no", "yes")

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


VOLUME_UNITS = {
    "lvedv_spect_ml": "mL", "lvesv_spect_ml": "mL", "stroke_volume_spect_ml": "mL",
    "lvef_spect_pct": "%", "myocardial_mass_g": "g",
}  # fmt: skip
MOTION_UNITS = {
    "base_descent_mm": "mm", "base_scatter_mm": "mm", "rings_cut": "1", "wall_confidence": "1",
}  # fmt: skip
"""How far the base descends, how its edges scatter about that, and basal rings left out."""

BASE_UNITS = {
    f"{index}_base_{where}": "deg" for where in ("in", "out") for index in ("psd_deg", "pbw_deg")
}
"""Phase SD and bandwidth with the base one slice nearer to the apex, and one further away."""

QC_UNITS = {
    "short_axis_pixel": "mm", "long_axis_pixel": "mm", "end_diastole": "1", "end_systole": "1",
    "n_slots": "1", "onset": "1",
}  # fmt: skip
"""What the sheet needs beside its cuts; `onset` is 1 where phases are of the onset."""

NOISE_UNITS = {"above_noise": "1"}
"""1 where something is left of the phase SD without its noise; where not, that and the bandwidth
without noise are missing, for the 0 that is left is no measurement."""

INDEX_UNITS = (
    SUMMARY_UNITS
    | NOISE_UNITS
    | VOLUME_UNITS
    | {"rr_ms": "ms"}
    | FILLING_UNITS
    | MOTION_UNITS
    | BASE_UNITS
)


SCORE = "Summed perfusion score (SRS at rest, SSS at stress)"
ENDS = {
    "base_mm": "Base at end-diastole, from the first slice of the file",
    "apex_mm": "Apex, from the first slice of the file",
}
"""Where base and apex were found or given, in the numbers that `--base` and `--apex` take."""


def featurize(samples: SampleSet, config: FeaturizeBlock, ctx: Context) -> FeatureSet:
    """Return what the sampled walls say.

    Returns
    -------
    FeatureSet
        One row a study. `phase` (degrees, circular), `perfusion` and `thickening` (%) are polar
        maps, ring 0 at the apex and angle 0 anterior, or pictures where ``map`` is raster;
        `segment_phase`, `segment_perfusion` and `segment_thickening` hold the 17 AHA segments;
        `indices`, `regions` (walls and coronary territories) and `clinical` are named columns, NaN
        where missing; `scores` is the summed score of perfusion, only where `perfusion_limits` are
        given; `volume_curve` is the cavity in mL over the cycle; `histogram` counts samples
        by degree; `qc_*` are cuts of the heart with its wall, see `QcView`. What a study has no
        verdict on is NaN, see `withhold`. `state` is 1 at stress, 0 at rest, NaN where nothing says
        so. Where the table pairs a stress study with its rest, as in `cardio measure`, `change` has
        the differences. `ends` is where base and apex lie in the file.
    """
    hearts: list[Heart] = list(samples.values)
    summaries = [_summary(heart.sampled.sampled, config) for heart in hearts]
    axes = ("ring", "angle") if config.map == "grid" else ("row", "column")
    maps = {
        name: _maps([getattr(found, name) for found in summaries], axes, unit)
        for name, unit in (("phase", "deg"), ("perfusion", "%"), ("thickening", "%"))
    }
    segments = {
        name: _named(
            [getattr(found, name) for found in summaries], SEGMENT_NAMES, (unit,),
            titles=tuple(f"{what}, {segment}" for segment in SEGMENT_NAMES),
        )
        for name, unit, what in (
            ("segment_phase", "deg", "Phase"), ("segment_perfusion", "%", "Perfusion"),
            ("segment_thickening", "%", "Thickening"),
        )
    }  # fmt: skip
    rows = [
        _above_noise(found.indices) | _volumes(heart) | _motion(heart) | _moved(heart, config)
        for found, heart in zip(summaries, hearts, strict=True)
    ]
    indices = _named(
        [[row[name] for name in INDEX_UNITS] for row in rows],
        tuple(INDEX_UNITS),
        tuple(INDEX_UNITS.values()),
        titles=tuple(INDICES[name] for name in INDEX_UNITS),
        levels={"above_noise": _NO_YES},
    )
    regions = _named(
        [list(found.regions.values()) for found in summaries],
        tuple(REGION_UNITS),
        tuple(REGION_UNITS.values()),
        titles=tuple(REGIONS[name] for name in REGION_UNITS),
    )
    limits = _limits(rows, samples.table["male"], config)
    names = tuple(name for name, _ in CLINICAL)
    clinical = _named(
        samples.table[list(names)].to_numpy(np.float32), names,
        tuple(unit for _, unit in CLINICAL), titles=(),
    )  # fmt: skip
    histogram = _named(
        [phase_histogram(found.sample_phase) for found in summaries],
        _numbered("degree", 360), ("1",), "degree",
    )  # fmt: skip
    carried = ["flags", "no_verdict", "volumes_withheld"]
    carried += [name for name in ("rest_of_pair",) if name in samples.table.columns]
    table = samples.table[["recording_id", "study_id", "patient_id", *carried]]
    blocks = {
        "state": _named(
            [[_at_stress(heart)] for heart in hearts],
            ("at_stress",),
            ("1",),
            titles=("At stress",),
            levels={"at_stress": _NO_YES},
        ),
        "indices": indices,
        "regions": regions,
        **segments,
        **maps,
        "volume_curve": _volume_curves(hearts),
        "normal_limits": limits,
        "clinical": clinical,
        "histogram": histogram,
    }
    if config.perfusion_limits:
        blocks["scores"] = _scores(hearts, summaries, samples.table["male"], config)
    reasons = [withheld(heart.sampled.flags) for heart in hearts]
    blocks["ends"] = _named([_ends(heart) for heart in hearts], tuple(ENDS), ("mm",),
                            titles=tuple(ENDS.values()))  # fmt: skip
    blocks = withhold(blocks | _qc(hearts, config), reasons)
    return FeatureSet(table, blocks | _change(samples, blocks))


def _summary(sampled: SampledWall, config: FeaturizeBlock) -> WallSummary:
    return summarise(
        sampled.curves,
        sampled.geometry,
        n_harmonics=config.n_harmonics,
        convention=config.convention,
        weighting=config.weighting,
        form=config.map,
    )


def _at_stress(heart: Heart) -> float:
    return float("nan") if heart.state is None else float(heart.state == "stress")


def _ends(heart: Heart) -> tuple[float, float]:
    """Return base and apex in the file's own order of slices, as an operator gives them."""
    canonical = heart.sampled.canonical
    last_mm = (canonical.counts.shape[1] - 1) * canonical.voxel_mm[0]
    base_mm = float(np.min(heart.sampled.base_by_slot_mm))
    apex_mm = float(heart.sampled.wall.apex_z_mm)
    return (last_mm - base_mm, last_mm - apex_mm) if canonical.reversed else (base_mm, apex_mm)


def _change(samples: SampleSet, blocks: Mapping[str, FeatureBlock]) -> dict[str, FeatureBlock]:
    """Return how stress differs from rest; no block where a patient has no pair, as in every run.

    The table says of each stress study which is its rest; other rows are NaN.
    """
    ids = [str(name) for name in samples.table["recording_id"]]
    rests = [str(name) for name in samples.table.get("rest_of_pair", [""] * len(ids))]
    if not set(rests) & set(ids):
        return {}
    indices = [
        dict(zip(blocks["indices"].names, row, strict=True))
        for row in blocks["indices"].in_units().astype(float)
    ]
    scores = blocks.get("scores")
    for place, row in enumerate(indices):
        row["volume_ml"] = float(blocks["volume_curve"].values[place].mean())
        if scores is not None:
            row["summed_score"] = float(scores.values[place, 0])
    perfusion = blocks["segment_perfusion"].in_units()
    rows = []
    for stress, name in enumerate(rests):
        row = dict.fromkeys(CHANGE_UNITS, float("nan"))
        if name in ids:
            rest = ids.index(name)
            row = change_from_rest(
                indices[stress], indices[rest], perfusion[stress], perfusion[rest]
            )
        rows.append(row)
    units = {
        name: unit
        for name, unit in CHANGE_UNITS.items()
        if scores is not None or "score" not in name
    }
    block = _named(
        [[row[name] for name in units] for row in rows], tuple(units), tuple(units.values()),
        titles=tuple(CHANGES[name] for name in units),
    )  # fmt: skip
    between = {name: Difference("stress", "rest", of) for name, of in CHANGE_OF.items()}
    known = {name: between[name] for name in units if name in between}
    return {"change": replace(block, differences=known)}


def _above_noise(indices: Mapping[str, float]) -> dict[str, float]:
    """Tell whether a phase SD is distinguishable from noise; what is not is missing."""
    above = indices["psd_corrected_deg"] > 0
    gone = {} if above else dict.fromkeys(("psd_corrected_deg", "pbw_corrected_deg"), float("nan"))
    return dict(indices) | gone | {"above_noise": float(above)}


def _scores(
    hearts: Sequence[Heart],
    summaries: Sequence[WallSummary],
    male: Iterable[float],
    config: FeaturizeBlock,
) -> FeatureBlock:
    values = [
        [summed_score(found.segment_perfusion, config.perfusion_limits,
                      at_stress=_at_stress(heart), male=float(sex))]
        for heart, found, sex in zip(hearts, summaries, male, strict=True)
    ]  # fmt: skip
    return _named(values, ("summed_score",), ("1",), titles=(SCORE,))


def _volumes(heart: Heart) -> dict[str, float]:
    found = heart.sampled.volumes
    stroke_ml = found.edv_ml - found.esv_ml
    values = (found.edv_ml, found.esv_ml, stroke_ml, found.ef_pct, found.mass_g)
    rates = filling(found.curve_ml, found.edv_ml, heart.rr_ms)
    rr_ms = float("nan") if heart.rr_ms is None else heart.rr_ms
    return dict(zip(VOLUME_UNITS, values, strict=True)) | {"rr_ms": rr_ms} | asdict(rates)


def _volume_curves(hearts: Sequence[Heart]) -> FeatureBlock:
    """Return the cavity over the cycle, at as many times whatever the gates."""
    curves = [volume_curve(heart.sampled.volumes.curve_ml) for heart in hearts]
    return FeatureBlock(
        np.asarray(curves, np.float32), ("time",), _numbered("time", N_TIMES), ("mL",),
        extents={"time": (0.0, 1.0, "RR interval")},
    )  # fmt: skip


def _motion(heart: Heart) -> dict[str, float]:
    """Return how the base moves; NaN where it could not be, or was not to be, followed."""
    found = heart.sampled
    values = (found.descent_mm, found.scatter_mm, float(found.n_cut), found.wall.confidence)
    return dict(zip(MOTION_UNITS, values, strict=True))


def _moved(heart: Heart, config: FeaturizeBlock) -> dict[str, float]:
    """Return phase SD and bandwidth with the base moved, NaN where that found no wall."""
    found = dict.fromkeys(BASE_UNITS, float("nan"))
    for where, sampled in (("in", heart.base_in), ("out", heart.base_out)):
        if sampled is None:
            continue
        try:
            spread = spread_of(
                sampled.curves,
                sampled.geometry,
                n_harmonics=config.n_harmonics,
                convention=config.convention,
                weighting=config.weighting,
            )
        except DataError:
            continue
        found[f"psd_deg_base_{where}"] = spread.psd_deg
        found[f"pbw_deg_base_{where}"] = spread.pbw_deg
    return found


def _limits(
    rows: Sequence[dict[str, float]], male: Iterable[float], config: FeaturizeBlock
) -> FeatureBlock:
    """Return which indices lie within normal limits; phase SD and bandwidth are listed."""
    values = [
        list(within_limits(row, float(sex), of_peak=config.convention == "peak").values())
        for row, sex in zip(rows, male, strict=True)
    ]
    listed = ("psd_deg", "pbw_deg")
    return _named(
        values, tuple(limit.name for limit in LIMITS), ("1",),
        titles=tuple(limit.within if limit.index in listed else "" for limit in LIMITS),
        levels={limit.name: _NO_YES for limit in LIMITS},
    )  # fmt: skip


def _maps(values: Sequence[Any], axes: tuple[str, str], unit: str) -> FeatureBlock:
    array = np.asarray(values, np.float32)
    return FeatureBlock(array, axes, _numbered(axes[0], array.shape[1]), (unit,))


def _numbered(what: str, n: int) -> tuple[str, ...]:
    return tuple(f"{what} {i}" for i in range(n))


def _named(
    values: Any,
    names: tuple[str, ...],
    units: tuple[str, ...],
    axis: str = "name",
    titles: tuple[str, ...] | None = None,
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> FeatureBlock:
    array = np.asarray(values, np.float32)
    return FeatureBlock(array, (axis,), names, units, titles=titles, levels=levels or {})


def _qc(hearts: Sequence[Heart], config: FeaturizeBlock) -> dict[str, FeatureBlock]:
    views = [qc_view(heart.sampled) for heart in hearts]
    onset = float(config.convention == "onset")
    return {
        "qc_counts": FeatureBlock(
            np.stack([view.counts for view in views]), ("gate", "cut", "row", "column"),
            GATES, ("share of the brightest",), scale=1 / 255,
        ),
        "qc_dots": FeatureBlock(
            np.stack([view.dots_mm for view in views]), ("gate", "cut", "dot", "direction"),
            GATES, ("mm",),
        ),
        "qc_edges": FeatureBlock(
            np.stack([view.edges_mm for view in views]),
            ("gate", "cut", "surface", "point", "direction"), GATES, ("mm",),
        ),
        "qc_base": FeatureBlock(
            np.stack([view.base_mm for view in views]), ("gate", "cut", "side", "direction"),
            GATES, ("mm",),
        ),
        "qc_about": _named(
            [(*view.pixels_mm, *view.slots, view.n_slots, onset) for view in views],
            tuple(QC_UNITS), tuple(QC_UNITS.values()), titles=(),
        ),
    }  # fmt: skip
