"""DICOM ultrasound loops: US Multi-frame Image Storage.

Only the elements that are needed are read; names, dates and private elements are not.

References
----------
DICOM PS3.3 A.7 (US Multi-frame Image), C.7.6.3 (image pixel), C.8.5.5 and C.8.5.6.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import encapsulate, parse_basic_offsets, parse_fragments
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    UltrasoundMultiFrameImageStorage,
)

from cardio_core.compute.resource_errors import install_extra
from cardio_core.types.limits import Codestream, read_codestream, starts_frame
from cardio_stats.errors import DataError, unusable
from cardio_ultrasound.colour import (
    coloured_share,
    grey_or_rgb,
    is_colour_doppler,
    read_palette,
    spread_over,
)
from cardio_ultrasound.loop import Box, Loop, Stated, TimeSource, header_times
from cardio_ultrasound.r_peaks import CURVE_ELEMENTS, CURVE_GROUPS, read_r_peaks
from cardio_ultrasound.readers.limits import require_size

# Where in a DICOM file the bytes of every frame lie.
#
# References
# ----------
# DICOM PS3.5 A.4 (encapsulated pixel data), 8.1.1 (native pixel data); PS3.3 C.7.6.3.1.8 (extended
# offset table).

Place = tuple[int, int]
"""First byte in the file, and length."""

_FRAME_BYTES_AGAIN = "copy or export the file again"


def native_frames(
    name: str, start: int, n_bytes: int, n_frames: int, frame_bytes: int
) -> tuple[tuple[Place, ...], ...]:
    """Place the frames of uncompressed pixel data.

    It begins at byte `start`, and the file really holds `n_bytes` of it; the header claims
    `n_frames` of `frame_bytes` each. Each frame has one piece, as (first byte, length).

    Raises
    ------
    DataError
        Fewer bytes than claimed.

    Examples
    --------
    >>> native_frames("a.dcm", 100, 24, 2, 12)
    (((100, 12),), ((112, 12),))
    """
    if n_bytes < n_frames * frame_bytes:
        raise unusable(
            name,
            f"{n_frames * frame_bytes} bytes of pixel data ({n_frames} frames)",
            f"{n_bytes}",
            _FRAME_BYTES_AGAIN,
        )
    return tuple(((start + i * frame_bytes, frame_bytes),) for i in range(n_frames))


def encapsulated_frames(
    name: str, file: BinaryIO, n_bytes: int, n_frames: int, extended: Sequence[int]
) -> tuple[tuple[Place, ...], ...]:
    """Place the frames of compressed pixel data.

    The file stands at the first item, the basic offset table, and is `n_bytes` long; `extended` is
    the extended offset table, empty where there is none. Each frame has its fragments, as (first
    byte, length).

    Raises
    ------
    DataError
        Items that do not make up the claimed frames, or that end after the file.
    """
    try:
        basic = parse_basic_offsets(file)
        _, begins = parse_fragments(file)
        fragments = [_fragment(file, begin) for begin in begins]
    except (ValueError, struct.error):
        fragments = []
    if not fragments or sum(fragments[-1]) > n_bytes:
        raise unusable(
            name, "whole items of compressed frames", "a damaged or cut one", _FRAME_BYTES_AGAIN
        )
    if len(fragments) < n_frames:
        raise unusable(
            name, f"{n_frames} compressed frames", f"{len(fragments)} at most", _FRAME_BYTES_AGAIN
        )
    if len(fragments) == n_frames:
        return tuple((place,) for place in fragments)
    first = fragments[0][0] - 8  # offsets count from the first fragment's item tag
    offsets = {first + offset for offset in extended or basic}
    if offsets:
        is_start = [begin in offsets for begin in begins]
    else:
        is_start = [starts_frame(_bytes_at(file, place[0], 8)) for place in fragments]
    frames: list[list[Place]] = []
    for place, starts in zip(fragments, is_start, strict=True):
        if starts:
            frames.append([])
        if frames:
            frames[-1].append(place)
    if len(frames) != n_frames or not is_start[0]:
        raise unusable(
            name,
            f"{n_frames} compressed frames",
            f"{len(fragments)} fragments that make up {len(frames)}",
            _FRAME_BYTES_AGAIN,
        )
    return tuple(tuple(places) for places in frames)


def read_frame(file: BinaryIO, places: Sequence[Place]) -> bytes:
    """Read the bytes of one frame; short where the file has been cut since."""
    return b"".join(_bytes_at(file, *place) for place in places)


def _fragment(file: BinaryIO, begin: int) -> Place:
    """Place a fragment by the header of its item."""
    return begin + 8, *struct.unpack("<L", _bytes_at(file, begin + 4, 4))


def _bytes_at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)


# One frame of a DICOM loop: from its bytes to grey levels or colours.
#
# JPEG baseline goes to OpenCV; libjpeg undoes the transform of colours as the stream says. All else
# goes to the decoders of pydicom.

_WITH_CODESTREAM = (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes)
_PIXELS_AGAIN = "copy or export the file again"


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
            raise DataError(
                f"expected a frame of the header's size, found another; {_PIXELS_AGAIN}"
            )
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
            code="unsupported",
        ) from None
    if not available:
        raise unusable(
            name,
            "a compression with an installed decoder",
            syntax.name,
            f"{install_extra('dicom')}; for lossless JPEG {install_extra('gdcm')}",
            code="not_installed",
        )


def _checked_stream(data: bytes, pixels: PixelFormat) -> Codestream:
    """Check a frame's own size, which its decoder would allocate, against the header's."""
    stream = read_codestream(data)
    if stream is None or (
        pixels.transfer_syntax in JPEGTransferSyntaxes and data.rfind(b"\xff\xd9") < 0
    ):
        raise DataError(f"expected a whole compressed frame, found a damaged one; {_PIXELS_AGAIN}")
    found = (stream.n_rows, stream.n_columns, stream.n_components)
    expected = (pixels.n_rows, pixels.n_columns, pixels.n_samples)
    if found != expected:
        raise DataError(
            "expected {} × {} pixels of {} samples, found {} × {} of {}; ".format(*expected, *found)
            + _PIXELS_AGAIN
        )
    return stream


def _decode_jpeg(
    data: bytes, pixels: PixelFormat, *, colour: bool
) -> tuple[NDArray[np.uint8], str]:
    """Decode JPEG baseline; grey frames come out of the stream's own Y, without its colours."""
    stream = _checked_stream(data, pixels)
    if pixels.n_samples == 3 and pixels.photometric == "RGB" and not stream.knows_colours:
        # Nothing in the stream says so, but the header does: libjpeg would guess YCbCr.
        return _untransformed(data), "RGB"
    as_grey = pixels.n_samples == 1 or not colour
    photometric = pixels.photometric if pixels.n_samples == 1 else ("Y" if as_grey else "RGB")
    flags = cv2.IMREAD_GRAYSCALE if as_grey else cv2.IMREAD_COLOR
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        frame = None
    if frame is None:
        raise DataError(f"expected a JPEG frame, found a damaged one; {_PIXELS_AGAIN}")
    shown = frame if as_grey else cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    return np.asarray(shown, np.uint8), photometric


def _untransformed(data: bytes) -> NDArray[np.uint8]:
    """Decode JPEG baseline and leave its three components as they are stored."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            image.draft("YCbCr", image.size)
            return np.array(image)
    except Exception:  # whatever a damaged stream makes of it
        raise DataError(f"expected a JPEG frame, found a damaged one; {_PIXELS_AGAIN}") from None


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
            f"expected a frame that can be decoded, found a damaged one; {_PIXELS_AGAIN}"
        ) from None
    return _eight_bits(frame, pixels), str(found["photometric_interpretation"])


def _eight_bits(frame: NDArray[Any], pixels: PixelFormat) -> NDArray[np.uint8]:
    """Keep the top 8 of more bits; indices into a palette stay what they are."""
    if pixels.photometric == "PALETTE COLOR":
        return frame
    shift = max(pixels.bits_stored - 8, 0)
    return frame.astype(np.uint8) if shift == 0 else (frame >> shift).astype(np.uint8)


# Where in a DICOM ultrasound image the tissue is, and how large its pixels are.
#
# References
# ----------
# DICOM PS3.3 C.8.5.5 (US Region Calibration).

TWO_DIMENSIONAL, TISSUE, COLOUR_FLOW, CENTIMETRES = 1, 1, 2, 3
"""RegionSpatialFormat, RegionDataType and PhysicalUnits codes (C.8.5.5.1.1, 1.2, 1.15)."""

FACTORS = (3 / 4, 2 / 3, 5 / 8, 3 / 5, 1 / 2, 2 / 5, 3 / 8, 1 / 3, 1 / 4)
"""By how much exports shrink an image while they keep its header."""

_TOLERANCE = 0.02
_MIN_REACH = 0.75
_MOVING, _BRIGHT = 16, 32


@dataclass(frozen=True, slots=True)
class Region:
    """One item of the sequence of ultrasound regions, as the header writes it.

    First and last column and row are both inside; `mm_per_pixel` is the distance of rows, and of
    columns, None where the units are not cm.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    mm_per_pixel: tuple[float, float] | None

    def box(self, factor: float, n_rows: int, n_columns: int) -> Box:
        """Return the pixels inside the image, after scaling by `factor`."""
        return Box(
            top=max(round(self.y0 * factor), 0),
            bottom=min(round((self.y1 + 1) * factor), n_rows),
            left=max(round(self.x0 * factor), 0),
            right=min(round((self.x1 + 1) * factor), n_columns),
        )


@dataclass(frozen=True, slots=True)
class Regions:
    """What the header says of all regions.

    `tissue` is the largest two-dimensional tissue region; `colour_flow` says whether a
    two-dimensional region of colour flow is declared; `flags` what a reader of the results should
    know.
    """

    tissue: Region | None
    colour_flow: bool
    flags: tuple[str, ...]


def read_regions(dataset: Any, name: str) -> Regions:
    """Read the sequence of ultrasound regions.

    Raises
    ------
    DataError
        A tissue region without extent.
    """
    items = [
        item
        for item in dataset.get("SequenceOfUltrasoundRegions") or []
        if item.get("RegionSpatialFormat") == TWO_DIMENSIONAL
    ]
    colour_flow = any(item.get("RegionDataType") == COLOUR_FLOW for item in items)
    tissue = [_regions_region(item, name) for item in items if item.get("RegionDataType") == TISSUE]
    if not tissue:
        return Regions(None, colour_flow, ("no tissue region: pixel size unknown",))
    largest = max(tissue, key=lambda region: (region.x1 - region.x0) * (region.y1 - region.y0))
    flags = [f"the largest of {len(tissue)} tissue regions"] if len(tissue) > 1 else []
    if largest.mm_per_pixel is None:
        flags.append("pixel size unknown: the region's units are not cm")
    return Regions(largest, colour_flow, tuple(flags))


def reaches_outside(region: Region, n_rows: int, n_columns: int) -> bool:
    """Tell whether a region lies outside its image; one pixel is forgiven (last against end)."""
    return region.x1 > n_columns or region.y1 > n_rows


def fitting_factor(name: str, region: Region, frames: NDArray[np.uint8]) -> float:
    """Find the one factor by which a region fits an image that was made smaller.

    A factor fits where the scaled region lies inside the image, holds the picture (what moves,
    or in a still what is bright), and where the picture reaches over most of its depth.

    Frames, shape (n, rows, columns), are a few grey ones, spread over the loop.

    Raises
    ------
    DataError
        No factor fits, or several do.

    Examples
    --------
    >>> frames = np.zeros((2, 100, 100), np.uint8)
    >>> frames[1, 10:78, 20:80] = 90
    >>> fitting_factor("a.dcm", Region(30, 18, 170, 160, None), frames)
    0.5
    """
    n_rows, n_columns = frames.shape[1:]
    top, bottom, left, right = _picture(frames)
    fitting = []
    for factor in FACTORS:
        x0, y0 = region.x0 * factor, region.y0 * factor
        x1, y1 = (region.x1 + 1) * factor, (region.y1 + 1) * factor
        if x1 > n_columns + 1 or y1 > n_rows + 1:
            continue
        slack = _TOLERANCE * max(x1 - x0, y1 - y0)
        holds = top >= y0 - slack and bottom <= y1 + slack
        holds = holds and left >= x0 - slack and right <= x1 + slack
        if holds and bottom >= y0 + _MIN_REACH * (y1 - y0):
            fitting.append(factor)
    if len(fitting) != 1:
        raise unusable(
            name,
            "a tissue region inside the image, or one factor by which it fits",
            f"a region to {region.x1} × {region.y1} on {n_columns} × {n_rows} pixels"
            f" and {len(fitting)} such factors",
            "export the loop at its own size",
        )
    return fitting[0]


def _picture(frames: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Return top, bottom, left and right of what moves, without the outer 1 % on each side."""
    shown = frames.max(axis=0) - frames.min(axis=0) > _MOVING
    if not shown.any():
        shown = frames.max(axis=0) > _BRIGHT
    if not shown.any():
        return 0.0, float(frames.shape[1]), 0.0, float(frames.shape[2])
    rows, columns = np.nonzero(shown)
    top, bottom = np.percentile(rows, (1, 99))
    left, right = np.percentile(columns, (1, 99))
    return float(top), float(bottom), float(left), float(right)


def _regions_region(item: Any, name: str) -> Region:
    x0, y0, x1, y1 = (
        int(item.get(f"RegionLocation{corner}")) for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1")
    )
    if not (0 <= x0 < x1 and 0 <= y0 < y1):
        raise unusable(name, "a tissue region with an extent", "an empty one", "export again")
    return Region(x0, y0, x1, y1, _mm_per_pixel(item))


def _mm_per_pixel(item: Any) -> tuple[float, float] | None:
    """Return the distances of rows and columns; the sign says the direction only."""
    distances = []
    for axis in "YX":
        delta = item.get(f"PhysicalDelta{axis}")
        units = item.get(f"PhysicalUnits{axis}Direction")
        if units != CENTIMETRES or delta is None:
            return None
        distances.append(abs(float(delta)) * 10.0)
    rows_mm, columns_mm = distances
    if not all(math.isfinite(mm) and mm > 0 for mm in distances):
        return None
    return rows_mm, columns_mm


_RETIRED_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3"
_CLASSES = {UltrasoundMultiFrameImageStorage, _RETIRED_MULTI_FRAME}
_PALETTES = tuple(
    f"{prefix}{colour}PaletteColorLookupTable{part}"
    for prefix, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    for colour in ("Red", "Green", "Blue")
)
_KEYWORDS = (
    *("SOPClassUID", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated"),
    *("BitsStored", "PixelRepresentation", "PlanarConfiguration", "PhotometricInterpretation"),
    *("FrameIncrementPointer", "FrameTime", "FrameTimeVector", "CineRate", "HeartRate"),
    *("SequenceOfUltrasoundRegions", "UltrasoundColorDataPresent", "RWaveTimeVector"),
    *("WaveformSequence", "ExtendedOffsetTable", *_PALETTES),
)
_PHOTOMETRIC = {
    1: {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"},
    3: {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"},
}
_PIXEL_DATA = 0x7FE00010
_LONG_VRS = {b"OB", b"OW", b"UN"}
_UNDEFINED = 0xFFFFFFFF
_MAX_HEART_RATE_BPM = 400
_AGAIN = "export the loop again"


def read_dicom_loop(path: Path, stated: Stated, max_bytes: int) -> Loop:
    """Open a DICOM loop: header, places of the frames, and a look at a few of them.

    The file has a preamble and ``DICM`` (part 10); its frames are raw, RLE, JPEG, JPEG-LS or JPEG
    2000, of every photometric interpretation of the US image module. `max_bytes` limits the decoded
    size, checked on the header.

    Raises
    ------
    DataError
        No ultrasound loop, more pixels than allowed, pixel data shorter than claimed or not
        decodable, no frame time, a region outside the image that no one factor makes fit. The
        message names the file and no content of its header.
    """
    dataset, places = _open(path, max_bytes)
    try:
        with warnings.catch_warnings():  # pydicom's warnings may quote values
            warnings.simplefilter("ignore")
            return _read_loop(dataset, path, places, stated)
    except DataError:
        raise
    except Exception:  # elements of a wrong kind or multiplicity; texts may quote values
        raise unusable(
            path.name, "a complete US multi-frame module", "elements of a wrong kind", _AGAIN
        ) from None


def _open(path: Path, max_bytes: int) -> tuple[Any, tuple[tuple[Place, ...], ...]]:
    """Read the needed elements, check their claim, and find every frame's bytes."""
    name = path.name
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta = pydicom.filereader.read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                # Its size in memory is not known before it is inflated.
                raise unusable(
                    name, "a transfer syntax that is not deflated", "a deflated one", _AGAIN
                )
            tags = [tag_for_keyword(keyword) for keyword in _KEYWORDS]
            curves = [group << 16 | element for group in CURVE_GROUPS for element in CURVE_ELEMENTS]
            wanted: list[Any] = [*tags, *curves]
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=wanted)
            if dataset.get("SOPClassUID") not in _CLASSES:
                raise unusable(
                    name,
                    "an ultrasound multi-frame image",
                    "another class of DICOM object",
                    "choose the clips of this study, not its stills or reports",
                )
            pixels = _pixel_format(dataset, name)
            n_frames = int(dataset.get("NumberOfFrames") or 1)
            require_size(
                name, n_frames, pixels.n_rows, pixels.n_columns, pixels.n_samples, max_bytes
            )
            require_decoder(name, pixels.transfer_syntax)
            return dataset, _places(file, dataset, pixels, n_frames, name)
    except DataError:
        raise
    except Exception:
        raise unusable(name, "a readable DICOM file", "a damaged one", _AGAIN) from None


def _pixel_format(dataset: Any, name: str) -> PixelFormat:
    """Read the image pixel module, and refuse what ultrasound loops cannot be."""
    photometric = str(dataset.get("PhotometricInterpretation") or "").strip().upper()
    n_samples = int(dataset.get("SamplesPerPixel") or 0)
    if photometric not in _PHOTOMETRIC.get(n_samples, ()):
        raise unusable(
            name,
            "grey, palette, RGB or YBR_FULL pixels",
            f"{n_samples} samples of another photometric interpretation",
            "export the loop as RGB",
        )
    bits_allocated = int(dataset.get("BitsAllocated") or 0)
    bits_stored = int(dataset.get("BitsStored") or 0)
    most_bits = 16 if n_samples == 1 else 8
    if (
        bits_allocated not in (8, 16)
        or not 8 <= bits_stored <= min(bits_allocated, most_bits)
        or int(dataset.get("PixelRepresentation") or 0) != 0
        or (n_samples == 3 and bits_allocated != 8)
    ):
        raise unusable(
            name, "unsigned samples of 8 bits (grey: up to 16)", "others", "export it with 8 bits"
        )
    return PixelFormat(
        transfer_syntax=str(dataset.file_meta.TransferSyntaxUID),
        n_rows=int(dataset.get("Rows") or 0),
        n_columns=int(dataset.get("Columns") or 0),
        n_samples=n_samples,
        photometric=photometric,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        planar=int(dataset.get("PlanarConfiguration") or 0),
    )


def _places(
    file: BinaryIO, dataset: Any, pixels: PixelFormat, n_frames: int, name: str
) -> tuple[tuple[Place, ...], ...]:
    """Find the bytes of the frames; `file` stands at the pixel data's tag."""
    syntax = dataset.file_meta.TransferSyntaxUID
    order = "<" if syntax.is_little_endian else ">"
    head = file.read(8)
    if len(head) < 8 or (
        struct.unpack(f"{order}HH", head[:4]) != (_PIXEL_DATA >> 16, _PIXEL_DATA & 0xFFFF)
    ):
        raise unusable(name, "pixel data", "none", _AGAIN)
    if syntax.is_implicit_VR:
        (length,) = struct.unpack(f"{order}L", head[4:])
    elif head[4:6] in _LONG_VRS:
        (length,) = struct.unpack(f"{order}L", file.read(4))
    else:
        raise unusable(name, "pixel data of bytes or words", "another kind", _AGAIN)
    start = file.tell()
    n_bytes = file.seek(0, 2)
    if syntax.is_encapsulated:
        extended = dataset.get("ExtendedOffsetTable") or b""
        offsets = struct.unpack(f"<{len(extended) // 8}Q", extended[: len(extended) // 8 * 8])
        file.seek(start)
        return encapsulated_frames(name, file, n_bytes, n_frames, offsets)
    there = n_bytes - start if length == _UNDEFINED else min(length, n_bytes - start)
    return native_frames(name, start, there, n_frames, pixels.frame_bytes)


def _read_loop(
    dataset: Any, path: Path, places: tuple[tuple[Place, ...], ...], stated: Stated
) -> Loop:
    """Read what the header says, and look at a few frames."""
    name, n_frames = path.name, len(places)
    pixels = _pixel_format(dataset, name)
    palette = read_palette(dataset) if pixels.photometric == "PALETTE COLOR" else None
    source = DicomFrames(path, places, pixels, palette)
    times, time_source, time_flags = stated.times(
        name,
        n_frames,
        _header_times(dataset, name, n_frames, stated),
        with_cine_rate=dataset.get("CineRate") is not None,
    )
    r_times, r_source, r_flags = read_r_peaks(dataset, name, stated)
    region, mm_per_pixel, region_flags, colour_flow = _region(dataset, name, source)
    doppler = colour_flow or _is_colour_doppler(dataset, source, region)
    return Loop(
        name=name,
        source=source,
        n_frames=n_frames,
        size=(pixels.n_rows, pixels.n_columns),
        frame_times_ms=times,
        time_source=time_source,
        mm_per_pixel=stated.mm_per_pixel or mm_per_pixel,
        region=region,
        r_times_ms=r_times,
        r_source=r_source,
        heart_rate_bpm=_heart_rate_bpm(dataset),
        colour_doppler=doppler,
        flags=(*time_flags, *r_flags, *region_flags, *(["colour Doppler"] * doppler)),
    )


def _header_times(
    dataset: Any, name: str, n_frames: int, stated: Stated
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], TimeSource] | None:
    """Read the header's times; damaged ones matter only where nothing else is stated."""
    try:
        return header_times(dataset, name, n_frames)
    except DataError:
        if stated.frame_times_ms is None and not isinstance(stated.frame_rate_hz, int | float):
            raise
        return None


def _region(
    dataset: Any, name: str, source: DicomFrames
) -> tuple[Box | None, tuple[float, float] | None, tuple[str, ...], bool]:
    """Return the tissue region inside the image, its pixel size, flags, and colour flow."""
    regions = read_regions(dataset, name)
    region, flags = regions.tissue, list(regions.flags)
    if region is None:
        return None, None, tuple(flags), regions.colour_flow
    n_rows, n_columns = source.pixels.n_rows, source.pixels.n_columns
    factor = 1.0
    if reaches_outside(region, n_rows, n_columns):
        looked_at = np.stack(list(source.frames(spread_over(len(source.places)), colour=False)))
        factor = fitting_factor(name, region, looked_at)
        flags.append(f"region rescaled by {factor:.4g}: it reached outside the image")
    mm_per_pixel = region.mm_per_pixel
    if mm_per_pixel is not None:
        mm_per_pixel = mm_per_pixel[0] / factor, mm_per_pixel[1] / factor
    return region.box(factor, n_rows, n_columns), mm_per_pixel, tuple(flags), regions.colour_flow


def _is_colour_doppler(dataset: Any, source: DicomFrames, region: Box | None) -> bool:
    """Look at a few frames: for colours, and for damage that would come up later."""
    looked_at = source.frames(spread_over(len(source.places)), colour=True)
    if source.pixels.photometric.startswith("MONOCHROME"):
        for _ in looked_at:
            pass
        return False
    tagged = dataset.get("UltrasoundColorDataPresent") == 1
    return is_colour_doppler(coloured_share(looked_at, region), tagged=tagged)


def _heart_rate_bpm(dataset: Any) -> float | None:
    """Return the heart rate; 0 is how some scanners write that there is none."""
    value = dataset.get("HeartRate")
    rate = 0.0 if value in (None, "") else float(value)
    return rate if 0.0 < rate <= _MAX_HEART_RATE_BPM else None
