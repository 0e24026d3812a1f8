"""The type of an ultrasound loop: what is known about it, and its frames one by one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError, unusable

TimeSource = Literal[
    "FrameTime", "FrameTimeVector", "file", "json", "stated", "container", "unconfirmed"
]
RSource = Literal["stated", "json", "file", "RWaveTimeVector", "waveform", "curve", "picture"]


class FrameSource(Protocol):
    """Where frames come from; holds a path and offsets, never frames or an open file.

    The path is private: a loop reaches `preprocess`, which must not find the folder by it.
    """

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield frames in ascending order: grey (rows, columns) or RGB (rows, columns, 3)."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; `bottom` and `right` lie one past the last pixel.

    Examples
    --------
    >>> box = Box(top=10, bottom=200, left=20, right=300)
    >>> box.height, box.width, np.zeros((240, 320))[box.window].shape
    (190, 280, (190, 280))
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def window(self) -> tuple[slice, slice]:
        """Slices of rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class BeamSector:
    """The sector of a scan-converted loop, as its beams say.

    Attributes
    ----------
    apex_row, apex_column : float
        Where the beams meet, in pixels from the centre of pixel (0, 0); may lie outside.
    low_rad, high_rad : float
        First and last beam, from straight down, positive to the right.
    near_mm, far_mm : float
        First and last depth from the apex.
    """

    apex_row: float
    apex_column: float
    low_rad: float
    high_rad: float
    near_mm: float
    far_mm: float


@dataclass(frozen=True, eq=False)
class Loop:
    """One ultrasound loop. Nothing is decoded before `frames` is asked.

    Attributes
    ----------
    name : str
        The file's name, for messages to the person who runs it; never for outputs.
    source : FrameSource
        What decodes the frames.
    n_frames : int
        At least 2.
    size : tuple of int
        Rows and columns.
    frame_times_ms : ndarray, shape (n_frames,)
        Of every frame from the first, ascending from 0.
    time_source : str
        ``FrameTime`` or ``FrameTimeVector`` of the header, ``file`` (a polar array's own),
        ``json`` beside the file, ``stated`` by the caller, ``container`` of a video whose times
        somebody says are those of the acquisition, ``unconfirmed`` where nobody does.
    mm_per_pixel : tuple of float or None
        Distance of neighbouring rows, and of neighbouring columns; None where nothing says it.
    region : Box or None
        The two-dimensional tissue region, inside the image.
    r_times_ms : ndarray or None
        R peaks from the first frame, ascending; None where nothing tells them.
    r_source : str or None
        Where they come from.
    heart_rate_bpm : float or None
        As the header says.
    colour_doppler : bool
        Whether colours cover the tissue: not a B-mode loop.
    sector : BeamSector or None
        Known for polar arrays only.
    flags : tuple of str
        What a reader of the results should know.

    Examples
    --------
    >>> from cardio_ultrasound.readers.arrays import ArraySource
    >>> frames = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((3, 4, 5), np.uint8)
    >>> loop = Loop("made", ArraySource(frames), 3, (4, 5), np.array([0.0, 20.0, 40.0]), "stated")
    >>> loop.frame_rate_hz, [int(frame.max()) for frame in loop.frames(step=2)]
    (50.0, [0, 2])
    >>> loop.stack(1, 3).shape, loop.frame(1, colour=True).shape
    ((2, 4, 5), (4, 5, 3))
    """

    name: str
    source: FrameSource = field(repr=False)
    n_frames: int
    size: tuple[int, int]
    frame_times_ms: NDArray[np.float64] = field(repr=False)
    time_source: TimeSource
    mm_per_pixel: tuple[float, float] | None = None
    region: Box | None = None
    r_times_ms: NDArray[np.float64] | None = field(default=None, repr=False)
    r_source: RSource | None = None
    heart_rate_bpm: float | None = None
    colour_doppler: bool = False
    sector: BeamSector | None = None
    flags: tuple[str, ...] = ()

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second: 1 / the median distance of two frames."""
        return 1000.0 / float(np.median(np.diff(self.frame_times_ms)))

    @property
    def duration_ms(self) -> float:
        """Time from the first frame to the last."""
        return float(self.frame_times_ms[-1])

    def frames(
        self, start: int = 0, stop: int | None = None, step: int = 1, *, colour: bool = False
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield frames one by one, so that memory stays that of one frame.

        Parameters
        ----------
        start, stop, step : int
            As of a slice; `step` at least 1.
        colour : bool
            RGB instead of grey. Grey is the luma Y of ITU-R BT.601.

        Yields
        ------
        ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
            The caller may change it.

        Raises
        ------
        ValueError
            A step below 1.
        DataError
            A frame that cannot be decoded, or that is not of the claimed size.
        """
        if step < 1:
            raise ValueError(f"step must be at least 1, not {step}")
        return self.source.frames(range(self.n_frames)[start:stop:step], colour=colour)

    def frame(self, index: int, *, colour: bool = False) -> NDArray[np.uint8]:
        """Return one frame, counted from 0."""
        if not 0 <= index < self.n_frames:
            raise IndexError(f"frame {index} of a loop of {self.n_frames}")
        return next(iter(self.frames(index, index + 1, colour=colour)))

    def stack(
        self, start: int = 0, stop: int | None = None, step: int = 1, *, colour: bool = False
    ) -> NDArray[np.uint8]:
        """Return frames as one array, shape (n, rows, columns) or (n, rows, columns, 3)."""
        chosen = range(self.n_frames)[start:stop:step]
        array = np.empty((len(chosen), *self.size, *((3,) if colour else ())), dtype=np.uint8)
        for place, frame in zip(array, self.frames(start, stop, step, colour=colour), strict=True):
            place[...] = frame
        return array


# When every frame was acquired.
#
# FrameTime and FrameTimeVector are times of acquisition. CineRate and RecommendedDisplayFrameRate
# say how fast a viewer should play, and are not used.
#
# References
# ----------
# DICOM PS3.3 C.7.6.5 (Cine), C.7.6.6 (Multi-frame: frame increment pointer).

MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 2000.0
"""Rates outside are impossible for ultrasound; seconds written for milliseconds come out here."""

IRREGULAR_SHARE = 0.1
"""Distances of frames that differ by more than this share of their median are flagged."""

_VECTOR, _TIME = 0x00181065, 0x00181063
STATE_IT = "state the rate with frame_rate_hz, or in the file's JSON"


def times_of_rate(name: str, n_frames: int, frame_rate_hz: float) -> NDArray[np.float64]:
    """Return equal times for a stated rate.

    From 1 to 2000 Hz; times are in ms from the first frame, shape (n_frames,).

    Raises
    ------
    DataError
        A rate outside.

    Examples
    --------
    >>> times_of_rate("a.avi", 3, 50.0)
    array([ 0., 20., 40.])
    """
    if not MIN_RATE_HZ <= frame_rate_hz <= MAX_RATE_HZ:  # NaN is outside as well
        raise unusable(
            name,
            f"{MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} frames a second",
            f"{frame_rate_hz:g}",
            "state the rate of acquisition in Hz, a frame time in ms",
            code="out_of_range",
        )
    return np.arange(n_frames, dtype=np.float64) * (1000.0 / frame_rate_hz)


def checked_times(name: str, n_frames: int, times_ms: Sequence[float]) -> NDArray[np.float64]:
    """Check times of frames that a file or a caller states, and begin them at 0.

    Raises
    ------
    DataError
        Not one for every frame, not finite, not ascending, or an impossible rate.

    Examples
    --------
    >>> checked_times("a.npz", 3, [5.0, 25.0, 46.0])
    array([ 0., 20., 41.])
    """
    times = np.asarray(times_ms, dtype=np.float64).ravel()
    if times.size != n_frames:
        raise unusable(
            name,
            f"{n_frames} frame times, one a frame",
            f"{times.size}",
            "correct the times",
            code="mismatch",
        )
    steps = np.diff(times)
    if not np.isfinite(times).all() or not (steps > 0).all():
        raise unusable(
            name, "finite frame times in ascending order, in ms", "others", "correct the times"
        )
    times_of_rate(name, 2, 1000.0 / float(np.median(steps)))  # checks the rate
    from_first: NDArray[np.float64] = times - times[0]
    return from_first


def checked_r_times(name: str, r_times_ms: Sequence[float]) -> NDArray[np.float64]:
    """Check stated R peaks.

    Examples
    --------
    >>> checked_r_times("a.dcm", [80.0, 920.0])
    array([ 80., 920.])
    """
    times = np.asarray(r_times_ms, dtype=np.float64).ravel()
    if not times.size or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise unusable(
            name,
            "R peaks in ascending order, in ms from the first frame",
            "none" if not times.size else "others",
            "correct r_times_ms",
        )
    return times


def header_times(
    dataset: Any, name: str, n_frames: int
) -> tuple[NDArray[np.float64], TimeSource] | None:
    """Read the times of a DICOM loop's frames.

    Returned are times in ms from the first frame, and the element that says them: the one that the
    frame increment pointer names, else the vector, else FrameTime. None where there is neither.

    Raises
    ------
    DataError
        A vector that is not as long as the frames, steps that are not above 0, an impossible rate.
    """
    vector = _numbers(dataset.get("FrameTimeVector"))
    frame_ms = _numbers(dataset.get("FrameTime"))
    pointers = {int(tag) for tag in np.atleast_1d(dataset.get("FrameIncrementPointer") or [])}
    if vector.size > 1 and (_VECTOR in pointers or _TIME not in pointers):
        if vector.size != n_frames:
            length = "longer" if vector.size > n_frames else "shorter"
            raise unusable(
                name,
                f"a frame time vector of {n_frames} numbers",
                f"a {length} one, of {vector.size}",
                "export the loop again",
                code="mismatch",
            )
        # The first number belongs to the first frame and is 0 by the standard.
        return checked_times(name, n_frames, np.r_[0.0, np.cumsum(vector[1:])].tolist()), (
            "FrameTimeVector"
        )
    if frame_ms.size and frame_ms[0] > 0:
        return times_of_rate(name, n_frames, 1000.0 / float(frame_ms[0])), "FrameTime"
    return None


def no_times(name: str, *, with_cine_rate: bool = False) -> Exception:
    """Build the error for a loop that says no time."""
    found = "only a display rate (CineRate)" if with_cine_rate else "none"
    return unusable(name, "the time of every frame", found, STATE_IT, code="missing")


def irregular(times_ms: NDArray[np.float64]) -> bool:
    """Tell whether the distances of frames differ.

    Examples
    --------
    >>> irregular(np.array([0.0, 20.0, 40.0, 61.0])), irregular(np.array([0.0, 20.0, 60.0]))
    (False, True)
    """
    steps = np.diff(times_ms)
    middle = float(np.median(steps))
    return bool(np.abs(steps - middle).max() > IRREGULAR_SHARE * middle)


def _numbers(value: Any) -> NDArray[np.float64]:
    """Return an element's numbers; none where it is missing or empty."""
    if value is None or value == "":
        return np.empty(0)
    return np.atleast_1d(np.asarray(value, dtype=np.float64))


# What is stated about a loop outside its file: by the caller, or in a JSON beside it.

Rate = float | Literal["container", "unconfirmed"] | None

UNCONFIRMED = (
    "frame times are the video's own: how fast it plays, which may not be how it was acquired"
)
"""Flag of a loop whose `time_source` is ``unconfirmed``."""

LOOP_SUFFIXES = (".dcm", ".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".npy", ".npz", ".h5")
"""Suffixes that the JSON's name replaces; a name with another keeps it and adds ``.json``."""

_MAX_JSON_BYTES = 10_000_000
_DIFFERENT = 0.01
_KEYS = ("frame_rate_hz", "frame_times_ms", "mm_per_pixel", "r_times_ms")


@dataclass(frozen=True, eq=False)
class Stated:
    """What the caller says, and what the JSON beside the file says where the caller is silent.

    `frame_rate_hz` is that of acquisition; ``"container"`` trusts a video's own, ``"unconfirmed"``
    takes it with a flag. Times are in ms from the first frame, `mm_per_pixel` is the distance of
    rows, and of columns. `time_source` and `r_source` say who said it: ``stated`` or ``json``.
    """

    frame_rate_hz: Rate = None
    frame_times_ms: Sequence[float] | None = None
    mm_per_pixel: tuple[float, float] | None = None
    r_times_ms: Sequence[float] | None = None
    time_source: TimeSource = "stated"
    r_source: RSource = "stated"

    def times(
        self,
        name: str,
        n_frames: int,
        found: tuple[NDArray[np.float64], TimeSource] | None,
        *,
        with_cine_rate: bool = False,
    ) -> tuple[NDArray[np.float64], TimeSource, tuple[str, ...]]:
        """Choose the times of the frames; what is stated goes before what the file says.

        Returned are times in ms, their source, and flags.

        Raises
        ------
        DataError
            Neither says a time, or an impossible one.
        """
        if self.frame_times_ms is not None:
            own = checked_times(name, n_frames, self.frame_times_ms)
        elif isinstance(self.frame_rate_hz, int | float):
            own = times_of_rate(name, n_frames, float(self.frame_rate_hz))
        elif found is None:
            raise no_times(name, with_cine_rate=with_cine_rate)
        else:
            times, source = found
            flags = ["frame times taken from the video's container"] * (source == "container")
            flags += [UNCONFIRMED] * (source == "unconfirmed")
            return times, source, (*flags, *_regularity(times))
        flags = []
        if found is not None:
            rates = [1000.0 / float(np.median(np.diff(times))) for times in (own, found[0])]
            if abs(rates[0] - rates[1]) > _DIFFERENT * rates[1]:
                flags.append(
                    f"frame rate stated as {rates[0]:.4g} Hz, where the file says {rates[1]:.4g} Hz"
                )
        return own, self.time_source, (*flags, *_regularity(own))

    def r_peaks(self, name: str) -> tuple[NDArray[np.float64] | None, RSource | None]:
        """Return the stated R peaks and who stated them, or None twice.

        Raises
        ------
        DataError
            Times that are not finite or not ascending.
        """
        if self.r_times_ms is None:
            return None, None
        return checked_r_times(name, self.r_times_ms), self.r_source


def read_stated(
    path: Path,
    frame_rate_hz: Rate = None,
    r_times_ms: Sequence[float] | None = None,
    mm_per_pixel: tuple[float, float] | None = None,
) -> Stated:
    """Put together what the caller states and what the JSON beside the file does.

    The JSON is an object with any of ``frame_rate_hz`` (a number, or ``"container"`` for a video),
    ``frame_times_ms``, ``mm_per_pixel`` ([row, column]) and ``r_times_ms``; other keys belong to
    others. The JSON of ``a.avi`` is ``a.json``, that of ``IM0001`` is ``IM0001.json``. Times are in
    ms from the first frame; `mm_per_pixel` is the distance of rows, and of columns.

    Raises
    ------
    DataError
        A JSON that cannot be read, or a value of the wrong kind.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.json").write_text('{"frame_rate_hz": 50, "r_times_ms": [80, 920]}')
    >>> stated = read_stated(folder / "a.avi")
    >>> stated.frame_rate_hz, stated.r_times_ms, stated.r_source
    (50.0, (80.0, 920.0), 'json')
    """
    file = sidecar_of(path)
    fields = _read_object(file) if file.is_file() else {}
    values = {key: _value(fields, key, path) for key in _KEYS}
    # What nobody confirmed gives way to the JSON.
    file_times = values["frame_rate_hz"] or values["frame_times_ms"]
    caller_times = frame_rate_hz is not None and not (frame_rate_hz == "unconfirmed" and file_times)
    return Stated(
        frame_rate_hz=frame_rate_hz if caller_times else values["frame_rate_hz"],
        frame_times_ms=None if caller_times else values["frame_times_ms"],
        mm_per_pixel=_spacing(path, mm_per_pixel or values["mm_per_pixel"]),
        r_times_ms=values["r_times_ms"] if r_times_ms is None else tuple(r_times_ms),
        time_source="stated" if caller_times else "json",
        r_source="json" if r_times_ms is None else "stated",
    )


def sidecar_of(path: Path) -> Path:
    """Return where the JSON of a loop lies.

    Examples
    --------
    >>> sidecar_of(Path("a.avi")).name, sidecar_of(Path("1.2.840.55")).name
    ('a.json', '1.2.840.55.json')
    """
    replaced = path.suffix.lower() in (*LOOP_SUFFIXES, ".hdf5", ".dicom")
    return path.with_name((path.stem if replaced else path.name) + ".json")


def read_r_times(path: Path) -> tuple[float, ...]:
    """Read R peaks from a JSON with ``r_times_ms``: what `path_rpeaks` of a cohort table names.

    Returns
    -------
    tuple of float
        In ms from the loop's first frame.

    Raises
    ------
    DataError
        No such file, no JSON object, or no list of numbers under that key.
    """
    times = _value(_read_object(path), "r_times_ms", path)
    if times is None:
        raise unusable(
            path.name,
            "r_times_ms",
            "none",
            "list R peaks in ms from the first frame",
            code="missing",
        )
    return tuple(times)


def _regularity(times: NDArray[np.float64]) -> tuple[str, ...]:
    return ("irregular frame times",) if irregular(times) else ()


def _read_object(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise unusable(file.name, "a JSON file", "none", "check the path") from None
    except (ValueError, RecursionError):
        raise unusable(file.name, "a JSON object", "something else", "correct the file") from None
    if not isinstance(value, dict):
        raise unusable(file.name, "a JSON object", "another value", "correct the file")
    return value


def _value(fields: dict[str, Any], key: str, path: Path) -> Any:
    """Check one value of the JSON: a number, or a tuple of numbers."""
    value = fields.get(key)
    if value is None or (key == "frame_rate_hz" and value == "container"):
        return value
    single = key == "frame_rate_hz"
    numbers = [value] if single else value
    if not isinstance(numbers, list) or not all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in numbers
    ):
        expected = "a number" if single else "a list of numbers"
        raise unusable(
            sidecar_of(path).name, f"{expected} as {key}", "another value", "correct the file"
        )
    return float(value) if single else tuple(float(number) for number in numbers)


def _spacing(path: Path, spacing: Sequence[float] | None) -> tuple[float, float] | None:
    if spacing is None:
        return None
    if len(spacing) != 2 or not all(np.isfinite(mm) and mm > 0 for mm in spacing):
        raise DataError(
            f"{path.name}: expected mm_per_pixel as two distances above 0, of rows and of columns, "
            "found others; correct them"
        )
    return float(spacing[0]), float(spacing[1])


# Reasons without the names of files: people are named in them, and outputs must name nobody.


def nameless(reason: str, *paths: Path) -> str:
    """Take the names of files out of a reason that goes to an output.

    Parameters
    ----------
    reason : str
        One line, ``NAME: expected ..., found ...; what to do``.
    *paths : Path
        The loop, and the files that belong to it.

    Returns
    -------
    str
        From "expected" on, or all that follows the name. Where one of the names, that of a JSON
        beside a file or that of its folder still stands in it, a sentence that says no more than
        that the loop cannot be used.

    Examples
    --------
    >>> nameless("ASHDOWN.avi: expected 8 frames, found 3; export it again", Path("ASHDOWN.avi"))
    'expected 8 frames, found 3; export it again'
    >>> nameless("cannot open ASHDOWN.avi", Path("ASHDOWN.avi"))
    'expected a loop that can be read, found another file; look at it'
    """
    names = [name for path in paths for name in (path.name, sidecar_of(path).name)]
    text = reason
    for name in names:
        text = text.removeprefix(name)
    begins = text.find("expected ")
    text = text[begins:] if begins >= 0 else text.lstrip(": ")
    names += [str(Path(os.path.realpath(path)).parent) for path in paths]
    leaks = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
    return "expected a loop that can be read, found another file; look at it" if leaks else text
