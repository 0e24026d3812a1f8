"""Valid loops, as `mmode_septal_flash` and `echo_cmr` read them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..cases import CANARY, Reader, Seed
from .recordings import opens

_SIZE = (48, 56)
_N_FRAMES = 12


def _frames(seed: int, n_frames: int = _N_FRAMES) -> np.ndarray:
    rows, columns = np.indices(_SIZE)
    shift = np.arange(n_frames)[:, None, None] + seed
    texture = 120 + 80 * np.sin((rows + 2 * shift) / 6.0) * np.cos(columns / 7.0)
    inside = np.abs(np.arctan2(columns - 28, rows + 1.0)) < 0.7
    return np.where(inside, texture, 0).round().astype(np.uint8)


def _beating(folder: Path) -> list[Seed]:
    return _dicom(folder, 60, [100.0, 900.0])


def _dicom(
    folder: Path, n_frames: int = _N_FRAMES, r_times_ms: Sequence[float] = (20.0, 200.0)
) -> list[Seed]:
    from cardio_ultrasound import TracedEcg, write_us_loop

    ecg = TracedEcg(np.sin(np.arange(100) / 9.0), 500.0)
    forms: list[dict[str, Any]] = [
        {"photometric": "MONOCHROME2"},
        {"photometric": "YBR_FULL_422"},
        {"photometric": "PALETTE COLOR"},
        {"photometric": "RGB", "compression": "rle"},
        {"compression": "jpeg"},
        {"photometric": "MONOCHROME2", "compression": "jpeg", "ecg": ecg},
    ]
    made = []
    for number, form in enumerate(forms):
        path = folder / f"{CANARY}.dcm"
        timed = ({"frame_rate_hz": 50.0}, {"frame_times_ms": [20.0 * n for n in range(n_frames)]})
        write_us_loop(path, _frames(number, n_frames), mm_per_pixel=(0.5, 0.5),
                      r_times_ms=r_times_ms, heart_rate_bpm=70, private_text=CANARY,
                      extra={"PatientName": f"{CANARY}^Frollo"},
                      **timed[number % 2], **form)  # fmt: skip
        made.append(Seed({path.name: path.read_bytes()}, path.name, "dicom"))
    return made


_BESIDE = {"frame_rate_hz": 50.0, "mm_per_pixel": [0.5, 0.5], "r_times_ms": [20.0, 200.0]}


def _with_json(name: str, raw: bytes, kind: str) -> Seed:
    return Seed({name: raw, f"{CANARY}.json": json.dumps(_BESIDE).encode()}, name, kind)


def _videos(folder: Path) -> list[Seed]:
    import cv2

    made = []
    for number, (suffix, code) in enumerate(((".avi", "MJPG"), (".mp4", "mp4v"), (".avi", "XVID"))):
        path = folder / f"{number}{suffix}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 50.0, _SIZE[::-1])
        for frame in _frames(number):
            writer.write(np.repeat(frame[..., None], 3, axis=-1))
        writer.release()
        if path.is_file() and path.stat().st_size > 1000:
            made.append(_with_json(f"{CANARY}{suffix}", path.read_bytes(), "bytes"))
    return made


def _npy(folder: Path) -> list[Seed]:
    made = []
    for number in (1, 2):
        out = io.BytesIO()
        frames = _frames(number)
        np.save(out, frames if number == 1 else np.repeat(frames[..., None], 3, axis=-1))
        made.append(_with_json(f"{CANARY}.npy", out.getvalue(), "npy"))
    return made


def _beams() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "beams": rng.integers(0, 256, (_N_FRAMES, 24, 40)).astype(np.uint8),
        "angles_rad": np.linspace(-0.6, 0.6, 24),
        "depths_mm": np.arange(2.0, 42.0, 1.0),
        "frame_times_ms": 20.0 * np.arange(_N_FRAMES),
        "r_times_ms": np.array([20.0, 200.0]),
    }


def _npz(folder: Path) -> list[Seed]:
    made = []
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, **_beams())
        made.append(Seed({f"{CANARY}.npz": out.getvalue()}, f"{CANARY}.npz", "zip"))
    return made


def _hdf5(folder: Path) -> list[Seed]:
    import h5py

    made = []
    for packed in (None, "gzip"):
        path = folder / f"{packed}.h5"
        with h5py.File(path, "w") as file:
            for key, values in _beams().items():
                file.create_dataset(key, data=values, compression=packed)
            file.attrs["patient"] = CANARY
        made.append(Seed({f"{CANARY}.h5": path.read_bytes()}, f"{CANARY}.h5", "bytes"))
    return made


def _beside(folder: Path) -> list[Seed]:
    septum = json.dumps({"points_px": [[n, 28 + n / 9] for n in range(5, 45)], "frame": 1})
    r_peaks = json.dumps({"r_times_ms": [20.0, 200.0]})
    loop = _npy(folder)[0].files[f"{CANARY}.npy"]
    files = {
        f"{CANARY}.npy": loop, f"{CANARY}.json": json.dumps(_BESIDE).encode(),
        f"{CANARY}.septum.json": septum.encode(), "r.json": r_peaks.encode(),
        "cohort.csv": b"patient_id,study_id,path_echo_a4c,path_septum,path_rpeaks,sf_label\n"
        + f"P1,S1,{CANARY}.npy,{CANARY}.septum.json,r.json,1\n".encode(),
    }  # fmt: skip
    targets = (f"{CANARY}.json", f"{CANARY}.septum.json", "r.json")
    return [Seed(files, target, "json") for target in targets]


def _echonet(folder: Path) -> list[Seed]:
    loops = _videos(folder)
    avi = next(one for one in loops if one.target.endswith(".avi"))
    lines = ["FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"]
    lines += [f"0X1{letter},55.5,40,90,48,56,50,12,TRAIN" for letter in "AB"]
    files = {f"Videos/0X1{letter}.avi": avi.files[avi.target] for letter in "AB"}
    files["FileList.csv"] = ("\n".join(lines) + "\n").encode()
    return [Seed(files, "FileList.csv", "csv")]


def _directory(folder: Path) -> list[Seed]:
    """A medium as a scanner writes it: a DICOMDIR, and the loop that it names."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

    loop = _dicom(folder)[0]
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    item = Dataset()
    item.DirectoryRecordType, item.ReferencedFileID = "IMAGE", ["IMAGES", "IM1"]
    item.PatientName = f"{CANARY}^Frollo"
    made.DirectoryRecordSequence = [item]
    made.save_as(folder / "DICOMDIR", enforce_file_format=True)
    files = {"DICOMDIR": (folder / "DICOMDIR").read_bytes(),
             "IMAGES/IM1": loop.files[loop.target]}  # fmt: skip
    return [Seed(files, "DICOMDIR", "dicom"), Seed(files, "IMAGES/IM1", "dicom")]


def _loops(plugin: str, task: str, **others: Any) -> Any:
    return opens(plugin, task, **others)


_MMODE = _loops("mmode_septal_flash", "septal_flash")
_MMODE_FOLDER = _loops("mmode_septal_flash", "septal_flash", whole=True)
_ECHO_FOLDER = _loops("echo_cmr", "wma", whole=True)

READERS = (
    Reader("us_dicom", "Echo: DICOM, plain, RLE and JPEG", _dicom, _MMODE, cost=3),
    Reader("us_video", "Echo: AVI and MP4", _videos, _MMODE, cost=4),
    Reader("us_npy", "Echo: NPY", _npy, _MMODE, cost=2),
    Reader("us_npz", "Echo: beams in NPZ", _npz, _MMODE, cost=2),
    Reader("us_hdf5", "Echo: beams in HDF5", _hdf5, _MMODE, cost=2),
    Reader("us_beside", "Echo: JSON of rate, septum and R peaks", _beside, _MMODE_FOLDER, cost=3),
    Reader("us_echonet", "Echo: FileList.csv of EchoNet", _echonet, _ECHO_FOLDER, cost=4),
    Reader("us_directory", "Echo: DICOMDIR and what it names", _directory, _ECHO_FOLDER, cost=4),
    Reader("us_mmode_measured", "Echo: DICOM, read and measured as M-mode", _beating,
           _loops("mmode_septal_flash", "septal_flash", measures=True,
                  sets=("load.view=a4c",)), cost=40, valid=False),
    Reader("us_echo_measured", "Echo: DICOM, read and measured by view", _dicom,
           _loops("echo_cmr", "wma", measures=True), cost=40),
)  # fmt: skip
