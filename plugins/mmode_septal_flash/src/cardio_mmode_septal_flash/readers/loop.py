"""A loop and what belongs to it: its septum and its R peaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cardio_core.api import DataError
from cardio_core.ultrasound import Loop, nameless, read_loop, read_r_times, sidecar_of
from cardio_mmode_septal_flash.readers.septum import read_septum
from cardio_mmode_septal_flash.septum.polyline import Septum


@dataclass(frozen=True)
class LoopFiles:
    """The files of one loop.

    Attributes
    ----------
    loop : Path
        The recording.
    septum, r_peaks : Path or None
        JSON files that belong to it.
    frame_rate_hz : float or None
        Stated for formats that do not say it.
    """

    loop: Path
    septum: Path | None = None
    r_peaks: Path | None = None
    frame_rate_hz: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Everything that decides what is made of the loop."""
        beside = sidecar_of(self.loop)
        found = (self.septum, self.r_peaks, beside if beside.is_file() else None)
        return (self.loop, *(path for path in found if path is not None))


@dataclass(frozen=True)
class OpenedLoop:
    """A loop whose frames are not decoded yet, and the septum that somebody drew in it."""

    loop: Loop
    septum: Septum | None


def open_loop(files: LoopFiles) -> OpenedLoop:
    """Open a loop and read its septum; no frame but a few is decoded.

    Raises
    ------
    DataError
        It cannot be used, or it is colour Doppler. The reason goes to the run's outputs and names
        no file.
    """
    try:
        r_times = None if files.r_peaks is None else read_r_times(files.r_peaks)
        loop = read_loop(files.loop, frame_rate_hz=files.frame_rate_hz, r_times_ms=r_times)
        septum = None
        if files.septum is not None and loop.mm_per_pixel is not None:
            septum = read_septum(files.septum, loop.mm_per_pixel)
    except DataError as error:
        raise DataError(nameless(str(error), *files.paths)) from None
    if loop.colour_doppler:
        raise DataError(
            "expected a grey B-mode loop, found colour Doppler, whose colours hide the septum; "
            "choose the clip without colour"
        )
    return OpenedLoop(loop, septum)
