"""A folder as a clinic hands it over: twelve files of two patients, videos among them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from cardio_echo_cmr.synthetic.loop import echo_loop
from cardio_echo_cmr.synthetic.patients import draw_person, draw_studies
from cardio_ultrasound import write_us_loop

PATIENTS = ("ASHDOWN^MARY", "ASHDOWN^MARY", "QUILLFEATHER^JOHN")
"""Of three studies: the first patient has two."""

RATES_HZ = (30.0, 40.0, 50.0, 50.0)
"""Of the videos, as they play and as they were acquired."""

MM = 0.7


def clinic_folder(folder: Path) -> dict[str, str]:
    """Write three DICOM studies, four MP4, an AVI, a PDF, a text, an empty and a cut file.

    Every loop is an apical four-chamber phantom; returned is what each file is, by its name.
    """
    folder.mkdir()
    kinds = {}
    for number, who in enumerate(PATIENTS):
        frames, rate_hz, r_ms, mm = _loop(number)
        name = f"IM{number + 1:04d}"
        write_us_loop(
            folder / name, frames, frame_rate_hz=rate_hz, mm_per_pixel=(mm, mm),
            r_times_ms=r_ms, photometric="MONOCHROME2", compression=None,
            extra={
                "PatientName": who, "PatientID": f"{who[:4]}-7741", "PatientBirthDate": "19500101",
                "StudyInstanceUID": f"2.25.77{number}", "StudyDate": f"2024010{number + 1}",
                "SOPInstanceUID": f"2.25.77{number}.1",
            },
        )  # fmt: skip
        kinds[name] = "2D loop"
    for number, rate_hz in enumerate((*RATES_HZ, 40.0)):
        name = f"clip{number + 1}.{'avi' if number == 4 else 'mp4'}"
        _video(folder / name, _loop(number + 3)[0], rate_hz)
        kinds[name] = "video"
    whole = (folder / "clip1.mp4").read_bytes()
    for name, content, kind in (
        ("letter.pdf", b"%PDF-1.7 none", "PDF"), ("notes.txt", b"Two beats.\n", "text"),
        ("empty.mp4", b"", "empty file"), ("stopped.mp4", whole[: len(whole) // 2], "damaged"),
    ):  # fmt: skip
        (folder / name).write_bytes(content)
        kinds[name] = kind
    return kinds


def _loop(number: int) -> tuple[np.ndarray, float, list[float], float]:
    """Return frames, their rate, R peaks and the size of a pixel of an apical phantom."""
    rng = np.random.default_rng([number, 35])
    person = draw_person("p", rng, difficulty="clear")
    spec = next(draw_studies(person, rng)).loops["a4c"]
    frames = echo_loop(spec, np.random.default_rng([number, 5]))
    r_ms = spec.beat.r_times_ms(float(spec.time_ms[-1]))
    return frames, spec.rate_hz, r_ms, spec.sector.spacing_mm


def _video(path: Path, frames: np.ndarray, rate_hz: float) -> None:
    size = frames.shape[2], frames.shape[1]
    coding = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    video = cv2.VideoWriter(str(path), coding, rate_hz, size)
    for frame in frames:
        video.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    video.release()
