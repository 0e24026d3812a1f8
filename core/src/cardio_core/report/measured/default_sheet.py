"""A sheet of any recording: whatever its arrays look like, and its measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from cardio_core.report.figures import canvas
from cardio_core.report.measured.values import Measured, measured_of, short
from cardio_core.types.features import FeatureSet

_DEEPEST = 3
_MOST_TRACES = 16
_MOST_POINTS = 6000
_N_PICTURES = 6
_MOST_VALUES = 400_000_000


@dataclass(frozen=True)
class _Seen:
    """An array, and what it was found under."""

    name: str
    values: NDArray[Any]


def draw_default(
    figure: Figure,
    *,
    recording: Any,
    samples: Any,
    features: Any,
    measured: Sequence[Measured],
) -> None:
    """Draw what a recording's largest array suggests, and its measurements beside it.

    One axis is a trace, a few long rows are traces below each other, two axes or a last axis of
    three or four are a picture, three axes or four are frames or slices. Where nothing in the
    recording can be drawn, an array of its samples is, then one of its features.
    """
    parts: Any = figure.subfigures(1, 2, width_ratios=(2.6, 1.0))
    left, right = parts
    seen = _first_drawable(recording, samples, features)
    drawn = False
    if seen is not None:
        try:
            _draw(left, seen)
            drawn = True
        except Exception:
            # A stranger's array may break any drawing; the sheet then says that there is none.
            left.clear()
    if not drawn:
        axes = left.subplots()
        axes.set_axis_off()
        axes.text(0.5, 0.5, "nothing in this recording can be drawn", ha="center", va="center",
                  fontsize=canvas.TEXT_PT, color=canvas.GREY)  # fmt: skip
    rows = [(one.title, short(one.text), one.unit) for one in measured]
    canvas.write_rows(right.subplots(), rows)


def _first_drawable(recording: Any, samples: Any, features: Any) -> _Seen | None:
    """Return the largest array of the first source that has one."""
    for source in (_of_recording(recording), _of_samples(samples), _of_features(features)):
        with suppress(Exception):  # a value may refuse to be looked at
            found = list(source)
            if found:
                return max(found, key=lambda one: one.values.size)
    return None


def _of_recording(value: Any) -> Iterator[_Seen]:
    yield from _arrays_in(value, "recording")


def _of_samples(samples: Any) -> Iterator[_Seen]:
    if samples is not None and len(samples):
        yield from _arrays_in(samples.values[0], "first sample")


def _of_features(features: Any) -> Iterator[_Seen]:
    for name, block in features.blocks.items():
        if len(block.axes) > 1 and len(block.values):
            yield _Seen(name.replace("_", " "), np.asarray(block.values[0:1])[0])


def _arrays_in(value: Any, name: str, depth: int = 0) -> Iterator[_Seen]:
    """Yield the arrays of numbers in a value, its containers and its attributes."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub" and 0 < value.ndim <= 4 and 1 < value.size <= _MOST_VALUES:
            yield _Seen(name, value)
        return
    if depth == _DEEPEST or isinstance(value, str | bytes | int | float | complex | None):
        return
    stack = getattr(value, "stack", None)
    if callable(stack) and hasattr(value, "n_frames"):  # a loop, decoded frame by frame
        chosen = np.unique(np.linspace(0, value.n_frames - 1, _N_PICTURES).astype(int))
        frames = [np.asarray(value.frame(int(n))) for n in chosen]
        yield _Seen("frames", np.stack(frames))
        return
    if isinstance(value, dict):
        inside = [(str(key), one) for key, one in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(name, one) for one in value]
    else:
        names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
        inside = [(one, getattr(value, one, None)) for one in names if one[0] != "_"]
    for key, one in inside:
        yield from _arrays_in(one, key.replace("_", " "), depth + 1)


def _draw(figure: SubFigure, seen: _Seen) -> None:
    values = seen.values.astype(np.float32) if seen.values.dtype.kind == "b" else seen.values
    shape = values.shape
    if values.ndim == 1:
        _traces(figure, values[None], seen.name)
    elif values.ndim == 2 and min(shape) <= _MOST_TRACES and max(shape) >= 4 * min(shape):
        _traces(figure, values if shape[0] < shape[1] else values.T, seen.name)
    elif values.ndim == 2 or (values.ndim == 3 and shape[-1] in (3, 4) and min(shape[:2]) > 4):
        _pictures(figure, values[None], seen.name)
    else:
        stack = values
        # The last two axes are a picture; what comes before is counted through. Colour is last.
        colour = values.ndim == 4 and shape[-1] in (3, 4) and min(shape[1:3]) > 4
        if not colour:
            stack = values.reshape(-1, *shape[-2:])
        _pictures(figure, stack, seen.name)


def _traces(figure: SubFigure, rows: NDArray[Any], name: str) -> None:
    grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    step = max(1, rows.shape[1] // _MOST_POINTS)
    at = np.arange(rows.shape[1])[::step]
    for n, (axes, row) in enumerate(zip(grid, rows, strict=True)):
        axes.plot(at, row[::step], color=canvas.INK, linewidth=0.8)
        last = n == len(rows) - 1
        canvas.bare_axes(
            axes, x="number of the value" if last else "", title=name if n == 0 else ""
        )


def _pictures(figure: SubFigure, stack: NDArray[Any], name: str) -> None:
    chosen = np.unique(np.linspace(0, len(stack) - 1, min(_N_PICTURES, len(stack))).astype(int))
    n_columns = min(3, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    shown = stack[chosen]
    # One grey scale for all, which a few bright pixels do not darken.
    numbers = shown[np.isfinite(shown)] if shown.dtype.kind == "f" else shown
    low, high = np.percentile(numbers, (0.5, 99.5)) if numbers.size else (0.0, 1.0)
    for axes in grid:
        axes.set_axis_off()
    for axes, number, picture in zip(grid, chosen, shown, strict=False):
        _picture(axes, picture, float(low), float(high))
        if len(stack) > 1:
            axes.set_title(f"{number + 1} of {len(stack)}", fontsize=canvas.SMALL_PT,
                           color=canvas.GREY)  # fmt: skip
    if len(stack) == 1:
        grid[0].set_title(name, fontsize=canvas.TEXT_PT, color=canvas.INK, loc="left")


def _picture(axes: Axes, picture: NDArray[Any], low: float, high: float) -> None:
    if picture.ndim == 3:
        scaled = (picture[..., :3].astype(np.float32) - low) / max(high - low, 1e-9)
        axes.imshow(np.clip(scaled, 0, 1))
    else:
        axes.imshow(picture, cmap="gray", vmin=low, vmax=max(high, low + 1e-9))


def write_measurements(
    axes: Axes, features: FeatureSet, titles: Sequence[str] | None = None
) -> None:
    """Write a recording's measurements into axes, as a table: title, value, unit.

    Parameters
    ----------
    axes : Axes
        Emptied of its frame.
    features : FeatureSet
        Of one recording, as a plugin's ``sheet`` is given it.
    titles : sequence of str, optional
        Which, by the words of `FeatureBlock.titles` without a question mark, in this order; all
        without.

    Raises
    ------
    KeyError
        If a title is none of the recording's.
    """
    known = {one.title: one for one in measured_of(features)}
    chosen = known.values() if titles is None else [known[title] for title in titles]
    canvas.write_rows(axes, [(one.title, short(one.text), one.unit) for one in chosen])
