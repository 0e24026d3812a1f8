"""DICOM ultrasound loops: US Multi-frame Image Storage.

Only the elements that are needed are read; names, dates and private elements are not.

References
----------
DICOM PS3.3 A.7 (US Multi-frame Image), C.7.6.3 (image pixel), C.8.5.5 and C.8.5.6.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.uid import DeflatedExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

from cardio_core.errors import DataError, unusable
from cardio_core.ultrasound.loops.colour import (
    coloured_share,
    is_colour_doppler,
    read_palette,
    spread_over,
)
from cardio_core.ultrasound.loops.loop import Box, Loop, TimeSource
from cardio_core.ultrasound.loops.r_peaks import CURVE_ELEMENTS, CURVE_GROUPS, read_r_peaks
from cardio_core.ultrasound.loops.stated import Stated
from cardio_core.ultrasound.loops.timing import header_times
from cardio_core.ultrasound.readers.checks import require_size
from cardio_core.ultrasound.readers.frame_bytes import Place, encapsulated_frames, native_frames
from cardio_core.ultrasound.readers.pixels import DicomFrames, PixelFormat, require_decoder
from cardio_core.ultrasound.readers.regions import fitting_factor, reaches_outside, read_regions

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
        if stated.frame_times_ms is None and stated.frame_rate_hz in (None, "container"):
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
