"""Flow at rest and stress and the reserve between them, from numeric polar maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError
from cardio_spect_polar.polar.maps import N_SEGMENTS, segment_means, segments_of
from cardio_spect_polar.readers.polar_map import read_polar_map

MAX_RESERVE = 6.0
MAX_FLOW = 15.0
"""ml/min/g; no heart has more, so larger numbers are in other units."""


@dataclass(frozen=True)
class ReserveRules:
    """How reserve is made of flow.

    Attributes
    ----------
    min_rest : float
        ml/min/g at rest below which reserve is not defined.
    reference_rate_pressure : float or None
        mmHg/min to which flow at rest is corrected; None corrects nothing.
    """

    min_rest: float = 0.2
    reference_rate_pressure: float | None = None


@dataclass(frozen=True)
class FlowFiles:
    """The files of one study, unopened.

    Attributes
    ----------
    rest, stress : Path
    reserve : Path or None
        None where it is to be computed.
    rate_pressure : float or None
        Heart rate times systolic pressure at rest, mmHg/min.
    """

    rest: Path
    stress: Path
    reserve: Path | None = None
    rate_pressure: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file."""
        return tuple(path for path in (self.rest, self.stress, self.reserve) if path is not None)


@dataclass(frozen=True)
class FlowMaps:
    """The three maps of one study.

    Attributes
    ----------
    rest, stress : ndarray, shape (n_rings, n_angles) or (17,)
        ml/min/g; ring 0 at the apex, angle 0 anterior, increasing towards the septum; or the
        segments of the American Heart Association in their order.
    reserve : ndarray, same shape
        Dimensionless, 0 to 6; NaN where flow at rest is too low to divide by.
    """

    rest: NDArray[np.float64]
    stress: NDArray[np.float64]
    reserve: NDArray[np.float64]

    @property
    def invalid_share(self) -> float:
        """Share of the wall without a defined reserve."""
        return float(np.mean(~np.isfinite(self.reserve)))

    @property
    def global_reserve(self) -> float:
        """Mean flow at stress over mean flow at rest, where reserve is defined; NaN if nowhere."""
        valid = np.isfinite(self.reserve)
        if not valid.any():
            return float("nan")
        return float(self.stress[valid].mean() / self.rest[valid].mean())


def make_maps(
    rest: ArrayLike,
    stress: ArrayLike,
    reserve: ArrayLike | None = None,
    rules: ReserveRules | None = None,
    rate_pressure: float | None = None,
) -> FlowMaps:
    """Return the three maps, computing the reserve where it is not given.

    Parameters
    ----------
    rest, stress : array-like, shape (n_rings, n_angles) or (17,)
        ml/min/g; NaN where unknown.
    reserve : array-like, same shape, optional
        Taken as it is (clipped), unless flow at rest is corrected: then stress over corrected rest.
    rules : ReserveRules, optional
    rate_pressure : float, optional
        Needed where `rules` corrects.

    Raises
    ------
    DataError
        If shapes differ, flow is negative or in other units, or the correction lacks its number.

    Examples
    --------
    >>> made = make_maps([1.0] * 16 + [0.1], [2.5] * 17)
    >>> float(made.reserve[0]), bool(np.isnan(made.reserve[16])), made.global_reserve
    (2.5, True, 2.5)
    """
    rules = rules or ReserveRules()
    rest, stress = (_flow(values, name) for values, name in ((rest, "rest"), (stress, "stress")))
    if rest.shape != stress.shape:
        raise DataError(
            f"flow maps: expected rest and stress of one shape, found {rest.shape} and "
            f"{stress.shape}; export both in the same layout"
        )
    if rules.reference_rate_pressure is not None:
        if rate_pressure is None or not rate_pressure > 0:
            raise DataError(
                "flow maps: expected a rate-pressure product to correct flow at rest with, found "
                "none; fill in x_rate_pressure_product or set load.reference_rate_pressure=null"
            )
        rest, reserve = rest * (rules.reference_rate_pressure / rate_pressure), None
    valid = np.isfinite(rest) & np.isfinite(stress) & (rest >= rules.min_rest)
    if reserve is None:
        made = np.divide(stress, rest, out=np.full(rest.shape, np.nan), where=valid)
    else:
        made = np.asarray(reserve, np.float64)
        if made.shape != rest.shape:
            raise DataError(
                f"flow maps: expected a reserve map of the shape {rest.shape} of the flow, found "
                f"{made.shape}; leave it out to have it computed"
            )
    return FlowMaps(rest, stress, np.where(valid, np.clip(made, 0.0, MAX_RESERVE), np.nan))


def open_maps(files: FlowFiles, rules: ReserveRules) -> FlowMaps:
    """Read one study.

    Raises
    ------
    DataError
        If a file cannot be read or the maps do not fit together.
    """
    reserve = None if files.reserve is None else _numbers(files.reserve, "1")
    rest, stress = (_numbers(path, "ml/min/g") for path in (files.rest, files.stress))
    return make_maps(rest, stress, reserve, rules, files.rate_pressure)


def segments_of_map(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of the 17 segments of a map, shape (17,), NaN where nothing is known.

    Examples
    --------
    >>> float(segments_of_map(np.ones((6, 36)))[16])
    1.0
    """
    if values.ndim == 1:
        return values
    n_rings, n_angles = values.shape
    arc = (np.arange(n_rings) + 0.5) / n_rings
    angle_deg = np.arange(n_angles) * 360.0 / n_angles
    return segment_means(values, segments_of(arc[:, None], angle_deg[None, :]))


def _numbers(path: Path, unit: str) -> NDArray[np.float64]:
    """Read a map, refusing one whose file names another unit."""
    read = read_polar_map(path)
    if read.unit not in (None, unit):
        raise DataError(
            f"{path.name}: expected a map in {unit}, found one in {read.unit}; give flow at rest "
            "and at stress, and a reserve without a dimension"
        )
    return read.values


def _flow(values: ArrayLike, name: str) -> NDArray[np.float64]:
    flow = np.asarray(values, np.float64)
    if flow.shape != (N_SEGMENTS,) and flow.ndim != 2:
        raise DataError(
            f"{name} map: expected 17 segments or a grid of rings x angles, found the shape "
            f"{flow.shape}; export numbers in one of the two"
        )
    known = flow[np.isfinite(flow)]
    if not known.size or known.min() < 0 or known.max() > MAX_FLOW:
        found = f"{known.min():g} to {known.max():g}" if known.size else "no number"
        raise DataError(
            f"{name} map: expected flow of 0 to {MAX_FLOW:g} ml/min/g, found {found}; convert the "
            "units (ml/min/100 g is a hundred times larger)"
        )
    return flow
