"""Cohorts of synthetic patients with words planted in files, in their names and in the table."""

from __future__ import annotations

import importlib.util
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from .planting import cell, plant, plant_dicom, print_mark
from .words import HEADER, ID, NAMES, TABLE

ROOT = Path(__file__).parents[3]
LETTER = f"Dear {HEADER['physician']}, {HEADER['wrong content']}, born {HEADER['date']}\n" * 40
"""What lies where a recording ought to be."""

_FEW = 4
"""Good rows of the short table, which has all the broken ones."""

FAULTS = ("truncated", "wrong content", "missing", "unreadable")
Fault = str


@dataclass(frozen=True)
class Planted:
    """A planted cohort.

    Attributes
    ----------
    folder : Path
        Where the table lies; commands are called there, so that nobody types a planted name.
    files : dict of str to Path
        A good recording of each format, by suffix.
    broken : dict of (str, str) to Path
        By suffix and fault.
    """

    folder: Path
    files: dict[str, Path]
    broken: dict[tuple[str, str], Path]

    @property
    def table(self) -> Path:
        """The cohort table."""
        return self.folder / "cohort.csv"


def plant_cohort(
    synth: Path,
    place: Path,
    *,
    more: Callable[[Path, Path], Iterator[Path]] | None = None,
    path_column: str,
) -> Planted:
    """Copy a synthetic cohort under planted names, with broken files of each of its formats.

    Parameters
    ----------
    synth : Path
        A folder with `cohort.csv`.
    place : Path
        An existing folder.
    more : callable, optional
        Takes a good recording and the folder to fill, and yields it in other formats.
    path_column : str
        The column of recordings that the broken ones are added to.
    """
    study = place / f"{NAMES['parent']} & Söhne" / f"{NAMES['parent']}_study"
    folder = study / f"{NAMES['folder']} Jürgen"
    folder.mkdir(parents=True)
    table = pd.read_csv(synth / "cohort.csv", dtype=str)
    files: dict[str, Path] = {}
    renamed: dict[str, str] = {}
    columns = [name for name in table.columns if name.startswith("path_")]
    table["site_id"] = ["north" if row % 2 else "south" for row in range(len(table))]
    for column in columns:
        for position, text in enumerate(table[column]):
            if not isinstance(text, str):
                continue
            for name in text.split(";"):
                if name not in renamed:
                    target = _moved(synth / name, folder, len(renamed))
                    plant(target)
                    renamed[name] = str(target.relative_to(study))
                    if column == path_column:
                        files.setdefault(target.suffix, target)
            table.loc[position, column] = ";".join(renamed[one] for one in text.split(";"))
    given = {name: f"{ID}-{row}" for row, name in enumerate(table["patient_id"].unique())}
    table["patient_id"] = table["patient_id"].map(given)
    table["study_id"] = [f"{ID}-{row}-study" for row in range(len(table))]
    rows = [table]
    first = next(iter(files.values()))
    extra = list(more(first, folder)) if more else []
    for path in extra:
        plant(path)
        files["".join(path.suffixes)] = path
    broken = {
        (suffix, fault): _broken(path, fault, folder / f"{NAMES['file']}_bad{k}{n}{suffix}")
        for k, (suffix, path) in enumerate(files.items())
        for n, fault in enumerate(FAULTS)
    }
    for number, path in enumerate([*extra, *broken.values()]):
        row = table.iloc[[number % len(table)]].copy()
        row[columns] = None
        row[path_column] = str(path.relative_to(study))
        row["patient_id"] = f"{ID}-x{number}"
        row["study_id"] = f"{ID}-x{number}-study"
        rows.append(row)
    made = pd.concat(rows, ignore_index=True)
    made[f"{TABLE['column']} name"] = [cell(row) for row in range(len(made))]
    made[f"{TABLE['column']}_note"] = [cell(row % 3) for row in range(len(made))]
    made["responder"] = ["yes" if row % 2 else "no" for row in range(len(made))]
    made["albumin"] = [f"{35 + row % 11}" for row in range(len(made))]
    made.loc[0, f"{TABLE['column']}_note"] = "unknown"  # a word that means missing
    made.to_csv(study / "cohort.csv", index=False)
    made.drop(index=range(_FEW, len(table))).to_csv(study / "few.csv", index=False)
    for name in ("beats.csv",):
        if (synth / name).is_file():
            shutil.copy(synth / name, study / name)
    return Planted(study, files, broken)


def _moved(path: Path, folder: Path, number: int) -> Path:
    """Copy one recording, and what belongs to it, under a planted name."""
    if path.suffix == ".hea":
        target = folder / f"{NAMES['file']}_{number:03d}.hea"
        text = path.read_text().replace(path.stem, target.stem)
        target.write_text(text)
        shutil.copy(path.with_suffix(".dat"), target.with_suffix(".dat"))
        return target
    target = folder / f"{NAMES['file']} Jörg_{number:03d}{path.suffix}"
    shutil.copy(path, target)
    beside = path.with_suffix(".json")
    if beside != path and beside.is_file():
        shutil.copy(beside, target.with_suffix(".json"))
        plant(target.with_suffix(".json"))
    return target


def _broken(good: Path, fault: Fault, target: Path) -> Path:
    if fault == "truncated":
        content = good.read_bytes()
        target.write_bytes(content[: max(len(content) * 3 // 5, 40)])
        if good.suffix == ".hea":  # the header is whole, its signals are cut
            text = good.read_text(encoding="latin-1").replace(good.stem, target.stem)
            target.write_text(text, encoding="latin-1")
            signals = good.with_suffix(".dat").read_bytes()
            target.with_suffix(".dat").write_bytes(signals[: len(signals) // 2])
    elif fault == "wrong content":
        target.write_text(f"{LETTER}{target}\n", encoding="utf-8")  # no two alike
    elif fault == "unreadable":  # nobody can open it, not even root
        target.symlink_to(target.name)
    return target


def module_of(path: str) -> ModuleType:
    """Import a file of a plugin's tests."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def other_ecgs(good: Path, folder: Path) -> Iterator[Path]:
    """Yield an ECG as EDF, MUSE XML and CSV."""
    from cardio_ecg_transfer.readers.wfdb_record import read_wfdb

    hea = good if good.suffix == ".hea" else next(folder.glob("*.hea"))
    ecg = read_wfdb(hea, 10**9)
    named = folder / f"{NAMES['file']} Jörg_other"
    whole = ecg.signal_mv.shape[1] // int(ecg.rate_hz) * int(ecg.rate_hz)
    ecg = type(ecg)(np.nan_to_num(ecg.signal_mv[:, :whole]), ecg.rate_hz, ecg.leads, ())
    module_of("plugins/ecg_transfer/tests/write_edf.py").write_edf(named.with_suffix(".edf"), ecg)
    yield named.with_suffix(".edf")
    muse = module_of("plugins/ecg_transfer/tests/write_muse.py")
    truth = type("Truth", (), {"r_times_s": np.arange(0.5, whole / ecg.rate_hz - 1)})()
    muse.median_beat = lambda one, _: one.signal_mv[:, : int(one.rate_hz)]
    muse.write_muse(named.with_suffix(".xml"), ecg, truth)
    yield named.with_suffix(".xml")
    lines = [f"# rate_hz={ecg.rate_hz:g}", ",".join(f"{lead} [mV]" for lead in ecg.leads)]
    lines += [",".join(f"{value:.3f}" for value in row) for row in ecg.signal_mv.T]
    named.with_suffix(".csv").write_text("\n".join(lines) + "\n")
    yield named.with_suffix(".csv")


def other_spects(good: Path, folder: Path) -> Iterator[Path]:
    """Yield a gated study as NIfTI."""
    import nibabel
    import pydicom

    file = pydicom.dcmread(good)
    n_slots = int(file.get("NumberOfTimeSlots", 8))
    counts: Any = file.pixel_array.astype(np.float32)
    counts = counts.reshape(n_slots, -1, *counts.shape[1:])
    voxel = [float(file.PixelSpacing[1]), float(file.PixelSpacing[0])]
    affine = np.diag([*voxel, float(file.get("SliceThickness", voxel[0])), 1.0])
    path = folder / f"{NAMES['file']} Jörg_other.nii.gz"
    nibabel.save(nibabel.Nifti1Image(counts.transpose(3, 2, 1, 0), affine), path)
    yield path


def other_loops(good: Path, folder: Path) -> Iterator[Path]:
    """Yield a loop as videos, as an array, and beams as NPZ and HDF5; with sidecars."""
    import cv2
    import h5py

    from cardio_ultrasound import read_loop

    loop = read_loop(good)
    frames = np.stack([loop.frame(k, colour=False) for k in range(loop.n_frames)])
    facts = '{"frame_rate_hz": 50, "r_times_ms": [20.0, 900.0], "mm_per_pixel": [0.6, 0.6]}'
    named = folder / f"{NAMES['file']} Jörg_other"
    for suffix, code in ((".mp4", "mp4v"), (".avi", "MJPG")):
        size = frames.shape[2], frames.shape[1]
        path = named.with_name(f"{named.name}{suffix[1:]}").with_suffix(suffix)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 50.0, size)
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
        writer.release()
        path.with_suffix(".json").write_text(facts)
        plant(path.with_suffix(".json"))
        yield path
    beams = np.random.default_rng(0).integers(0, 255, (40, 64, 80), dtype=np.uint8)
    angles, depths = np.linspace(-0.6, 0.6, 64), np.linspace(0, 140, 80)
    parts = {"beams": beams, "angles_rad": angles, "depths_mm": depths, "frame_rate_hz": 50.0}
    path = named.with_name(f"{named.name}npz").with_suffix(".npz")
    np.savez(path, **parts)
    yield path
    path = named.with_name(f"{named.name}h5").with_suffix(".h5")
    with h5py.File(path, "w") as file:
        for name, values in parts.items():
            file[name] = values
    yield path


def export_of(good: Path, folder: Path) -> Path:
    """Write a folder as a scanner exports it, and plant the words in its objects.

    Parameters
    ----------
    good : Path
        A DICOM loop, that each of its studies holds.
    folder : Path
        New; its name is planted.
    """
    from cardio_ultrasound import damage, read_loop, write_echo_export, write_us_loop

    loop = read_loop(good)
    frames = np.stack([loop.frame(k, colour=False) for k in range(loop.n_frames)])

    def write(path: Path, number: int, extra: dict[str, Any]) -> None:
        write_us_loop(path, np.roll(frames, number, axis=0), extra=extra, mm_per_pixel=(0.5, 0.5),
                      frame_rate_hz=1000.0 / float(np.median(np.diff(loop.frame_times_ms))),
                      r_times_ms=loop.r_times_ms, photometric="MONOCHROME2")  # fmt: skip

    made = write_echo_export(folder / NAMES["folder"], write, n_files=12, loops=(1, 1, 1))
    for path in made.study_of:
        plant_dicom(path, uids=())  # its directory names it by them
    damage(made, 2)
    return made.folder


def marked_inside(good: Path, target: Path) -> Path:
    """Copy a loop with the mark printed inside of its sector too, where nothing can hide it."""
    import pydicom

    content = good.read_bytes().removesuffix(HEADER["trailing"].encode())
    file = pydicom.dcmread(io.BytesIO(content))
    rows, columns = file.Rows, file.Columns
    print_mark(file, at=(rows // 2, columns // 2 - 18))
    file.save_as(target)
    return target


def empty(folder: Path) -> Path:
    """Return a new and empty folder."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder
