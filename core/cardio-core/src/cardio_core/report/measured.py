"""A sheet of any recording: whatever its arrays look like, and its measurements."""

from __future__ import annotations

import base64
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.report.measurements import (
    COLUMNS,
    Column,
    Measured,
    columns_file,
    measured_of,
    read_columns,
    short,
)
from cardio_core.types.features import FeatureSet
from cardio_stats.cells import as_they_were
from cardio_stats.figures import canvas
from cardio_stats.files import replacing
from cardio_stats.words import moment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

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
    rows = [
        (measurement.title, short(measurement.text), measurement.unit) for measurement in measured
    ]
    canvas.write_rows(right.subplots(), rows)


def _first_drawable(recording: Any, samples: Any, features: Any) -> _Seen | None:
    """Return the largest array of the first source that has one."""
    for source in (_of_recording(recording), _of_samples(samples), _of_features(features)):
        with suppress(Exception):  # a value may refuse to be looked at
            found = list(source)
            if found:
                return max(found, key=lambda item: item.values.size)
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
    if callable(stack) and hasattr(value, "n_frames"):  # decoded frame by frame
        chosen = np.unique(np.linspace(0, value.n_frames - 1, _N_PICTURES).astype(int))
        frames = [np.asarray(value.frame(int(n))) for n in chosen]
        yield _Seen("frames", np.stack(frames))
        return
    if isinstance(value, dict):
        inside = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(name, item) for item in value]
    else:
        names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
        inside = [(item, getattr(value, item, None)) for item in names if item[0] != "_"]
    for key, entry in inside:
        yield from _arrays_in(entry, key.replace("_", " "), depth + 1)


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
    axes: Axes,
    features: FeatureSet,
    names: Sequence[str] | None = None,
) -> None:
    """Write a recording's measurements into axes, as a table: title, value, unit.

    Parameters
    ----------
    axes : Axes
        Emptied of its frame.
    features : FeatureSet
        Of one recording, as a plugin's ``sheet`` is given it.
    names : sequence of str, optional
        Which, by the names of columns of ``measurements.csv``, in this order; all without.

    Raises
    ------
    KeyError
        If a name is none of the recording's.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from cardio_core.types.features import ID_COLUMNS, FeatureBlock
    >>> ids = pd.DataFrame(dict.fromkeys(ID_COLUMNS, ["p1"]), index=["p1"])
    >>> qrs = FeatureBlock(np.array([[96.0]]), ("measure",), ("qrs",), ("ms",))
    >>> axes = Figure().subplots()
    >>> write_measurements(axes, FeatureSet(ids, {"measures": qrs}))
    >>> sorted(item.get_text() for item in axes.texts)
    ['96', 'QRS', 'ms']
    """
    known = {item.name: item for item in measured_of(features)}
    chosen = known.values() if names is None else [known[name] for name in names]
    canvas.write_rows(axes, [(item.title, short(item.text), item.unit) for item in chosen])


# Differences between two recordings of one patient, which the page shows beside both values.


@dataclass(frozen=True)
class Pair:
    """One patient's two recordings: whose, which is the later, and a cell a column."""

    patient: str
    recording: str
    cells: tuple[str, ...]


def differences(columns: Sequence[Column]) -> list[Column]:
    """Return the columns of differences, in the order of the columns that they are of.

    Examples
    --------
    >>> from cardio_core.types.features import Difference
    >>> change = Column("ef_change", "Change", "%", "number", Difference("stress", "rest", "ef"))
    >>> [column.name for column in differences([Column("ef", "EF", "%"), change])]
    ['ef_change']
    """
    places = {column.name: place for place, column in enumerate(columns)}
    placed = [
        (places.get(column.difference.of, len(columns)), column)
        for column in columns
        if column.difference
    ]
    return [column for _, column in sorted(placed, key=lambda item: item[0])]


def pairs(table: Path, columns: Sequence[Column]) -> Iterator[Pair]:
    """Yield each recording that has a difference, with both values and the difference.

    Parameters
    ----------
    table : Path
        ``measurements.csv``.
    columns : sequence of Column
        As `differences` returns them.
    """
    for row in _lines(table):
        cells = tuple(_cell(row, column) for column in columns)
        if any(cells):
            yield Pair(row.get("patient") or row["id"], row["id"], cells)


def _cell(row: dict[str, str], column: Column) -> str:
    """Write ``18 → 24 (+6)``: the table has the later value and the difference."""
    text = row.get(column.name) or ""
    if not text or column.difference is None:
        return ""
    change = float(text)
    shown = f"+{short(text)}" if change > 0 else short(text).replace("-", "−")
    late = row.get(column.difference.of) or ""
    if not late:
        return shown
    early = f"{float(late) - change:.4g}"
    return f"{short(early)} → {short(late)} ({shown})"


# One recording's sheet: drawn by the plugin, or by the core, and written with its thumbnail.

SIZE_IN = (11.0, 7.6)
DPI = 110
THUMBNAILS = ".thumbnails"
_THUMBNAIL_PX = (330, 230)


@dataclass(frozen=True)
class Sheet:
    """What stands on every sheet, whoever draws it; `by` is the plugin with its version."""

    by: str
    recording_id: str
    measured: tuple[Measured, ...]
    flags: Sequence[str]


def write_sheet(
    file: Path,
    sheet: Sheet,
    own: Callable[..., Any] | None,
    values: Mapping[str, Any],
) -> str:
    """Draw a sheet and write it as PNG, with a thumbnail beside it for the overview page.

    Parameters
    ----------
    file : Path
        The PNG; its folder is made.
    sheet : Sheet
        What the core writes on it.
    own : callable or None
        The plugin's ``sheet``; None, or one that raises, leaves the drawing to the core.
    values : mapping
        recording, samples, features and patient for it.

    Returns
    -------
    str
        What went wrong with the plugin's own; empty where nothing did.
    """
    problem = ""
    made: bytes | None = None
    if own is not None:
        try:
            made = _png(lambda figure: own(figure=figure, **values), sheet)
        except Exception as error:
            text = " ".join(str(error).split())
            problem = f"drawn by the core: sheet.py failed ({type(error).__name__}: {text})"
    if made is None:
        of_one = {name: values[name] for name in ("recording", "samples", "features")}
        made = _png(lambda figure: draw_default(figure, measured=sheet.measured, **of_one), sheet)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        temporary.write_bytes(made)
    _thumbnail(file)
    return problem


def _png(draw: canvas.Draw, sheet: Sheet) -> bytes:
    from cardio_stats.figures.layout import SteadyLayout

    def whole(figure: Figure) -> None:
        draw(figure)
        flags = [line for flag in sheet.flags for line in _wrapped(f"Flag: {flag}")]
        placed = not isinstance(figure.get_layout_engine(), SteadyLayout)
        if placed:
            _make_room(figure, above_pt=_TITLE_PT + 9, below_pt=_FLAG_PT * len(flags) + 3)
        figure.suptitle(
            f"Recording {sheet.recording_id}    measured by {sheet.by}",
            x=0.01, ha="left", fontsize=canvas.TEXT_PT + 2, fontweight="bold", color=canvas.INK,
            **({"y": 1 - 4 / (72 * figure.get_figheight()), "va": "top"} if placed else {}),
        )  # fmt: skip
        if flags:
            figure.supxlabel(
                "\n".join(flags),
                x=0.01, ha="left", fontsize=canvas.SMALL_PT, color=canvas.VERMILION,
                **({"y": 3 / (72 * figure.get_figheight()), "va": "bottom"} if placed else {}),
            )  # fmt: skip

    return canvas.png_bytes(whole, SIZE_IN, DPI)


_TITLE_PT, _FLAG_PT = 11.0, 9.6
"""Heights of a title and of a line of flags."""


def _make_room(figure: Figure, *, above_pt: float, below_pt: float) -> None:
    """Make a figure whose axes were placed by hand higher; they keep their size in inches."""
    before = figure.get_figheight()
    after = before + (above_pt + below_pt) / 72
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position().bounds
        up = (bottom * before + below_pt / 72) / after
        axes.set_position((left, up, width, height * before / after))
    figure.set_figheight(after)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 170)


def _thumbnail(file: Path) -> None:
    from PIL import Image

    small_file = _thumbnail_of(file)
    small_file.parent.mkdir(exist_ok=True)
    with Image.open(file) as picture:
        small = picture.convert("RGB")
        small.thumbnail(_THUMBNAIL_PX, Image.Resampling.LANCZOS)
        with replacing(small_file) as temporary:
            small.save(temporary, "JPEG", quality=72)


# `measurements.html`: every recording of `cardio measure` on one page, without a network.

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
MOST_OPEN = 5
"""Sheets that stand open on the page; with more, each row has a thumbnail that leads to its own."""

MOST_PICTURES = 600
"""Thumbnails in the page; of a larger cohort the others are links, or no browser would open it."""

_MM = 25.4


@dataclass(frozen=True)
class Row:
    """One recording as the page shows it; `picture` is the text of an inline JPEG, or empty."""

    recording: str
    patient: str
    cells: tuple[str, ...]
    flags: tuple[str, ...]
    reason: str
    sheet: str
    picture: str


@dataclass(frozen=True)
class Open:
    """A sheet as it stands on the page: the text of an inline PNG, and how wide it is on paper.

    `number` is the place of its line in the table, from 1.
    """

    number: int
    recording: str
    picture: str
    width_mm: float


def write_page(
    path: Path,
    table: Path,
    *,
    by: str,
    made: str,
    notes: Sequence[str],
    of: str = "recording",
    by_recording: str = "",
) -> None:
    """Write the page from the finished table and the thumbnails beside the sheets.

    Parameters
    ----------
    path : Path
        The page; sheets are looked for in the table's folder.
    table : Path
        ``measurements.csv``, with what its columns are beside it; read line by line, twice.
    by, made : str
        For the head: what measured, and when. A task's title names what is predicted, and nothing
        is here.
    notes : sequence of str
        Sentences below it.
    of : {"recording", "study"}
        What a line of the table is.
    by_recording : str
        Name of the page beside it that says the same by recording; empty where there is none.
    """
    from cardio_core.report.templates import templates

    about = {"by": by, "made": moment(made)}
    columns, counts, reasons, flags = _counted(table)
    changed = differences(columns)
    few = counts["pictures"] <= MOST_OPEN
    template = templates("report").get_template("measured.html")
    stream = template.generate(
        **about, notes=list(notes), columns=columns, counts=counts, table=table.name,
        about_columns=columns_file(table).name, few=few,
        reasons=reasons.most_common(), flags=flags.most_common(), most=MOST_PICTURES,
        rows=_rows(table, columns, n_pictures=0 if few else MOST_PICTURES),
        opened=_opened(table) if few else (),
        differences=changed, pairs=pairs(table, changed),
        heads={column.name: column.head for column in columns},
        of=of, many={"study": "studies"}.get(of, f"{of}s"), by_recording=by_recording,
    )  # fmt: skip
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        for piece in stream:
            file.write(piece)


def _lines(table: Path) -> Iterator[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        yield from map(as_they_were, csv.DictReader(file))


def _counted(table: Path) -> tuple[list[Column], dict[str, int], Counter[str], Counter[str]]:
    """Return the columns of what anybody has, and how many were measured, flagged, refused and why.

    Flags that differ in their numbers alone are counted together, with dots in their place.
    """
    counts = {"all": 0, "measured": 0, "flagged": 0, "pictures": 0}
    reasons: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    texts: dict[str, str] = {}
    elsewhere = COLUMNS.keys() - {"recordings", "samples"}
    columns = [column for column in read_columns(table) if column.name not in elsewhere]
    filled: set[str] = set()
    for row in _lines(table):
        filled.update(column.name for column in columns if row.get(column.name))
        counts["all"] += 1
        reason = row.get("reason") or ""
        counts["measured"] += not reason
        counts["flagged"] += bool(row.get("flags"))
        counts["pictures"] += bool(row.get("sheet"))
        if reason:
            reasons[reason] += 1
        for flag in filter(None, (row.get("flags") or "").split("; ")):
            alike = _NUMBER.sub("…", flag)
            texts[alike] = flag if texts.get(alike, flag) == flag else alike
            flags[alike] += 1
    answer = Counter({texts[alike]: n for alike, n in flags.items()})
    return [column for column in columns if column.name in filled], counts, reasons, answer


def _rows(table: Path, columns: Sequence[Column], n_pictures: int) -> Iterator[Row]:
    for row in _lines(table):
        sheet = row.get("sheet") or ""
        picture = ""
        if sheet and n_pictures:
            picture = _inline(_thumbnail_of(table.parent / sheet))
            n_pictures -= bool(picture)
        yield Row(
            row["id"], row.get("patient") or "",
            tuple(short(row[column.name]) for column in columns),
            tuple(filter(None, (row.get("flags") or "").split("; "))),
            row.get("reason") or "", sheet, picture,
        )  # fmt: skip


def _opened(table: Path) -> Iterator[Open]:
    from PIL import Image

    for number, row in enumerate(_lines(table), start=1):
        sheet = table.parent / (row.get("sheet") or "")
        if sheet.is_file():
            with Image.open(sheet) as picture:
                dots = picture.info.get("dpi", (DPI, DPI))[0]
                width_mm = picture.width / dots * _MM
            yield Open(number, row["id"], _inline(sheet), round(width_mm, 1))


def _thumbnail_of(sheet: Path) -> Path:
    return sheet.parent / THUMBNAILS / f"{sheet.stem}.jpg"


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii") if file.is_file() else ""
