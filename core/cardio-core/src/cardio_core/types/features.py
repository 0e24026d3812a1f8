"""Features: named blocks of numbers with axes and units, in memory or on disk."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import MadeWrongError
from cardio_core.types.notes import Verdict
from cardio_core.types.samples import ID_COLUMNS, SampleSet

Array = np.ndarray[Any, Any]

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Pieces:
    """One array along its first axis, made of pieces that may lie on disk.

    Pieces are `.npy` files or arrays. Only the rows that are asked for are read, and no file stays
    open or mapped, so a cohort larger than memory, in any number of files, is one object. It
    pickles as its list of paths.

    Examples
    --------
    >>> pieces = Pieces([np.arange(3), np.arange(10, 12)])
    >>> pieces[[4, 0]]
    array([11,  0])
    """

    def __init__(self, pieces: Sequence[Path | Array]) -> None:
        self._take([(piece, *_head(piece)) for piece in pieces])

    @classmethod
    def joined(cls, parts: Sequence[Pieces | Array]) -> Pieces:
        """Return one after the other as one, without looking at any file again."""
        made = cls.__new__(cls)
        made._take([item for part in parts for item in _parts_of(part)])
        return made

    def _take(self, parts: Sequence[tuple[Path | Array, tuple[int, ...], Any, int]]) -> None:
        self._pieces = [piece for piece, _, _, _ in parts]
        self._starts = np.cumsum([0, *(shape[0] for _, shape, _, _ in parts)]).astype(int)
        trailing = {shape[1:] for _, shape, _, _ in parts if shape[0]}
        if len(trailing) > 1:
            raise ValueError(f"pieces differ in shape: {sorted(trailing)}")
        tail = next(iter(trailing), parts[0][1][1:] if parts else ())
        self.shape: tuple[int, ...] = (int(self._starts[-1]), *tail)
        self.dtype = parts[0][2] if parts else np.dtype(float)
        # Where the numbers begin in a file; 0 where they cannot be read row by row.
        self._offsets = np.array([at if dtype == self.dtype else 0 for _, _, dtype, at in parts])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: Any) -> Array:
        if isinstance(positions, int | np.integer):
            return self[np.array([positions])][0]  # type: ignore[no-any-return]
        wanted = _positions(positions, len(self))
        out = np.empty((len(wanted), *self.shape[1:]), dtype=self.dtype)
        owner = np.searchsorted(self._starts, wanted, side="right") - 1
        order = np.argsort(owner, kind="stable")
        # Piece after piece, each with the places that its rows go to.
        for here in np.split(order, np.flatnonzero(np.diff(owner[order])) + 1):
            if here.size:
                number = int(owner[here[0]])
                out[here] = self._rows(number, wanted[here] - self._starts[number])
        return out

    def _rows(self, number: int, rows: Array) -> Array:
        """Return rows of one piece; of a file no more than these are read."""
        piece, offset = self._pieces[number], int(self._offsets[number])
        if not isinstance(piece, Path):
            return np.asarray(piece[rows])
        if not offset:
            whole: Array = np.load(piece, allow_pickle=False)
            return np.asarray(whole[rows])
        tail = self.shape[1:]
        n_each = math.prod(tail)
        out = np.empty((len(rows), *tail), dtype=self.dtype)
        with piece.open("rb", buffering=0) as file:
            for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):
                file.seek(offset + int(rows[run[0]]) * n_each * self.dtype.itemsize)
                read = np.fromfile(file, self.dtype, len(run) * n_each)
                out[run] = read.reshape(len(run), *tail)
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self[:] if dtype is None else self[:].astype(dtype)


def _parts_of(values: Any) -> list[tuple[Path | Array, tuple[int, ...], Any, int]]:
    """Return the pieces of an array, each with its shape, type and place in its file."""
    if not isinstance(values, Pieces):
        piece = np.asarray(values)
        return [(piece, piece.shape, piece.dtype, 0)]
    tail, counts = values.shape[1:], np.diff(values._starts)
    rows = zip(values._pieces, counts, values._offsets, strict=True)
    return [(piece, (int(n), *tail), values.dtype, int(at)) for piece, n, at in rows]


def _head(piece: Path | Array) -> tuple[tuple[int, ...], Any, int]:
    """Return shape, type, and where the numbers begin in a file (0: it must be read as a whole)."""
    if not isinstance(piece, Path):
        return piece.shape, piece.dtype, 0
    with piece.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, by_column, dtype = read(file)
        at = file.tell()
        size = os.fstat(file.fileno()).st_size
    if size < at + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{piece.name}: expected an array of shape {shape}, found a shorter file")
    return shape, dtype, 0 if dtype.hasobject or (by_column and len(shape) > 1) else at


def _positions(chosen: Any, n: int) -> Array:
    """Return the positions that an index means, all from 0; a list of them costs what it holds."""
    if not isinstance(chosen, slice):
        chosen = np.asarray(chosen)
        if chosen.dtype.kind in "iu" and chosen.ndim == 1:
            if chosen.size and not (-n <= chosen.min() and chosen.max() < n):
                raise IndexError(
                    f"positions from {-n} to {n - 1}, not {chosen.min()}, {chosen.max()}"
                )
            from_zero: Array = np.where(chosen < 0, chosen + n, chosen)
            return from_zero
        if not chosen.size and chosen.dtype.kind == "f":  # an empty list
            chosen = chosen.astype(int)
    wanted: Array = np.arange(n)[chosen]
    return wanted


NO_YES = ("no", "yes")
"""Levels of a measurement that is answered no (0) or yes (1)."""


@dataclass(frozen=True)
class Difference:
    """What a measurement is the difference of: the later of two recordings minus the earlier.

    Attributes
    ----------
    late, early : str
        What the two recordings are called: ``"stress"``, ``"rest"``.
    of : str
        Name, in any block, of the measurement that differs; ``""`` where neither recording has it.

    Examples
    --------
    >>> Difference("stress", "rest", of="lvef_pct").of
    'lvef_pct'
    """

    late: str
    early: str
    of: str = ""


@dataclass(frozen=True)
class FeatureBlock:
    """One named array of features.

    Attributes
    ----------
    values : array of shape (n_samples, ...)
        As stored: float32, or uint8 / float16 to be compact. Value in `units` = stored × `scale`
        + `offset`.
    axes : tuple of str
        Names of the axes after the first: ``("lead", "frequency", "time")``.
    names : tuple of str
        Names along the first axis after the sample (columns of a tabular block, leads, ...).
    units : tuple of str
        One unit for each name; a single one if all share it; ``"1"`` for pure numbers.
    scale, offset : float
        Back to units.
    extents : mapping of str to (float, float, str)
        For axes that are a scale: value at its first edge, at its last edge, and unit, so that a
        picture can be drawn with its axes: ``{"frequency": (0.0, 60.0, "Hz")}``.
    titles : tuple of str or None
        What `cardio measure` calls each name, in medicine's words and without the unit; ``""``
        leaves one out. None: a block of one axis without extents is listed under the words of its
        names. ``()``: no measurement.
    levels : mapping of str to tuple of str
        What the values of a name stand for where they are codes: value 0 the first, and so on;
        `NO_YES` for what is answered no (0) or yes (1).
    listed_last : tuple of str
        Which of the names `cardio measure` lists behind all others, of whatever block: what few
        readers look for, such as shares of readings and single amplitudes.
    differences : mapping of str to Difference
        Names whose values are differences between two recordings of one patient: `cardio measure`
        shows both values and the difference.

    Examples
    --------
    Measurements, a row a sample, and pictures that are stored as bytes:

    >>> values = np.array([[96.0, 62.0], [158.0, 71.0]], dtype=np.float32)
    >>> block = FeatureBlock(values, ("measure",), ("qrs", "rate"), ("ms", "1/min"))
    >>> block.in_units([1]).tolist()
    [[158.0, 71.0]]
    >>> pixels = np.full((2, 1, 8, 8), 51, dtype=np.uint8)
    >>> axes = ("map", "row", "column")
    >>> maps = FeatureBlock(pixels, axes, ("share",), ("1",), scale=1 / 255)
    >>> round(float(maps.in_units()[0, 0, 0, 0]), 3)
    0.2
    """

    values: Pieces | Array
    axes: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    scale: float = 1.0
    offset: float = 0.0
    extents: Mapping[str, tuple[float, float, str]] = field(default_factory=dict)
    titles: tuple[str, ...] | None = None
    listed_last: tuple[str, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape, n_names = tuple(self.values.shape), len(self.names)
        if len(self.axes) != len(shape) - 1:
            raise MadeWrongError(
                f"a FeatureBlock of shape {shape} has {len(self.axes)} axes; name each after the "
                "first, which is the sample"
            )
        n_along = shape[1] if self.axes else 0
        if n_names != n_along:
            axis = f"{n_along} along {self.axes[0]!r}" if self.axes else "no axis"
            raise MadeWrongError(
                f"a FeatureBlock of {axis} has {n_names} name(s); give one to each"
            )
        if len(self.units) not in (1, n_names) or not all(self.units):
            raise MadeWrongError(
                f"every feature needs a unit; a FeatureBlock of {n_names} names has "
                f"{sum(map(bool, self.units))}; give one for each, or one for all ('1' for pure "
                "numbers)",
                code="unit",
            )
        if self.titles and (len(self.titles) != n_names or len(self.axes) != 1):
            raise MadeWrongError(
                f"a FeatureBlock of {len(self.axes)} axes and {n_names} names has "
                f"{len(self.titles)} titles; one goes with each name of a single axis"
            )
        for how, names in (
            ("lists {} last", self.listed_last),
            ("has levels of {}", self.levels),
            ("declares a difference {}", self.differences),
        ):
            unknown = [name for name in names if name not in self.names]
            if unknown:
                raise MadeWrongError(
                    f"a FeatureBlock {how.format(repr(unknown[0]))}, which is none of its names; "
                    "give names of the block"
                )

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, units: Mapping[str, str], titles: Mapping[str, str] | None = None
    ) -> FeatureBlock:
        """Return a block of measurements: a row a sample, a column a measurement.

        Parameters
        ----------
        frame : DataFrame
            Numbers, in the order of the sample table.
        units : mapping of str to str
            Of each column; ``"1"`` for pure numbers.
        titles : mapping of str to str, optional
            In medicine's words; columns without one are left out of `cardio measure`.

        Examples
        --------
        >>> frame = pd.DataFrame({"rate": [62.0, 71.0]})
        >>> FeatureBlock.from_frame(frame, {"rate": "1/min"}, {"rate": "Heart rate"}).titles
        ('Heart rate',)
        """
        names = tuple(str(name) for name in frame.columns)
        return cls(
            frame.to_numpy(np.float32),
            ("measure",),
            names,
            tuple(units.get(name, "") for name in names),
            titles=None if titles is None else tuple(titles.get(name, "") for name in names),
        )

    def take(self, positions: Any) -> FeatureBlock:
        """Return the rows at these positions, read into memory."""
        return replace(self, values=self.values[positions])

    def in_units(self, positions: Any = slice(None)) -> Array:
        """Return rows as float32 in their units."""
        stored = np.asarray(self.values[positions], dtype=np.float32)
        return (stored * self.scale + self.offset).astype(np.float32)


@dataclass(frozen=True)
class FeatureSet:
    """Samples with their features.

    Attributes
    ----------
    table : DataFrame, one row a sample, indexed by `sample_id`
        Columns recording_id, study_id, patient_id, and `time_s`, `variant` (0 is the original;
        only 0 is ever validated or tested) where they apply. A column `flags` says what a reader
        of the report should know of a recording, several joined with ``"; "``; a column
        `no_verdict` in the same way why it cannot be judged, and is empty where it can: `cardio
        predict` then withholds what it would say of it.
    blocks : mapping of str to FeatureBlock
        The features, aligned with the table.

    Examples
    --------
    >>> ids = pd.DataFrame(dict.fromkeys(ID_COLUMNS, ["p1", "p2"]), index=["p1", "p2"])
    >>> qrs = FeatureBlock(np.array([[96.0], [158.0]]), ("measure",), ("qrs",), ("ms",))
    >>> features = FeatureSet(ids, {"measures": qrs})
    >>> features.view([1])["measures"].in_units().tolist()
    [[158.0]]
    """

    table: pd.DataFrame
    blocks: Mapping[str, FeatureBlock]

    def __post_init__(self) -> None:
        missing = [column for column in ID_COLUMNS if column not in self.table.columns]
        if missing:
            raise MadeWrongError(f"the table of a FeatureSet lacks the columns {missing}; add them")
        for name, block in self.blocks.items():
            if len(block.values) != len(self.table):
                raise MadeWrongError(
                    f"a FeatureSet of {len(self.table)} samples but block {name!r} has "
                    f"{len(block.values)} rows; give one a sample",
                    code="mismatch",
                )
        known = {name for block in self.blocks.values() for name in block.names}
        for block in self.blocks.values():
            for name, difference in block.differences.items():
                if difference.of and difference.of not in known:
                    raise MadeWrongError(
                        f"measurement {name!r} is declared as a difference of {difference.of!r}, "
                        "which no block has; name a feature of the set",
                        code="unknown",
                    )

    @classmethod
    def from_rows(
        cls,
        samples: SampleSet,
        block: str,
        rows: Iterable[Mapping[str, float]],
        units: Mapping[str, str],
        titles: Mapping[str, str] | None = None,
    ) -> FeatureSet:
        """Return the features of samples that are measurements, one block of them.

        Parameters
        ----------
        samples : SampleSet
            As `featurize` gets them.
        block : str
            Name of the block.
        rows : iterable of mapping
            Measurements by name, one mapping per sample and in their order.
        units, titles : mapping of str to str
            See `FeatureBlock.from_frame`.

        Examples
        --------
        >>> ids = pd.DataFrame(dict.fromkeys(ID_COLUMNS, ["p1"]), index=["p1"])
        >>> samples = SampleSet(ids, [np.array([0.0, 2.0])])
        >>> heights = ({"height": np.ptp(signal)} for signal in samples.values)
        >>> FeatureSet.from_rows(samples, "size", heights, {"height": "mV"})["size"].in_units()
        array([[2.]], dtype=float32)
        """
        frame = pd.DataFrame(list(rows))
        return cls(samples.table, {block: FeatureBlock.from_frame(frame, units, titles)})

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, block: str) -> FeatureBlock:
        return self.blocks[block]

    def view(self, positions: Any) -> FeatureSet:
        """Return the samples at these positions without reading their values."""
        chosen = np.arange(len(self))[positions]
        blocks = {
            name: replace(block, values=Rows(block.values, chosen))  # type: ignore[arg-type]
            for name, block in self.blocks.items()
        }
        return FeatureSet(self.table.iloc[chosen], blocks)


class Rows:
    """Some rows of an array, chosen now and read when they are asked for."""

    def __init__(self, values: Any, chosen: Array) -> None:
        # A view of a view points at the same ground, so that chains of views stay one step deep.
        nested = isinstance(values, Rows)
        self._values: Any = values._values if nested else values
        self._chosen: Array = values._chosen[chosen] if nested else chosen
        self.shape: tuple[int, ...] = (len(self._chosen), *self._values.shape[1:])
        self.dtype = self._values.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: Any) -> Array:
        return self._values[self._chosen[positions]]  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self[:] if dtype is None else self[:].astype(dtype)


def concatenate(parts: Sequence[FeatureSet]) -> FeatureSet:
    """Return one feature set of several patients, without reading their values.

    Raises
    ------
    ValueError
        If the parts differ in their blocks, or in scale, names or units of one.
    """
    parts = [part for part in parts if len(part)] or list(parts[:1])
    first = parts[0]
    blocks = {}
    for name, block in first.blocks.items():
        about = _description(block)
        if any(name not in p.blocks or _description(p.blocks[name]) != about for p in parts[1:]):
            raise ValueError(f"block {name!r} differs between patients in its description")
        blocks[name] = replace(block, values=Pieces.joined([p.blocks[name].values for p in parts]))
    return FeatureSet(pd.concat([part.table for part in parts]), blocks)


def flags_of(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return what the hooks flagged, by recording; column `flags` joins several with ``"; "``."""
    return _texts_in(table, "flags")


def verdicts_of(table: pd.DataFrame) -> dict[str, Verdict]:
    """Return the verdict on each recording that the hooks withhold one of."""
    return {name: Verdict(tuple(why)) for name, why in _texts_in(table, "no_verdict").items()}


def _texts_in(table: pd.DataFrame, column: str) -> dict[str, list[str]]:
    if column not in table.columns:
        return {}
    by_recording = table.drop_duplicates("recording_id").set_index("recording_id")[column]
    return {str(k): str(v).split("; ") for k, v in by_recording.items() if isinstance(v, str) and v}


def flag_counts(table: pd.DataFrame) -> dict[str, int]:
    """Return how many recordings carry each flag or reason against a verdict, the commonest first.

    Flags that differ only in their numbers are counted together, with dots in their place.

    Examples
    --------
    >>> flags = ["95 % of the wall is seen; six slots", "81 % of the wall is seen", "six slots"]
    >>> flag_counts(pd.DataFrame({"recording_id": list("abc"), "flags": flags}))
    {'… % of the wall is seen': 2, 'six slots': 2}
    """
    alike: dict[str, list[str]] = {}
    texts = list(flags_of(table).values())
    texts += [[f"no verdict: {why}" for why in own.reasons] for own in verdicts_of(table).values()]
    for own in texts:
        for flag in own:
            alike.setdefault(_NUMBER.sub("…", flag), []).append(flag)
    counted = {
        (same[0] if len(set(same)) == 1 else words): len(same) for words, same in alike.items()
    }
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


def _description(block: FeatureBlock) -> tuple[Any, ...]:
    extents = {axis: tuple(extent) for axis, extent in block.extents.items()}
    return (block.axes, block.names, block.units, block.scale, block.offset, extents)
