"""A picture of loops before and after, for the eye of the one who de-identifies them.

The left half shows what was burned in: the sheet identifies patients and belongs beside the
originals.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_core.errors import ConfigError
from cardio_core.io.atomic import replacing
from cardio_core.ultrasound.readers.checks import not_installed

MAX_ROWS = 40
"""Loops on a sheet; the first ones are shown."""

_WIDTH_PX = 360
_GAP_PX, _TITLE_PX = 6, 16
_OUTLINE = (255, 200, 0)

Picture = NDArray[np.uint8]


class Sheet:
    """Rows of two pictures: a loop's first frame with the sector's outline, and what is left of it.

    Examples
    --------
    >>> sheet = Sheet()
    >>> frame, mask = np.full((40, 60), 90, np.uint8), np.ones((40, 60), np.bool_)
    >>> sheet.add("p0001_01", frame, frame, mask)
    >>> sheet.picture().shape
    (262, 732, 3)
    """

    def __init__(self) -> None:
        self._rows: list[Picture] = []

    def add(self, title: str, before: Picture, after: Picture, mask: NDArray[np.bool_]) -> None:
        """Add one loop; frames are grey (n_rows, n_columns) or RGB (n_rows, n_columns, 3)."""
        if len(self._rows) >= MAX_ROWS:
            return
        left = _rgb(before)
        left[mask & ~ndimage.binary_erosion(mask)] = _OUTLINE
        pictures = [_sized(left), _sized(_rgb(after))]
        gap = np.zeros((pictures[0].shape[0], 2 * _GAP_PX, 3), np.uint8)
        row = np.concatenate([pictures[0], gap, pictures[1]], axis=1)
        self._rows.append(np.concatenate([_title(title, row.shape[1]), row]))

    def picture(self) -> Picture:
        """Return the sheet, RGB, shape (n_rows, n_columns, 3)."""
        space = np.zeros((_GAP_PX, 2 * (_WIDTH_PX + _GAP_PX), 3), np.uint8)
        return np.concatenate([part for row in self._rows for part in (row, space)])

    def save(self, path: Path) -> None:
        """Write the sheet as PNG; only its owner may read it."""
        from PIL import Image

        if not self._rows:
            return
        with replacing(path) as temporary:
            temporary.touch(mode=0o600)
            Image.fromarray(self.picture()).save(temporary, "PNG")


def require_png(path: Path) -> None:
    """Check before the work that a sheet can be written there.

    Raises
    ------
    ConfigError
        Another suffix, or no Pillow.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--sheet: expected a .png file, found {path.suffix or 'no suffix'}")
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise not_installed("--sheet", "Pillow", "dicom") from None


def _rgb(frame: Picture) -> Picture:
    return np.repeat(frame[..., None], 3, axis=-1) if frame.ndim == 2 else frame.copy()


def _sized(picture: Picture) -> Picture:
    from PIL import Image

    height = max(round(picture.shape[0] * _WIDTH_PX / picture.shape[1]), 1)
    return np.asarray(Image.fromarray(picture).resize((_WIDTH_PX, height)))


def _title(text: str, width: int) -> Picture:
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (width, _TITLE_PX))
    ImageDraw.Draw(page).text((2, 1), text, fill=(255, 255, 255), font=ImageFont.load_default(11))
    return np.array(page, dtype=np.uint8)
