"""One frame of a DICOM loop: from its bytes to grey levels or colours.

JPEG baseline goes to OpenCV where it is installed, else to Pillow; both leave the transform of
colours to libjpeg, which reads it from the stream. Everything else goes to pydicom's decoders.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
)

from cardio_core.compute.installing import install_extra
from cardio_core.errors import DataError, unusable
from cardio_core.types.unpacking.codestream import Codestream, read_codestream
from cardio_core.ultrasound.loops.colour import grey_or_rgb
from cardio_core.ultrasound.readers.frame_bytes import Place, read_frame

_WITH_CODESTREAM = (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes)
_AGAIN = "copy or export the file again"


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The image pixel module of a loop (PS3.3 C.7.6.3), and its transfer syntax."""

    transfer_syntax: str
    n_rows: int
    n_columns: int
    n_samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    planar: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        n_pixels = self.n_rows * self.n_columns
        if self.photometric == "YBR_FULL_422":  # two pixels share their colour: 2 bytes a pixel
            return n_pixels * 2
        return n_pixels * self.n_samples * self.bits_allocated // 8


@dataclass(frozen=True)
class DicomFrames:
    """The frames of one DICOM loop, decoded when they are asked for."""

    _path: Path
    places: tuple[tuple[Place, ...], ...]
    pixels: PixelFormat
    palette: NDArray[np.uint8] | None

    @property
    def backend(self) -> str:
        """``cv2`` or ``Pillow`` for JPEG baseline, else ``pydicom``."""
        if self.pixels.transfer_syntax != JPEGBaseline8Bit:
            return "pydicom"
        return "Pillow" if _cv2() is None else "cv2"

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield frames one by one; one compressed frame and one picture are in memory."""
        with self._path.open("rb") as file:
            for index in indices:
                data = read_frame(file, self.places[index])
                try:
                    yield self._decode(data, colour)
                except DataError as error:
                    raise DataError(f"{self._path.name}, frame {index + 1}: {error}") from None

    def _decode(self, data: bytes, colour: bool) -> NDArray[np.uint8]:
        if self.pixels.transfer_syntax == JPEGBaseline8Bit:
            frame, photometric = _decode_jpeg(data, self.pixels, colour=colour)
        else:
            frame, photometric = _decode_with_pydicom(data, self.pixels)
        if frame.shape[:2] != (self.pixels.n_rows, self.pixels.n_columns):
            raise DataError(f"expected a frame of the header's size, found another; {_AGAIN}")
        return grey_or_rgb(frame, photometric, colour=colour, palette=self.palette)


def require_decoder(name: str, transfer_syntax: str) -> None:
    """Check that frames of this compression can be decoded here.

    Raises
    ------
    DataError
        Video inside DICOM, or a decoder that is not installed; says what to do.
    """
    syntax = UID(transfer_syntax)
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        is_video = any(word in syntax.name for word in ("MPEG", "HEVC"))
        raise unusable(
            name,
            "frames that are stored raw or as RLE, JPEG, JPEG-LS or JPEG 2000",
            "video (MPEG or HEVC)" if is_video else "another compression",
            "store the loop uncompressed or as JPEG",
        ) from None
    if not available:
        raise unusable(
            name,
            "a compression with an installed decoder",
            syntax.name,
            f"{install_extra('dicom')}; for lossless JPEG {install_extra('gdcm')}",
        )


@cache
def _cv2() -> Any:
    try:
        import cv2
    except ImportError:
        return None
    return cv2


def _checked_stream(data: bytes, pixels: PixelFormat) -> Codestream:
    """Check a frame's own size, which its decoder would allocate, against the header's."""
    stream = read_codestream(data)
    if stream is None or (
        pixels.transfer_syntax in JPEGTransferSyntaxes and data.rfind(b"\xff\xd9") < 0
    ):
        raise DataError(f"expected a whole compressed frame, found a damaged one; {_AGAIN}")
    found = (stream.n_rows, stream.n_columns, stream.n_components)
    expected = (pixels.n_rows, pixels.n_columns, pixels.n_samples)
    if found != expected:
        raise DataError(
            "expected {} × {} pixels of {} samples, found {} × {} of {}; ".format(*expected, *found)
            + _AGAIN
        )
    return stream


def _decode_jpeg(
    data: bytes, pixels: PixelFormat, *, colour: bool
) -> tuple[NDArray[np.uint8], str]:
    """Decode JPEG baseline; grey frames come out of the stream's own Y, without its colours."""
    stream = _checked_stream(data, pixels)
    if pixels.n_samples == 3 and pixels.photometric == "RGB" and not stream.knows_colours:
        # Nothing in the stream says so, but the header does: libjpeg would guess YCbCr.
        return _decode_with_pillow(data, "YCbCr", convert=False), "RGB"
    as_grey = pixels.n_samples == 1 or not colour
    photometric = pixels.photometric if pixels.n_samples == 1 else ("Y" if as_grey else "RGB")
    cv2 = _cv2()
    if cv2 is None:
        return _decode_with_pillow(data, "L" if as_grey else "RGB", convert=True), photometric
    flags = cv2.IMREAD_GRAYSCALE if as_grey else cv2.IMREAD_COLOR
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        frame = None
    if frame is None:
        raise DataError(f"expected a JPEG frame, found a damaged one; {_AGAIN}")
    return frame if as_grey else cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), photometric


def _decode_with_pillow(data: bytes, mode: str, *, convert: bool) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            image.draft(mode, image.size)
            image.load()
            return np.array(image.convert(mode) if convert else image)
    except Exception:  # whatever a damaged stream makes of it
        raise DataError(f"expected a JPEG frame, found a damaged one; {_AGAIN}") from None


def _decode_with_pydicom(data: bytes, pixels: PixelFormat) -> tuple[NDArray[np.uint8], str]:
    """Decode one frame, and say in which colours it came back."""
    syntax = UID(pixels.transfer_syntax)
    photometric = pixels.photometric
    if syntax in _WITH_CODESTREAM:
        stream = _checked_stream(data, pixels)
        if syntax in JPEG2000TransferSyntaxes and stream.knows_colours:
            photometric = "YBR_RCT"  # the decoder undoes the transform, and says RGB
    source = encapsulate([data], has_bot=False) if syntax.is_encapsulated else data
    options: dict[str, Any] = {
        "rows": pixels.n_rows,
        "columns": pixels.n_columns,
        "number_of_frames": 1,
        "samples_per_pixel": pixels.n_samples,
        "photometric_interpretation": photometric,
        "bits_allocated": pixels.bits_allocated,
        "bits_stored": pixels.bits_stored,
        "pixel_representation": 0,
        "pixel_keyword": "PixelData",
    }
    if pixels.n_samples > 1:
        options["planar_configuration"] = pixels.planar
    try:
        with warnings.catch_warnings():  # pydicom's warnings may quote values
            warnings.simplefilter("ignore")
            frame, found = get_decoder(syntax).as_array(source, index=0, raw=True, **options)
    except Exception:  # a damaged stream; texts may quote values
        raise DataError(
            f"expected a frame that can be decoded, found a damaged one; {_AGAIN}"
        ) from None
    return _eight_bits(frame, pixels), str(found["photometric_interpretation"])


def _eight_bits(frame: NDArray[Any], pixels: PixelFormat) -> NDArray[np.uint8]:
    """Keep the top 8 of more bits; indices into a palette stay what they are."""
    if pixels.photometric == "PALETTE COLOR":
        return frame
    shift = max(pixels.bits_stored - 8, 0)
    return frame.astype(np.uint8) if shift == 0 else (frame >> shift).astype(np.uint8)
