"""A loop as its file holds it: mirrored, on a screen, through a codec; and where its points are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.ultrasound.phantoms.codec import with_chroma_noise
from cardio_core.ultrasound.phantoms.conditions import Conditions
from cardio_core.ultrasound.phantoms.screens.layouts import SCREEN_LAYOUTS
from cardio_core.ultrasound.phantoms.screens.screen import SAID, draw_screen
from cardio_core.ultrasound.phantoms.sector import Sector

Ecg = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class OnScreen:
    """What the file holds.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns) or (..., 3)
        Grey, or RGB where print or a codec has colour.
    offset_px : tuple of int
        Rows and columns by which the picture was moved.
    """

    frames: NDArray[np.uint8]
    offset_px: tuple[int, int]

    def place(self, pixel: ArrayLike) -> NDArray[np.float64]:
        """Return where points (row, column) of the picture are, mirrored already if it is."""
        moved: NDArray[np.float64] = np.asarray(pixel, dtype=np.float64) + self.offset_px
        return moved


def mirrored_px(pixel: ArrayLike, sector: Sector) -> NDArray[np.float64]:
    """Return points (row, column) of a picture in its mirror image.

    Examples
    --------
    >>> mirrored_px([3.0, 0.0], Sector(n_columns=288)).tolist()
    [3.0, 287.0]
    """
    place = np.array(pixel, dtype=np.float64)
    place[..., 1] = sector.n_columns - 1 - place[..., 1]
    return place


def on_screen(
    frames: NDArray[np.uint8],
    time_s: NDArray[np.float64],
    sector: Sector,
    conditions: Conditions,
    rng: np.random.Generator,
    *,
    ecg: Ecg,
    r_times_ms: Sequence[float] = (),
    said: Mapping[str, str] = SAID,
) -> OnScreen:
    """Draw the screen and the codec's noise of a recording.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
        The picture, mirrored already if it is.
    time_s : ndarray, shape (n_frames,)
    sector : Sector
        Where it lies.
    conditions : Conditions
        Of them `layout` and `chroma_sd`.
    rng : numpy.random.Generator
        Draws the codec's noise.
    ecg : callable
        The voltage in mV at any time in ms.
    r_times_ms : sequence of float
        Beats that are marked.
    said : mapping of str to str
        Name, number and hospital on the screen.

    Returns
    -------
    OnScreen
        Unchanged where there is neither screen nor noise.
    """
    offset = (0, 0)
    if conditions.layout:
        layout = SCREEN_LAYOUTS[conditions.layout]
        screen = draw_screen(
            frames, 1000.0 * time_s, sector, layout, ecg=ecg, r_times_ms=r_times_ms, said=said
        )
        frames = screen.frames
        offset = (
            round(screen.apex[0] - sector.apex_row),
            round(screen.apex[1] - sector.apex_column),
        )
    if conditions.chroma_sd:
        frames = with_chroma_noise(frames, rng, sd=conditions.chroma_sd)
    return OnScreen(frames, offset)
