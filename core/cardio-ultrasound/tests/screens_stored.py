"""Screens stored as clinics store them, de-identified, and what is left of print and tissue."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage

from cardio_ultrasound import (
    SCREEN_LAYOUTS,
    EchoScanner,
    PointSpread,
    Screen,
    ScreenLayout,
    Sector,
    draw_scatterers,
    draw_screen,
    read_loop,
    write_us_loop,
)
from cardio_ultrasound.deidentify.files import deidentify_folder

FFMPEG = shutil.which("ffmpeg")
SECTOR = Sector(half_angle_deg=36.0)
STEP_MS = 25.0
SAID = {"name": "QUASIMODO^ANN", "id": "MRN-774411", "hospital": "FROLLO CLINIC"}


@cache
def beating(seed: int = 0, n_frames: int = 24, sway_mm: float = 6.0) -> np.ndarray:
    """Return tissue with a cavity that goes down and up again, shape (n, rows, columns)."""
    rng = np.random.default_rng(seed)
    places = draw_scatterers(SECTOR, PointSpread(), rng)
    amplitude = np.ones(len(places), np.float32)
    amplitude[np.hypot(places[:, 0], places[:, 1] - 70) < 35] = 0.03
    phase = 2 * np.pi * np.arange(n_frames) / n_frames
    down = np.float32(sway_mm) * (1 - np.cos(phase)) / 2
    moved = [places + np.array([0, by], np.float32) for by in down]
    return EchoScanner(SECTOR, rng).frames(moved, amplitude)


def ecg_of_beats(r_times_ms: Sequence[float]) -> Callable[[np.ndarray], np.ndarray]:
    """Return an ECG with P, Q, R, S and T waves at every R peak, on a baseline that wanders.

    >>> ecg = ecg_of_beats([500.0])
    >>> bool(ecg(np.array([500.0])) > 0.9), bool(abs(ecg(np.array([0.0]))) < 0.1)
    (True, True)
    """
    beats = np.asarray(r_times_ms, np.float64)
    waves = ((0.15, -160, 22), (-0.1, -26, 8), (1.0, 0, 11), (-0.25, 26, 10), (0.25, 260, 45))

    def ecg(at_ms: np.ndarray) -> np.ndarray:
        at = np.asarray(at_ms, np.float64)
        since = at[..., None] - beats
        own = sum(a * np.exp(-(((since - t) / w) ** 2) / 2).sum(axis=-1) for a, t, w in waves)
        return np.asarray(own + 0.05 * np.sin(at / 1500 * 2 * np.pi))

    return ecg


def screen(layout: str | ScreenLayout, seed: int = 0, n_frames: int = 24) -> Screen:
    """Draw one of the layouts around a loop that beats."""
    frames = beating(seed, n_frames)
    beats = np.arange(-8000.0, 4000.0, 0.31 * STEP_MS * n_frames) + 40.0 * seed
    one = SCREEN_LAYOUTS[layout] if isinstance(layout, str) else layout
    times = np.arange(n_frames) * STEP_MS
    return draw_screen(
        frames, times, SECTOR, one, ecg=ecg_of_beats(beats), r_times_ms=beats, texts=SAID
    )


def grey(frames: np.ndarray) -> np.ndarray:
    return np.rint(frames @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def dicom(path: Path, frames: np.ndarray, photometric: str, compression: str | None) -> Path:
    """Write frames as DICOM; JPEG 2000 and JPEG-LS by pydicom, a palette of colours by Pillow."""
    own = compression in (None, "jpeg") or (compression == "rle" and photometric != "PALETTE COLOR")
    shown = grey(frames) if photometric in ("MONOCHROME2", "PALETTE COLOR") else frames
    path = path.with_suffix(".dcm")
    write_us_loop(
        path,
        shown,
        frame_rate_hz=1000 / STEP_MS,
        mm_per_pixel=(SECTOR.spacing_mm, SECTOR.spacing_mm),
        photometric=photometric,
        compression=compression if own else None,
        extra={"PatientName": SAID["name"], "PatientID": SAID["id"]},
    )
    if not own or photometric == "PALETTE COLOR":
        import pydicom
        from pydicom.uid import JPEGLSLossless, RLELossless

        made = pydicom.dcmread(path)
        if photometric == "PALETTE COLOR":
            with_palette_of_colours(made, frames)
        if not own:
            if compression == "j2k":
                with_jpeg_2000(made, frames)
            else:
                made.compress({"jls": JPEGLSLossless, "rle": RLELossless}[compression])
        made.save_as(path)
    return path


def with_jpeg_2000(made, frames: np.ndarray) -> None:
    """Store RGB frames as JPEG 2000 without loss; Pillow encodes what pydicom here cannot."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    coded = []
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG2000", no_jp2=True, irreversible=False, mct=1)
        coded.append(file.getvalue())
    made.PixelData = encapsulate(coded)
    made.file_meta.TransferSyntaxUID = JPEG2000Lossless
    made.PhotometricInterpretation = "YBR_RCT"
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True


def with_palette_of_colours(made, frames: np.ndarray) -> None:
    """Store RGB as indices into 256 colours: 216 greys, and the inks."""
    tall = frames.reshape(-1, frames.shape[2], 3)
    inks = np.unique(tall[np.ptp(tall, axis=-1) > 8].reshape(-1, 3), axis=0)
    inks = inks[:: max(len(inks) // 40, 1)][:40]
    greys = np.repeat(np.linspace(0, 255, 256 - len(inks)).round()[:, None], 3, axis=1)
    colours = np.concatenate([greys, inks]).astype(np.uint8)
    page = Image.new("P", (1, 1))
    page.putpalette(colours.ravel().tolist())
    indexed = Image.fromarray(tall).quantize(palette=page, dither=Image.Dither.NONE)
    made.PixelData = np.asarray(indexed, np.uint8).tobytes()
    table = np.array(page.getpalette(), np.uint16).reshape(-1, 3) * 257
    for column, name in enumerate(("Red", "Green", "Blue")):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        entries = table[:, column].astype("<u2").tobytes()
        setattr(made, f"{name}PaletteColorLookupTableData", entries)


def video(path: Path, frames: np.ndarray, suffix: str, *options: str) -> Path:
    """Encode RGB or grey frames with ffmpeg; the rate stands in a JSON beside the file."""
    path = path.with_suffix(suffix)
    rgb = np.repeat(frames[..., None], 3, axis=-1) if frames.ndim == 3 else frames
    size = f"{rgb.shape[2]}x{rgb.shape[1]}"
    command = [FFMPEG, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size]
    command += ["-r", "40", "-i", "-", *options, str(path)]
    subprocess.run(command, input=np.ascontiguousarray(rgb).tobytes(), check=True)
    path.with_suffix(".json").write_text(f'{{"frame_rate_hz": {1000 / STEP_MS}}}')
    return path


def _dicom(photometric: str, compression: str | None) -> Callable[[Path, np.ndarray], Path]:
    return lambda path, frames: dicom(path, frames, photometric, compression)


def _video(suffix: str, *options: str) -> Callable[[Path, np.ndarray], Path]:
    return lambda path, frames: video(path, frames, suffix, *options)


STORED: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "raw RGB": _dicom("RGB", None),
    "raw YBR_FULL": _dicom("YBR_FULL", None),
    "raw YBR_FULL_422": _dicom("YBR_FULL_422", None),
    "raw MONOCHROME2": _dicom("MONOCHROME2", None),
    "raw PALETTE COLOR": _dicom("PALETTE COLOR", None),
    "RLE RGB": _dicom("RGB", "rle"),
    "RLE MONOCHROME2": _dicom("MONOCHROME2", "rle"),
    "RLE PALETTE COLOR": _dicom("PALETTE COLOR", "rle"),
    "JPEG YBR_FULL_422": _dicom("YBR_FULL_422", "jpeg"),
    "JPEG MONOCHROME2": _dicom("MONOCHROME2", "jpeg"),
    "JPEG 2000 RGB": _dicom("RGB", "j2k"),
    "JPEG-LS RGB": _dicom("RGB", "jls"),
    "H.264 yuv420p crf 18": _video(".mp4", "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"),
    "H.264 yuv420p crf 28": _video(".mp4", "-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv420p"),
    "H.264 yuv444p crf 28": _video(".mp4", "-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv444p"),
    "MPEG-4 q 3": _video(".avi", "-c:v", "mpeg4", "-q:v", "3"),
    "MPEG-4 q 8": _video(".avi", "-c:v", "mpeg4", "-q:v", "8"),
    "Motion JPEG q 4": _video(".avi", "-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p"),
}
"""How clinics store loops: by name, a function that writes frames there."""


def excursion_mm(frames: np.ndarray, row: int, column: int) -> float:
    """Return how far a patch goes up and down, by its best match in every frame."""
    half, reach = 14, 16
    patch = frames[0, row - half : row + half, column - half : column + half]
    window = (slice(row - half - reach, row + half + reach), slice(column - half, column + half))
    places = []
    for frame in frames:
        match = cv2.matchTemplate(frame[window], patch, cv2.TM_CCOEFF_NORMED)[:, 0]
        best = int(np.clip(match.argmax(), 1, len(match) - 2))
        low, middle, high = match[best - 1 : best + 2]
        bend = low - 2 * middle + high
        places.append(best + (0.5 * (low - high) / bend if bend < 0 else 0.0))
    return float(np.ptp(places)) * SECTOR.spacing_mm


def what_is_left(folder: Path, shown: Screen, stored: str) -> dict:
    """Store a screen, de-identify it, and count what is left of print and lost of tissue.

    `ink_left_px` are strong ink pixels in the sector that are as they were, the most of a frame;
    `lit_outside_px` pixels outside the sector that are not 0; `lost_px` tissue pixels farther than
    two from ink that are not as they were; `excursion_mm` how much the excursion of 25 patches
    differs from that of the picture without print, at most: before, and after.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in").mkdir()
    source = STORED[stored](folder / "in" / SAID["name"], shown.frames)

    out = folder / "out"
    answer = deidentify_folder(folder / "in", out)
    (row,) = answer["loops"]
    rate = {"frame_rate_hz": 1000 / STEP_MS}
    before, after = read_loop(source, **rate).stack(), read_loop(out / row["file"], **rate).stack()
    truth = shown.mask()
    inside = ndimage.binary_erosion(truth, iterations=2)
    near_sector = ndimage.binary_dilation(truth, iterations=3)  # codecs blur the edge
    strength = np.abs(shown.frames.astype(int) - shown.tissue[..., None]).max(axis=-1)
    near = ndimage.binary_dilation(shown.ink, np.ones((1, 5, 5)))
    ink = (strength > 60) & inside
    same = after == before

    raw = b"".join(path.read_bytes() for path in out.iterdir())
    words = [part.encode() for text in SAID.values() for part in text.replace("^", " ").split()]
    words = [word for word in words if len(word) > 4]  # shorter ones stand in any bytes

    grid = [(r, c) for r in range(90, 221, 32) for c in range(-72, 73, 36)]
    top, left = round(shown.apex[0] - SECTOR.apex_row), round(shown.apex[1])
    moved = {"before": [0.0], "after": [0.0]}
    for r, c in grid:
        at = (top + r, left + c)
        if not inside[at[0] - 30 : at[0] + 30, at[1] - 14 : at[1] + 14].all():
            continue
        true = excursion_mm(shown.tissue, *at)
        moved["before"].append(abs(excursion_mm(before, *at) - true))
        moved["after"].append(abs(excursion_mm(after, *at) - true))
    return {
        "stored": stored,
        "ink_px": int(ink.sum(axis=(1, 2)).max()),
        "ink_left_px": int((ink & same).sum(axis=(1, 2)).max()),
        "lit_outside_px": int((after[:, ~near_sector] > 0).sum()),
        "lost_px": int((~same & inside & ~near).sum(axis=(1, 2)).max()),
        "filled_px": row["filled_px"],
        "excursion_mm": {key: round(max(values), 3) for key, values in moved.items()},
        "name_in_file": any(word in raw for word in words),
        "bytes": [source.stat().st_size, (out / row["file"]).stat().st_size],
        "colour": row["colour"],
        "flags": row["flags"],
    }
