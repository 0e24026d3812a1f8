"""What has to be known of a loop beside its frames: by its header, or as a person states it.

Nothing is decoded here: of a DICOM file the header is read, of a video its container.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cardio_core.api import Block, Fact
from cardio_stats.errors import ConfigError, DataError
from cardio_ultrasound.loop import Rate, Stated, header_times, read_stated
from cardio_ultrasound.options import FRAME_RATE, MM_PER_PIXEL
from cardio_ultrasound.readers.read import VIDEO_SUFFIXES, is_dicom
from cardio_ultrasound.views import VIEW_TITLES

_HEADER = ("NumberOfFrames", "FrameTime", "FrameTimeVector", "FrameIncrementPointer",
           "SequenceOfUltrasoundRegions")  # fmt: skip
_RATE, _SPACING, _VIEW = "frame_rate_hz", "mm_per_pixel", "view"
_UNTIMED = (*VIDEO_SUFFIXES, ".npy")


class LoopFactsBlock(Block):
    """What is stated of loops whose files do not say it."""

    frame_rate_hz: Annotated[float, Field(gt=0)] | Literal["container"] | None = Field(
        None,
        description="of AVI, MP4 and NPY loops, whose files do not say it; container: videos play "
        "as they were acquired",
    )
    mm_per_pixel: tuple[float, float] | None = Field(
        None,
        json_schema_extra={"unit": "mm"},
        description="distance of rows, and of columns, of loops whose files do not say it",
    )


@dataclass(frozen=True)
class LoopFacts:
    """What is stated of one loop, and what it lacks.

    Attributes
    ----------
    frame_rate_hz : float, "container", "unconfirmed" or None
        As `read_loop` takes it.
    mm_per_pixel : tuple of float or None
        Distance of rows, and of columns; None where the file says it, or nobody does.
    view : str
        As a person names it; empty where nobody does.
    facts : tuple of Fact
        All of it, for the table of what is missing.
    """

    frame_rate_hz: Rate = None
    mm_per_pixel: tuple[float, float] | None = None
    view: str = ""
    facts: tuple[Fact, ...] = ()


def stated_for(path: Path, block: LoopFactsBlock) -> LoopFacts:
    """Return what a configuration states of a loop whose format does not say it: not of DICOM.

    Examples
    --------
    >>> block = LoopFactsBlock(frame_rate_hz=50.0)
    >>> stated_for(Path("a.avi"), block).frame_rate_hz, stated_for(Path("a.dcm"), block)
    (50.0, LoopFacts(frame_rate_hz=None, mm_per_pixel=None, view='', facts=()))
    """
    if path.suffix.lower() not in _UNTIMED:
        return LoopFacts()
    return LoopFacts(block.frame_rate_hz, block.mm_per_pixel)


def facts_of_loop(
    path: Path,
    block: LoopFactsBlock,
    cells: Mapping[str, str],
    *,
    view: str = "",
    without: Mapping[str, str] | None = None,
) -> LoopFacts:
    """Put together what the file of a new loop says and what a person states of it.

    Parameters
    ----------
    path : Path
        The loop.
    block : LoopFactsBlock
        What is stated of all loops: it counts where the file says nothing.
    cells : mapping of str to str
        What is stated of this one, by the columns frame_rate_hz, mm_per_pixel ("ROW,COLUMN" or one
        number) and view: it counts before the file.
    view : str
        What looks for the view where nobody names it: "looked at", say. Empty where no view counts.
    without : mapping of str to str, optional
        What is made of a loop without each of them, by column.

    Raises
    ------
    ConfigError
        A cell that is none of these.
    """
    recorded = _in_file(path)
    rate, spacing, named = _rate_of(cells), _spacing_of(cells), _view_of(cells)
    # A template that was given back repeats what the file says: that is no statement.
    rate = None if _typed(rate) == recorded.rate[0] else rate
    spacing = None if _typed(spacing) == recorded.spacing[0] else spacing
    lacks = dict(without or {})
    facts = (
        _fact(_RATE, "Frame rate (Hz)", recorded.rate, _typed(rate), block.frame_rate_hz,
              FRAME_RATE, lacks, recorded.plays),
        _fact(_SPACING, "Pixel spacing (mm)", recorded.spacing, _typed(spacing), block.mm_per_pixel,
              MM_PER_PIXEL, lacks, ""),
        *([Fact(_VIEW, "View", named, "stated" if named else view)] if view else []),
    )  # fmt: skip
    if rate is None and not recorded.rate[0]:
        rate = block.frame_rate_hz or ("unconfirmed" if recorded.plays else None)
    if spacing is None and not recorded.spacing[0]:
        spacing = block.mm_per_pixel
    return LoopFacts(rate, spacing, named, facts)


@dataclass(frozen=True)
class _InFile:
    """What a file says: value and source of each, and how fast a video plays."""

    rate: tuple[str, str] = ("", "")
    spacing: tuple[str, str] = ("", "")
    plays: str = ""


def _in_file(path: Path) -> _InFile:
    """Look at a header; what is damaged says nothing, and is refused when it is opened."""
    try:
        stated = read_stated(path)
        if is_dicom(path):
            return _with_json(_of_dicom(path), stated)
        if path.suffix.lower() in VIDEO_SUFFIXES:
            from cardio_ultrasound.readers.video import rate_of_container

            rate_hz = rate_of_container(path)
            plays = "" if rate_hz is None else f"plays at {rate_hz:.4g}"
            return _with_json(_InFile(plays=plays), stated)
        if path.suffix.lower() == ".npy":
            return _with_json(_InFile(), stated)
    except DataError:
        return _InFile()
    # Beams carry both in their arrays.
    return _InFile(("its own", "file"), ("its own", "file"))


def _of_dicom(path: Path) -> _InFile:
    import pydicom

    from cardio_ultrasound.readers.dicom import read_regions

    rate, spacing = ("", ""), ("", "")
    try:
        with warnings.catch_warnings():  # they may quote values
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_HEADER))
            n_frames = int(dataset.get("NumberOfFrames") or 1)
            timed = header_times(dataset, path.name, n_frames) if n_frames > 1 else None
            region = read_regions(dataset, path.name).tissue
    except Exception:  # of whatever kind: it is refused, in our words, when it is opened
        return _InFile()
    if timed is not None:
        steps = sorted(timed[0][1:] - timed[0][:-1])
        rate = (f"{1000.0 / float(steps[len(steps) // 2]):.4g}", timed[1])
    if region is not None and region.mm_per_pixel is not None:
        spacing = (_pair(region.mm_per_pixel), "DICOM")
    return _InFile(rate, spacing)


def _with_json(recorded: _InFile, stated: Stated) -> _InFile:
    rate, spacing = recorded.rate, recorded.spacing
    if stated.frame_rate_hz is not None:
        rate = (_typed(stated.frame_rate_hz), "JSON")
    elif stated.frame_times_ms is not None:
        rate = ("times of every frame", "JSON")
    if stated.mm_per_pixel is not None:
        spacing = (_pair(stated.mm_per_pixel), "JSON")
    return _InFile(rate, spacing, recorded.plays)


def _fact(
    name: str, title: str, recorded: tuple[str, str], cell: str, for_all: Any, option: str,
    without: Mapping[str, str], instead: str,
) -> Fact:  # fmt: skip
    value, source = (cell, "stated") if cell and cell != recorded[0] else recorded
    if not value and for_all is not None:
        value, source = _typed(for_all), "stated"
    lost = without.get(name, "")
    return Fact(name, title, value, source or instead, not value, option, lost)


def _typed(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return _pair(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _pair(mm: tuple[float, float]) -> str:
    return f"{mm[0]:.4g},{mm[1]:.4g}"


def _rate_of(cells: Mapping[str, str]) -> Rate:
    text = cells.get(_RATE, "")
    if text in ("", "times of every frame", "its own"):
        return None
    if text == "container":
        return "container"
    (number,) = _numbers(text, _RATE, "a number above 0, or container", 1)
    return number


def _spacing_of(cells: Mapping[str, str]) -> tuple[float, float] | None:
    text = cells.get(_SPACING, "")
    if text in ("", "its own"):
        return None
    found = _numbers(text, _SPACING, "one number above 0, or two: ROW,COLUMN", 2)
    return found[0], found[-1]


def _view_of(cells: Mapping[str, str]) -> str:
    text = cells.get(_VIEW, "")
    if text and text not in VIEW_TITLES:
        raise ConfigError(f"--facts: expected {', '.join(VIEW_TITLES)} as view, found another word")
    return text


def _numbers(text: str, name: str, expected: str, most: int) -> list[float]:
    parts = text.replace(";", ",").replace("×", ",").split(",")
    try:
        found = [float(part) for part in parts]
    except ValueError:
        found = []
    if not 0 < len(found) <= most or not all(math.isfinite(item) and item > 0 for item in found):
        raise ConfigError(f"--facts: expected {expected} as {name}, found another value")
    return found
