"""The gates: their order, the counts each gained or lost, and whether to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from cardio_core.api import DataError
from cardio_spect_polar.phase.geometry import WallGeometry
from cardio_spect_polar.readers.gated import MAX_DROP_OFF, MAX_REJECTED, USUAL_DROP_OFF, Flag

BRIGHTEST = 0.06
"""Share of the heart box that is taken for the wall at its brightest."""

SLOPES = np.linspace(-0.3, 0.6, 91)
"""Counts rise by this power of brightness. A blurred wall that keeps its activity gives -.28 to
-.08, because blood leaves; in 39 real studies it was .39 in the median (.10 to .57)."""

SAME_GAIN = 0.05
"""Gates whose gains differ by less show the slope."""

LOST = 0.03
"""A late gate that holds less by so much lost beats. At 2 % the estimate's own error was corrected
too often: the raw error of the phase SD of sixty noisy hard hearts was 5.5 degrees (95 %: 21.2),
at 3 % it is 5.2 (20.1)."""

JUMP = 0.06
"""A gain that differs by more is no error of the estimate: without gains it is flat within 3.3 % in
95 % of hard digital hearts, and within 5 % where all gates differ by 1.5 % (standard deviation)."""

EARLY = 4
LARGEST = 2.0
"""Gates that differ by this factor are not of one acquisition, or one of them is damaged."""

HALF_STEP, HALF_SPREAD = 0.05, 0.035
"""Two halves of the gates, each of one level and so far apart, may be two acquisitions."""


@dataclass(frozen=True)
class GateGain:
    """What every gate gained.

    Attributes
    ----------
    gain : ndarray, shape (n_slots,)
        Factor of each gate's counts over those of the median gate, late ones apart.
    slope : float
        Power of the wall's brightness by which the heart's counts rise.
    late : ndarray of bool, shape (n_slots,)
        Last gates, of the second half, that lost beats.
    halves : bool
        Whether the first and the second half of the gates, or every second gate, have a level of
        their own.
    jumps : bool
        Whether that is so, or a gate other than the late ones gained or lost more than 6 %.
    """

    gain: NDArray[np.float64]
    slope: float
    late: NDArray[np.bool_]
    halves: bool
    jumps: bool


def gate_gain(
    slot_counts: NDArray[np.float64], slot_brightness: NDArray[np.float64], *, whole: bool = True
) -> GateGain:
    """Part what each gate gained from what thickening did to its counts.

    A wall that thickens grows brighter, because less of it is lost to blur, and reconstruction
    makes the heart's counts rise with it. A gain multiplies both. So in gate n, with thickening w
    and gain g,

        brightness T = g w,    counts H = g w^b    (each over its mean).

    The ratio u = log T - log H = (1 - b) log w holds no gain. Therefore

        log H = log g + b / (1 - b) u,    log g = (log H - b log T) / (1 - b),

    and b follows from how H rises with u: a gain errs in H alone, whereas in a plot of H over T it
    draws every slope towards 1. Gains change between few neighbouring gates, so b is first the one
    that makes log g differ least between neighbours (differences count up to 5 %, so that steps
    have no pull), and then the median of the slopes, weighted by their run, of all pairs of gates
    whose gains are within 5 % of each other.

    On sixty hard digital hearts with Poisson noise, whose counts rise with brightness or do not,
    the range over the gates of the error of log g is .009 to .012 in the median (95 %: .020 to
    .028), whether one, two or half of the gates hold 10 to 30 % more or less, and whether the last
    gate lost 10 to 40 %. The weighted median of slopes of H over T errs there by .08 to .18 (.17
    to .29), for a gain raises its b by .3 to .7.

    Parameters
    ----------
    slot_counts : ndarray, shape (n_slots,)
        Counts of the heart in every gate; positive.
    slot_brightness : ndarray, shape (n_slots,)
        Counts of its wall where it is brightest; positive.
    whole : bool
        Whether the counts are those of the whole heart in every gate. A heart that moves in and
        out of sight changes its counts smoothly; then late gates are held against the first
        quarter of the cycle, which is end-diastolic like them, and nothing can be called a jump.

    Examples
    --------
    >>> thick = np.array([1, 1.06, 1.16, 1.2, 1.12, 1.04, 1, 1])
    >>> gain = np.array([1, 1, 1, 1.2, 1, 1, 1, 0.8])
    >>> found = gate_gain(gain * thick**0.4, gain * thick)
    >>> round(found.slope, 2), found.gain.round(2).tolist(), found.jumps
    (0.4, [1.0, 1.0, 1.0, 1.2, 1.0, 1.0, 1.0, 0.8], True)
    >>> gate_gain(thick**0.4, thick).jumps
    False
    """
    n_slots = len(slot_counts)
    counts, bright = np.log(slot_counts), np.log(slot_brightness)
    slope = _slope(counts, bright)
    gain = _log_gain(counts, bright, slope)
    early = np.arange(n_slots) < (n_slots if whole else n_slots // EARLY)
    short = gain - _level(gain[early]) < -LOST
    late = np.logical_and.accumulate(short[::-1])[::-1] & (np.arange(n_slots) >= n_slots // 2)
    gain = gain - _level(gain[early & ~late])
    halves = whole and _in_halves(np.exp(gain))
    far = np.abs(gain[~late]) > JUMP
    return GateGain(np.exp(gain), slope, late, halves, whole and (halves or bool(far.any())))


def _level(gain: NDArray[np.float64]) -> float:
    """Return the median, the lower one of two: between two levels lies no gate."""
    return float(np.quantile(gain, 0.5, method="lower"))


def _log_gain(
    counts: NDArray[np.float64], bright: NDArray[np.float64], slope: float
) -> NDArray[np.float64]:
    return np.asarray((counts - slope * bright) / (1.0 - slope))


def _slope(counts: NDArray[np.float64], bright: NDArray[np.float64]) -> float:
    """Estimate b from logarithms; 0 where the wall does not thicken."""
    steps = [
        np.minimum(np.abs(np.diff(_log_gain(counts, bright, slope))), SAME_GAIN).sum()
        for slope in SLOPES
    ]
    gain = _log_gain(counts, bright, float(SLOPES[int(np.argmin(steps))]))
    first, second = np.triu_indices(len(counts), 1)
    run = (bright - counts)[first] - (bright - counts)[second]
    used = (np.abs(run) > 1e-6) & (np.abs(gain[first] - gain[second]) < SAME_GAIN)
    if not used.any():
        return 0.0
    rises = (counts[first] - counts[second])[used] / run[used]
    order = rises.argsort()
    weight = np.abs(run[used])[order].cumsum()
    rise = float(rises[order][np.searchsorted(weight, weight[-1] / 2)])
    # A rise of b / (1 - b) is above -1.
    return float(np.clip(rise / max(1.0 + rise, 1e-6), SLOPES[0], SLOPES[-1]))


def _in_halves(gain: NDArray[np.float64]) -> bool:
    """Whether gates have two levels, one each half or alternating; the last may have lost beats."""
    n_slots = len(gain)
    known = np.arange(n_slots) < n_slots - 1
    for half in (np.arange(n_slots) < n_slots // 2, np.arange(n_slots) % 2 == 0):
        first, second = gain[half & known], gain[~half & known]
        apart = abs(first.mean() - second.mean())
        spread = max(np.ptp(first), np.ptp(second))
        if apart > HALF_STEP and spread < max(HALF_SPREAD, apart / 4):
            return True
    return False


SMOOTHING_MM = 6.0
MOST_TRIED = 8
"""Up to so many gates every order is tried; of more, exchanges and reversals in turn."""

ALTERNATING = 5.0
"""How far the finest line of the gates' spectrum stands above the third where they alternate."""

IN_ORDER = 0.15
"""Disorder up to which gates are one beat: the even and the odd ones alone, or all but two."""

CUBIC = {-2: -1 / 6, -1: 2 / 3, 1: 2 / 3, 2: -1 / 6}
"""What of its neighbours, so many gates away, a gate on their cubic is made of."""

N_SMOOTH = 2
"""Harmonics that a heart's way through the chest has."""


@dataclass(frozen=True)
class GateOrder:
    """How gates resemble each other.

    Attributes
    ----------
    disorder : float
        By how much the way through the gates is longer than the shortest one, as a share of what
        it would be in no order at all: 0 where neighbours are as alike as they can be, about 1
        where they are shuffled.
    exchanged : tuple of int
        The two gates, from 1, that would make the beat smoothest if they were exchanged; empty
        where that leaves the others in no order either.
    rougher : float
        By how much (natural logarithm) gates stand out more from their neighbours than if those
        two were exchanged: about 0 where they are in order.
    sway_mm : float
        By how much the heart's middle jumps sideways between gates: what two harmonics do not
        explain, in the plane of the slices.
    split : float
        How much a step that is none of the beat's parts the gates into two halves, compared with
        the same at any other place: above 1 where it does.
    interleaved : bool
        Whether every second gate belongs to another heart beat: gates alternate, and the even and
        the odd ones are in order among themselves.
    """

    disorder: float
    exchanged: tuple[int, ...]
    rougher: float
    sway_mm: float
    split: float
    interleaved: bool


def gate_order(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    box: tuple[slice, slice, slice],
) -> GateOrder:
    """Compare the gates of a heart with each other.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts; what a gate holds in all plays no part.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    box : tuple of slice
        Where the heart is.

    Notes
    -----
    A heart comes back to where it was along a closed way on which neighbouring gates are alike, so
    that the way through all gates is as short as it can be. Noise adds the same to every distance
    and so has no say in which way is the shortest.

    Two exchanged gates are looked for by what a gate differs from the cubic through its four
    neighbours. Each gate of a patient is of other breaths and lies 0.3 to 0.4 mm beside the next,
    which a beat that is out of order resembles; so what a shift sideways does to the mean picture
    is taken out of the gates first.
    """
    frames = np.asarray(counts[(slice(None), *box)], dtype=np.float64)
    frames = frames * (frames[0].size / frames.sum(axis=(1, 2, 3), keepdims=True))
    products, still = _products(frames, voxel_mm)
    squares = np.diag(products)
    apart = squares[:, None] + squares - 2 * products
    order, rougher = _exchanged(still)
    exchanged = tuple(int(gate) + 1 for gate in np.flatnonzero(order != np.arange(len(order))))
    return GateOrder(
        disorder=_disorder(apart),
        exchanged=exchanged if _disorder(apart[np.ix_(order, order)]) <= IN_ORDER else (),
        rougher=rougher,
        sway_mm=_sway_mm(frames, voxel_mm),
        split=_split(products),
        interleaved=_interleaved(products, apart),
    )


def _products(
    frames: NDArray[np.float64], voxel_mm: tuple[float, float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return inner products of smoothed gates less their mean, (n_slots, n_slots).

    As they are, and without what a sideways shift does to the mean picture.
    """
    smooth = np.stack(
        [gaussian_filter(frame, [SMOOTHING_MM / mm for mm in voxel_mm]) for frame in frames]
    )
    mean = smooth.mean(axis=0)
    shifts = [np.gradient(mean, axis=axis)[::2, ::2, ::2].ravel() for axis in (1, 2)]
    away = (smooth - mean)[:, ::2, ::2, ::2].reshape(len(frames), -1)
    sideways, _ = np.linalg.qr(np.transpose(shifts))
    along = away @ sideways
    products = away @ away.T
    return np.asarray(products), np.asarray(products - along @ along.T)


def _length(apart: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the length of closed ways through the gates, for orders (..., n_slots)."""
    return np.asarray(apart[order, np.roll(order, -1, axis=-1)].sum(axis=-1))


def _disorder(apart: NDArray[np.float64]) -> float:
    """Return how much longer the way in file order is than the shortest, see `GateOrder`."""
    n_slots = len(apart)
    others = apart[~np.eye(n_slots, dtype=bool)]
    scale = max(n_slots * float(others.mean() - others.min()), 1e-12)
    longer = _length(apart, np.arange(n_slots)) - _length(apart, _shortest(apart))
    return float(longer) / scale


@cache
def _all_orders(n_slots: int) -> NDArray[np.intp]:
    """Return all closed ways, each once: from gate 0, in one of its two directions."""
    ways = (way for way in permutations(range(1, n_slots)) if way[0] < way[-1])
    return np.array([(0, *way) for way in ways], dtype=np.intp)


def _shortest(apart: NDArray[np.float64]) -> NDArray[np.intp]:
    n_slots = len(apart)
    if n_slots <= MOST_TRIED:
        orders = _all_orders(n_slots)
        return np.asarray(orders[_length(apart, orders).argmin()])
    order = np.arange(n_slots)
    while True:
        tried = np.array(
            [way for pair in combinations(range(n_slots), 2) for way in _turns(order, *pair)]
        )
        lengths = _length(apart, tried)
        if lengths.min() >= _length(apart, order) * (1 - 1e-9):
            return order
        order = tried[lengths.argmin()]


def _turns(order: NDArray[np.intp], first: int, last: int) -> tuple[NDArray[np.intp], ...]:
    """Return an order with two gates exchanged, one moved, and what lies between them reversed."""
    exchanged, reversed_ = order.copy(), order.copy()
    exchanged[[first, last]] = exchanged[[last, first]]
    reversed_[first : last + 1] = reversed_[first : last + 1][::-1]
    return exchanged, np.insert(np.delete(order, first), last, order[first]), reversed_


def _exchanged(products: NDArray[np.float64]) -> tuple[NDArray[np.intp], float]:
    """Return the order with the two gates exchanged that makes the beat smoothest, and how much so.

    Smooth is a beat whose gates differ little from the cubic through their neighbours: of hearts
    that fill fast and with an atrial kick, that tells a gate in the wrong place better than third
    and fourth harmonics do.
    """
    here = np.arange(len(products))
    beyond = np.eye(len(products))
    for step, weight in CUBIC.items():
        beyond[here, (here + step) % len(products)] -= weight
    weights = beyond.T @ beyond
    orders = [_turns(here, *pair)[0] for pair in combinations(range(len(products)), 2)]
    rough = [float((weights * products[np.ix_(order, order)]).sum()) for order in (here, *orders)]
    best = int(np.argmin(rough[1:]))
    return orders[best], float(np.log(max(rough[0], 1e-12) / max(rough[1 + best], 1e-12)))


def _sway_mm(frames: NDArray[np.float64], voxel_mm: tuple[float, float, float]) -> float:
    total = frames.sum(axis=(1, 2, 3))
    squared = 0.0
    for axis in (2, 3):
        others = tuple(other for other in (1, 2, 3) if other != axis)
        at = frames.sum(axis=others) @ np.arange(frames.shape[axis]) * voxel_mm[axis - 1] / total
        spectrum = np.abs(np.fft.fft(at)) ** 2 / len(at) ** 2
        squared += float(spectrum[N_SMOOTH + 1 : len(at) - N_SMOOTH].sum())
    return float(np.sqrt(squared))


def _split(products: NDArray[np.float64]) -> float:
    """Compare the step between two halves of the gates, at file order, with any other two halves.

    Of the steps from the first half into the second and back, what their neighbours lead to expect
    is taken off; what is left of both, in opposite directions, no beat makes.
    """
    n_slots = len(products)
    half = n_slots // 2
    found = []
    for last in range(half):
        weights = np.zeros(n_slots)
        for gate, sign in ((last, 1.0), (last + half, -1.0)):
            at = [(gate + step) % n_slots for step in (-1, 0, 1, 2)]
            np.add.at(weights, at, sign * np.array([0.5, -1.5, 1.5, -0.5]))
        found.append(float(weights @ products @ weights))
    return found[-1] / max(max(found[:-1]), 1e-12)


def _interleaved(products: NDArray[np.float64], apart: NDArray[np.float64]) -> bool:
    n_slots = len(products)
    lines = np.exp(2j * np.pi * np.outer([n_slots // 2, 3], np.arange(n_slots)) / n_slots)
    finest, third = (float(np.real(line.conj() @ products @ line)) for line in lines)
    if n_slots % 2 or finest < ALTERNATING * third:
        return False
    return all(_disorder(apart[part::2, part::2]) <= IN_ORDER for part in (0, 1))


MIN_SLOTS = 6
"""Readers take 8 unasked; fewer than 6 leave no residual from which noise can be told."""

USUAL_SLOTS = (8, 16)
VOI_MARGIN_MM = 15.0
WHOLE_MM = 5.0
"""A box that reaches so far beyond the mean base holds the base in every gate, near enough: on a
heart that shortens by 14 mm the gain was off by 1 % at most; where the stack ends at the base, by 2
to 19 %."""


@dataclass(frozen=True)
class GatingReport:
    """Quality of the gating.

    Attributes
    ----------
    drop_off : float
        Counts of the last slot / mean of all but the last two; 1 where no beats are lost.
    corrected : bool
        Whether slots were rescaled.
    scale : ndarray, shape (n_slots,)
        Factors that were applied; ones where nothing was corrected.
    failures : tuple of str
        Why the gating cannot be trusted; empty where it can.
    flags : tuple of Flag
        What the report should say.
    gain : ndarray, shape (n_slots,)
        What late gates lost, or where counts jump, what every gate gained; ones elsewhere. Known
        whether it was corrected or not.
    jumps : bool
        Whether counts jump from gate to gate as no heart's do.
    slope : float
        Power of the wall's brightness by which the heart's counts rise, see `gate_gain`.
    """

    drop_off: float
    corrected: bool
    scale: NDArray[np.float64]
    failures: tuple[str, ...]
    flags: tuple[Flag, ...]
    gain: NDArray[np.float64]
    jumps: bool
    slope: float


def check_slots(counts: NDArray[np.floating]) -> None:
    """Refuse a study with too few or empty time slots.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.

    Raises
    ------
    DataError
        With the slots concerned.
    """
    n_slots = len(counts)
    if n_slots < MIN_SLOTS:
        raise DataError(
            f"expected at least {MIN_SLOTS} time slots, found {n_slots}: phases of fewer are not "
            "reliable; rebin the study to 8 or 16"
        )
    empty = np.flatnonzero(np.abs(counts).reshape(n_slots, -1).max(axis=1) == 0)
    if len(empty):
        which = ", ".join(str(i + 1) for i in empty)
        raise DataError(
            f"expected counts in every time slot, found none in slot {which} of {n_slots}: "
            "export the study again"
        )


def heart_box(
    shape: tuple[int, ...], voxel_mm: tuple[float, float, float], geometry: WallGeometry
) -> tuple[slice, slice, slice]:
    """Return the box that holds the wall and the 15 mm around its middle, within the stack."""
    points = geometry.points_mm.reshape(-1, 3)
    low = np.floor((points.min(axis=0) - VOI_MARGIN_MM) / np.array(voxel_mm)).astype(int)
    high = np.ceil((points.max(axis=0) + VOI_MARGIN_MM) / np.array(voxel_mm)).astype(int) + 1
    z, y, x = (
        slice(max(int(lo), 0), min(int(hi), n)) for lo, hi, n in zip(low, high, shape, strict=True)
    )
    return z, y, x


def holds_heart(
    box: tuple[slice, slice, slice],
    voxel_mm: tuple[float, float, float],
    geometry: WallGeometry,
) -> bool:
    """Whether the box reaches 5 mm beyond the wall at both ends of the stack."""
    along = geometry.points_mm[..., 0]
    first, last = (box[0].start - 0.5) * voxel_mm[0], (box[0].stop - 0.5) * voxel_mm[0]
    return bool(along.min() - first >= WHOLE_MM and last - along.max() >= WHOLE_MM)


def check_gating(
    counts: NDArray[np.floating],
    *,
    box: tuple[slice, slice, slice] | None = None,
    rejected_share: float | None = None,
    correct: bool = True,
    max_drop_off: float = MAX_DROP_OFF,
    max_rejected: float = MAX_REJECTED,
    whole: bool = True,
) -> tuple[NDArray[np.float32], GatingReport]:
    """Judge the gating, and undo the loss of counts in late slots.

    Where beats end early, the last slots collect fewer counts; that looks like thinning of the
    whole wall at the end of the cycle and draws all phases together: 5 % lost in the last of
    eight slots shrink a spread of 72 degrees to 52, 10 % to 40. The heart's counts alone do not
    show the loss, because they also rise and fall with thickening; `gate_gain` parts the two. Late
    gates that lost 2 % or more are scaled up to the others.

    Counts that jump from gate to gate do the same to phases. Where the gain of a gate differs from
    that of the others by more than thickening and noise explain (6 %), every gate is divided by its
    gain. Otherwise no gate but the late ones is touched: to divide by the counts themselves undoes
    thickening, unevenly, and spreads the phases.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.
    box : tuple of slice, optional
        Where the heart is, see `heart_box`; the whole stack by default.
    rejected_share : float, optional
        Rejected / all beats.
    correct : bool
        Whether to correct a drop-off of 2 % or more, and jumps; else they are measured and said.
    max_drop_off, max_rejected : float
        The largest share of its counts that the last gate may have lost, and of beats that were
        rejected, before the gating fails. From 30 % lost, or 35 % rejected, it is flagged.
    whole : bool
        Whether the box holds the whole heart in every gate, see `holds_heart`; jumps are looked for
        only then, because a heart that moves in and out of the box changes its counts.

    Returns
    -------
    counts : ndarray of float32
        Corrected, or as they came.
    report : GatingReport

    Raises
    ------
    DataError
        If there are too few slots, or one is empty.

    References
    ----------
    Kortelainen MJ et al. Effect of respiratory and cardiac gating on myocardial perfusion SPECT:
    count drop-off. J Nucl Cardiol 2019.

    Examples
    --------
    >>> import numpy as np
    >>> lossy = np.ones((8, 2, 2, 2))
    >>> lossy[-1] = 0.9
    >>> corrected, report = check_gating(lossy)
    >>> round(report.drop_off, 3), report.corrected, bool(np.ptp(corrected) < 1e-6)
    (0.9, True, True)
    """
    check_slots(counts)
    n_slots = len(counts)
    region = counts if box is None else counts[(slice(None), *box)]
    slot_counts = region.reshape(n_slots, -1).sum(axis=1, dtype=np.float64)
    if slot_counts.min() <= 0:
        raise DataError(
            "expected positive counts of the heart in every time slot, found "
            f"{slot_counts.min():.3g} in slot {int(slot_counts.argmin()) + 1}: export the study "
            "again, without subtracting a background"
        )
    drop_off = float(slot_counts[-1] / slot_counts[:-2].mean())
    flags = []
    if n_slots not in USUAL_SLOTS:
        flags.append(Flag(f"{n_slots} time slots, where 8 or 16 are usual"))
    n_bright = max(1, round(BRIGHTEST * region[0].size))
    brightest = np.partition(region.reshape(n_slots, -1), -n_bright, axis=1)[:, -n_bright:]
    found = gate_gain(slot_counts, brightest.mean(axis=1, dtype=np.float64), whole=whole)
    gain = found.gain if found.jumps else np.where(found.late, found.gain, 1.0)
    if found.jumps:
        flags.append(_jump_flag(found, correct))
    elif found.late.any() and not correct:
        flags.append(_loss_flag(gain.min()))
    failures, allowed = _failures(drop_off, rejected_share, max_drop_off, max_rejected)
    flags += allowed
    scale = 1.0 / gain if correct else np.ones(n_slots)
    changed = bool((scale != 1).any())
    corrected = np.asarray(counts, dtype=np.float32)
    if changed:
        corrected = corrected * scale.astype(np.float32)[:, None, None, None]
    return corrected, GatingReport(
        drop_off=drop_off,
        corrected=changed,
        scale=scale,
        failures=failures,
        flags=tuple(flags),
        gain=gain,
        jumps=found.jumps,
        slope=found.slope,
    )


def _loss_flag(least: float) -> Flag:
    return Flag(
        f"beats that ended early left {least:.0%} of the counts in late slots, which were left as "
        "they are: this draws the phases of all walls together",
        "caution",
    )


def _jump_flag(found: GateGain, correct: bool) -> Flag:
    early = found.gain[~found.late]
    what = (
        f"the heart's counts jump between gates ({early.min():.0%} to {early.max():.0%} of the "
        "usual ones, beyond what thickening does)"
    )
    if found.halves:
        return Flag(
            f"{what}, one half of the gates against the other, as if gates of two acquisitions "
            "were put together: the phases and volumes are of no one heart beat",
            "no verdict",
        )
    if early.max() > LARGEST * early.min():
        return Flag(
            f"{what}, more than can be undone: gates are damaged or of different acquisitions",
            "no verdict",
        )
    if not correct:
        return Flag(
            f"{what} and were left as they were (correct_drop_off is off): this draws the phases "
            "of all walls together",
            "caution",
        )
    return Flag(
        f"{what}: each gate was divided by its gain, without which phases are drawn together",
        "caution",
    )


def _failures(
    drop_off: float, rejected_share: float | None, max_drop_off: float, max_rejected: float
) -> tuple[tuple[str, ...], list[Flag]]:
    """Return why the gating fails, and what is flagged because it was allowed."""
    failures, allowed = [], []
    if drop_off < 1 - max_drop_off:
        least = max(np.ceil(100 * (1 - drop_off)) / 100, 0.0)
        failures.append(
            f"the last slot holds {drop_off:.0%} of the counts of the early ones (at least "
            f"{1 - max_drop_off:.0%}, or allow it with --max-drop-off {least:.2f})"
        )
    elif drop_off < 1 - USUAL_DROP_OFF:
        allowed.append(
            Flag(
                f"the last slot holds {drop_off:.0%} of the counts of the early ones: few beats "
                "are as long, and late diastole is known from those alone",
                "caution",
            )
        )
    if rejected_share is not None and rejected_share > max_rejected:
        least = np.ceil(100 * rejected_share) / 100
        failures.append(
            f"{rejected_share:.0%} of the beats were rejected (at most {max_rejected:.0%}, or "
            f"allow it with --max-rejected {least:.2f})"
        )
    elif rejected_share is not None and rejected_share > MAX_REJECTED:
        allowed.append(
            Flag(
                f"{rejected_share:.0%} of the beats were rejected, which was allowed: the rhythm "
                "was irregular, and phases are those of the beats that were kept",
                "caution",
            )
        )
    return tuple(failures), allowed
