"""Write frames as a DICOM ultrasound loop: US Multi-frame Image Storage.

References
----------
DICOM PS3.3 A.7 (US Multi-frame Image), C.7.6.3 (image pixel), C.7.6.5 (cine), C.8.5.5 (regions),
C.8.5.6 (US image); PS3.5 8.2.1 and 8.2.2 (JPEG, RLE), Annex A.4 (encapsulation).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from cardio_ultrasound.deidentify.header import region_item, write_times
from cardio_ultrasound.loop import Box

Photometric = Literal["YBR_FULL_422", "YBR_FULL", "RGB", "MONOCHROME2", "PALETTE COLOR"]
Compression = Literal["rle", "jpeg"]

JPEG_QUALITY = 95
_DATE, _TIME = "20000101", "000000"
_OF_COLOUR = {"YBR_FULL_422", "YBR_FULL", "RGB"}


@dataclass(frozen=True, slots=True)
class TracedEcg:
    """An ECG that is stored beside the frames.

    Attributes
    ----------
    signal_mv : ndarray, shape (n_samples,)
        In mV; stored in steps of 1 µV.
    rate_hz : float
        Samples a second.
    start_ms : float
        Of the first sample, from the first frame.
    """

    signal_mv: NDArray[np.floating[Any]]
    rate_hz: float
    start_ms: float = 0.0


def write_us_loop(
    path: Path,
    frames: NDArray[np.uint8],
    *,
    frame_rate_hz: float | None = None,
    frame_times_ms: Sequence[float] | None = None,
    mm_per_pixel: tuple[float, float] | None = None,
    region: tuple[int, int, int, int] | None = None,
    photometric: Photometric = "YBR_FULL_422",
    compression: Compression | None = None,
    r_times_ms: Sequence[float] | None = None,
    ecg: TracedEcg | None = None,
    heart_rate_bpm: int | None = None,
    colour_data_present: bool = False,
    extra: Mapping[str, str] | None = None,
    private_text: str | None = None,
    jpeg_quality: int = JPEG_QUALITY,
) -> None:
    """Write one loop; the same call writes the same bytes.

    Parameters
    ----------
    path : Path
        The file; its name alone makes the identifiers in it.
    frames : ndarray of uint8, shape (n_frames, rows, columns) or (n_frames, rows, columns, 3)
        Grey levels or RGB. Grey is repeated where `photometric` is of colour; RGB cannot be
        written as MONOCHROME2 or PALETTE COLOR.
    frame_rate_hz : float, optional
        Written as FrameTime.
    frame_times_ms : sequence of float, optional
        Written as FrameTimeVector, from the first frame. With neither, the file says no time.
    mm_per_pixel : tuple of float, optional
        Distance of rows, and of columns: written as a region in cm; without it there is none.
    region : tuple of int, optional
        First and last column and row of the tissue, (x0, y0, x1, y1); the whole image if None.
    photometric : {"YBR_FULL_422", "YBR_FULL", "RGB", "MONOCHROME2", "PALETTE COLOR"}
        How the pixels are stored. The palette is a reversed grey ramp, so that a reader that
        takes its indices for grey levels is found out.
    compression : {"rle", "jpeg"}, optional
        RLE Lossless, or JPEG Baseline (colour: YBR_FULL_422).
    r_times_ms : sequence of float, optional
        Written as RWaveTimeVector.
    ecg : TracedEcg, optional
        Written as a waveform group.
    heart_rate_bpm : int, optional
        Written as HeartRate.
    colour_data_present : bool
        Written as UltrasoundColorDataPresent.
    extra : mapping of str to str, optional
        Further elements by keyword, ``PatientName`` say, to test de-identification with.
    private_text : str, optional
        Put into a private element.
    jpeg_quality : int
        Of JPEG, 1 to 95.

    Raises
    ------
    ValueError
        Frames of another shape or type, or a combination that DICOM does not have.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "made.dcm"
    >>> frames = np.full((4, 32, 48), 90, np.uint8)
    >>> write_us_loop(file, frames, frame_rate_hz=50, mm_per_pixel=(0.5, 0.5))
    >>> from cardio_ultrasound.readers.read import read_loop
    >>> loop = read_loop(file)
    >>> loop.n_frames, loop.frame_rate_hz, loop.mm_per_pixel, int(loop.frame(2).max())
    (4, 50.0, (0.5, 0.5), 90)
    """
    _check(frames, photometric, compression)
    dataset = _identified(path)
    samples = _as_samples(frames, photometric)
    _add_pixels(dataset, samples, photometric, compression, jpeg_quality)
    times_ms = None if frame_times_ms is None else np.asarray(frame_times_ms, dtype=float)
    write_times(dataset, times_ms=times_ms, rate_hz=frame_rate_hz)
    if mm_per_pixel is not None:
        n_rows, n_columns = frames.shape[1:3]
        left, top, right, bottom = region or (0, 0, n_columns - 1, n_rows - 1)
        box = Box(top, bottom + 1, left, right + 1)
        dataset.SequenceOfUltrasoundRegions = [region_item(box, mm_per_pixel)]
    if r_times_ms is not None:
        dataset.RWaveTimeVector = [float(time) for time in r_times_ms]
    if ecg is not None:
        dataset.WaveformSequence = [_waveform(ecg)]
    if heart_rate_bpm is not None:
        dataset.HeartRate = str(heart_rate_bpm)
    dataset.UltrasoundColorDataPresent = int(colour_data_present)
    for keyword, value in (extra or {}).items():
        setattr(dataset, keyword, value)
    if private_text is not None:
        block = dataset.private_block(0x0029, "CARDIO SYNTHETIC", create=True)
        block.add_new(0x10, "LO", private_text)
    dataset.save_as(path, enforce_file_format=True)


def _check(frames: NDArray[np.uint8], photometric: str, compression: str | None) -> None:
    grey = frames.ndim == 3
    if frames.dtype != np.uint8 or not (grey or (frames.ndim == 4 and frames.shape[3] == 3)):
        raise ValueError("frames must be uint8, (n, rows, columns) or (n, rows, columns, 3)")
    if not grey and photometric not in _OF_COLOUR:
        raise ValueError(f"RGB frames cannot be written as {photometric}")
    if compression == "jpeg" and photometric not in ("YBR_FULL_422", "MONOCHROME2"):
        raise ValueError(f"JPEG is written as YBR_FULL_422 or MONOCHROME2, not as {photometric}")
    if compression == "rle" and photometric == "YBR_FULL_422":
        raise ValueError("RLE has no shared colours: write it as YBR_FULL")
    if photometric == "YBR_FULL_422" and compression is None and frames.shape[2] % 2:
        raise ValueError("YBR_FULL_422 needs an even number of columns")


def _identified(path: Path) -> Any:
    """Begin a data set with the modules of patient, study, series and equipment."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    for level in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, level, generate_uid(entropy_srcs=["cardio synthetic", path.stem, level]))
    dataset.Modality = "US"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.Manufacturer = "cardio synthetic cohort"
    dataset.PatientName = dataset.PatientID = path.stem
    dataset.PatientBirthDate = dataset.PatientSex = dataset.PatientOrientation = ""
    dataset.StudyDate = dataset.ContentDate = _DATE
    dataset.StudyTime = dataset.ContentTime = _TIME
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = dataset.InstanceNumber = "1"
    return dataset


def _as_samples(frames: NDArray[np.uint8], photometric: str) -> NDArray[np.uint8]:
    """Return what is stored: one or three samples a pixel, in the colours of `photometric`."""
    if photometric == "PALETTE COLOR":
        return 255 - frames
    if photometric == "MONOCHROME2":
        return frames
    return np.repeat(frames[..., None], 3, axis=-1) if frames.ndim == 3 else frames


def _ybr_of_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert one frame to YBR_FULL (C.7.6.3.1.2)."""
    red, green, blue = (rgb[..., channel].astype(np.float32) for channel in range(3))
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    ybr = np.stack((y, 128 + (blue - y) / 1.772, 128 + (red - y) / 1.402), axis=-1)
    rounded: NDArray[np.uint8] = np.clip(np.rint(ybr), 0, 255).astype(np.uint8)
    return rounded


def _add_pixels(
    dataset: Any,
    samples: NDArray[np.uint8],
    photometric: str,
    compression: str | None,
    jpeg_quality: int,
) -> None:
    """Add the image pixel module and the pixel data."""
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = samples.shape[:3]
    dataset.SamplesPerPixel = 3 if photometric in _OF_COLOUR else 1
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.LossyImageCompression = "01" if compression == "jpeg" else "00"
    if photometric == "PALETTE COLOR":
        _add_palette(dataset)
    if compression == "jpeg":
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = encapsulate([_jpeg(frame, jpeg_quality) for frame in samples])
        return
    stored = _stored_frames(samples, photometric)
    if compression == "rle":
        dataset.file_meta.TransferSyntaxUID = RLELossless
        dataset.PixelData = encapsulate([_rle(frame, dataset) for frame in stored])
        return
    data = b"".join(stored)
    dataset.PixelData = data + b"\0" * (len(data) % 2)


def _stored_frames(samples: NDArray[np.uint8], photometric: str) -> list[bytes]:
    if not photometric.startswith("YBR"):
        return [frame.tobytes() for frame in samples]
    whole = [_ybr_of_rgb(frame) for frame in samples]
    if photometric == "YBR_FULL":
        return [frame.tobytes() for frame in whole]
    return [_shared_colours(frame).tobytes() for frame in whole]


def _shared_colours(ybr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return Y Y Cb Cr of every two pixels; the colour is that of the first (C.7.6.3.1.2)."""
    pairs = ybr.reshape(ybr.shape[0], -1, 2, 3)
    return np.stack((pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]), -1)


def _jpeg(frame: NDArray[np.uint8], quality: int) -> bytes:
    buffer = io.BytesIO()
    # subsampling 1 is 4:2:2
    Image.fromarray(frame).save(buffer, "JPEG", quality=quality, subsampling=1)
    data = buffer.getvalue()
    return data + b"\0" * (len(data) % 2)


def _rle(frame: bytes, dataset: Any) -> bytes:
    data = RLELosslessEncoder.encode(
        frame,
        rows=dataset.Rows,
        columns=dataset.Columns,
        number_of_frames=1,
        samples_per_pixel=dataset.SamplesPerPixel,
        bits_allocated=8,
        bits_stored=8,
        pixel_representation=0,
        photometric_interpretation=dataset.PhotometricInterpretation,
        planar_configuration=0,
        encoding_plugin="pydicom",
    )
    return bytes(data)


def _add_palette(dataset: Any) -> None:
    """Add a reversed ramp of 256 entries, 8 bits."""
    ramp = np.arange(255, -1, -1, dtype=np.uint8).tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", ramp)


def _waveform(ecg: TracedEcg) -> Any:
    """Describe one lead of ECG, 16 bits in µV."""
    source = Dataset()
    source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "2:1", "MDC", "Lead I"
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
    channel = Dataset()
    channel.ChannelLabel = "ECG"
    channel.ChannelSourceSequence = [source]
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = [unit]
    channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", "0"
    channel.WaveformBitsStored = 16
    group = Dataset()
    group.MultiplexGroupTimeOffset = f"{ecg.start_ms:.10g}"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = 1
    group.NumberOfWaveformSamples = ecg.signal_mv.size
    group.SamplingFrequency = f"{ecg.rate_hz:.10g}"
    group.ChannelDefinitionSequence = [channel]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    microvolts = np.clip(np.rint(ecg.signal_mv * 1000.0), -32768, 32767).astype("<i2")
    group.WaveformData = microvolts.tobytes()
    return group
