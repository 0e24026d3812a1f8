"""Whether gates follow each other as a beat does, and are of one acquisition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

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
    own = np.diag(products)
    apart = own[:, None] + own - 2 * products
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
        [gaussian_filter(one, [SMOOTHING_MM / mm for mm in voxel_mm]) for one in frames]
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
