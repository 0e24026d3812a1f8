"""The voxels of a DICOM NM image: decoded by pydicom, their rescaling undone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from cardio_core.api import DataError

_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_AGAIN = "export the study again"


def decode(dataset: Any, name: str, n_frames: int) -> NDArray[Any]:
    """Decode all frames.

    Parameters
    ----------
    dataset : Dataset
        An NM image whose size has been checked.
    name : str
        The file's name.
    n_frames : int
        How many frames the header claims.

    Returns
    -------
    ndarray, shape (n_frames, n_rows, n_columns)
        Stored values.

    Raises
    ------
    DataError
        Colours; no pixel data, or less than claimed; a compression without a decoder; a stream
        that cannot be decoded.
    """
    n_rows, n_columns = int(dataset.Rows), int(dataset.Columns)
    if int(dataset.SamplesPerPixel) != 1:
        raise DataError.unusable(
            name, "one sample a pixel: counts", "colours", "export the slices, not a screenshot"
        )
    syntax = dataset.file_meta.TransferSyntaxUID
    data = next(
        (dataset[key].value for key in _PIXEL_DATA if key in dataset and dataset[key].value), None
    )
    if data is None:
        raise DataError.unusable(name, "pixel data", "none", _AGAIN)
    if not syntax.is_compressed:
        n_expected = n_frames * n_rows * n_columns * int(dataset.BitsAllocated) // 8
        if len(data) < n_expected:
            raise DataError.unusable(
                name,
                f"{n_expected} bytes of pixel data ({n_frames} frames)",
                f"{len(data)}",
                "copy or export the file again",
            )
    elif not _has_decoder(syntax):
        raise DataError.unusable(
            name,
            "a compression that an installed package decodes",
            "another one",
            "install the extra cardio-core[dicom], or store the file uncompressed",
        )
    try:
        frames: NDArray[Any] = dataset.pixel_array
    except Exception:  # texts may quote values
        raise DataError.unusable(
            name,
            "pixel data that can be decoded",
            "a damaged stream",
            "copy or export the file again",
        ) from None
    if frames.shape != (n_frames, n_rows, n_columns):
        raise DataError.unusable(
            name, f"{n_frames} frames of {n_rows} × {n_columns}", "others", _AGAIN
        )
    return frames


def _has_decoder(syntax: UID) -> bool:
    """Whether pydicom can decode a transfer syntax with what is installed."""
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def rescaled(dataset: Any, name: str, frames: NDArray[Any]) -> NDArray[np.float32]:
    """Undo the scaling of the stored values.

    Raises
    ------
    DataError
        A slope of 0 or below, or no number.
    """
    slope, intercept = (
        default if dataset.get(keyword) in (None, "") else float(dataset.get(keyword))
        for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if not (math.isfinite(slope) and slope > 0.0 and math.isfinite(intercept)):
        raise DataError.unusable(
            name,
            "a rescale slope above 0 and a finite intercept",
            "a slope of 0" if slope == 0.0 else "others",
            "correct the header or export the study again",
        )
    counts = frames.astype(np.float32)
    if (slope, intercept) != (1.0, 0.0):
        counts *= np.float32(slope)
        counts += np.float32(intercept)
    return counts
