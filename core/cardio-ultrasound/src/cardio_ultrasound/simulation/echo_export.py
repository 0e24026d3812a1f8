"""An echo export as scanners write it, for tests: a DICOMDIR, nested folders, mixed files.

Nobody is shown: loops are given, names and ids are invented. Which file is what is returned, so
that a test need not ask the code that it tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DATES = ("20240105", "20240619", "20240212")
PATIENTS = ("ASHDOWN^MARY", "ASHDOWN^MARY", "QUILLFEATHER^JOHN")
"""By study: the first patient has two."""

_FILLER = ("still", "colour", "still", "spectral", "colour", "still", "m-mode", "spectral")
_ONCE = ("SR", "PDF", "stress", "contrast")
_LOOSE = (("readme.txt", b"Start the viewer.\n"), ("LOGO.GIF", b"GIF89a" + b"\0" * 40))


@dataclass
class WrittenExport:
    """What was written.

    Attributes
    ----------
    folder : Path
        Give this to a command.
    kinds : dict of Path to str
        Of every file: loop, still, colour, spectral, m-mode, stress, contrast, SR, PDF, DICOMDIR,
        text, picture.
    study_of : dict of Path to int
        Of every DICOM object, from 0.
    damaged : list of Path
        Those that were broken afterwards.
    """

    folder: Path
    kinds: dict[Path, str] = field(default_factory=dict)
    study_of: dict[Path, int] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Path]:
        """Return the whole files of a kind, in the order of paths."""
        return [
            path for path in sorted(self.kinds)
            if self.kinds[path] == kind and path not in self.damaged
        ]  # fmt: skip


def write_echo_export(
    folder: Path,
    write_loop: Callable[[Path, int, dict[str, Any]], object],
    *,
    n_files: int = 60,
    loops: Sequence[int] = (6, 6, 6),
) -> WrittenExport:
    """Write an export of three studies of two patients.

    Parameters
    ----------
    folder : Path
        New.
    write_loop : callable
        Writes loop number n (from 0) to a path, with further elements that it hands to
        `write_us_loop` as `extra`.
    n_files : int
        All files, DICOMDIR and what is no DICOM among them; the rest is filled with stills, colour
        and spectral Doppler and M-mode.
    loops : sequence of int
        How many 2D loops each study has.
    """
    from pydicom.fileset import FileSet

    files = FileSet()
    made = WrittenExport(folder)
    kind_of: dict[str, str] = {}
    study_of: dict[str, int] = {}
    n_objects = n_files - len(_LOOSE) - 1
    planned = [("loop", study) for study, n in enumerate(loops) for _ in range(n)]
    planned += [(kind, place % len(loops)) for place, kind in enumerate(_ONCE)]
    place = 0
    while len(planned) < n_objects:
        planned.append((_FILLER[place % len(_FILLER)], place % len(loops)))
        place += 1
    with tempfile.TemporaryDirectory() as scratch:
        for number, (kind, study) in enumerate(planned[:n_objects]):
            path = Path(scratch) / f"object{number:03d}.dcm"
            extra = _identity(study, number)
            if kind in ("SR", "PDF"):
                _document(path, kind, extra)
            elif kind in ("loop", "stress", "contrast"):
                write_loop(path, number, extra | _HEADERS.get(kind, {}))
            else:
                _picture(path, kind, extra)
            uid = str(files.add(path).SOPInstanceUID)
            kind_of[uid], study_of[uid] = kind, study
        files.write(folder)
        for instance in files:
            path = Path(instance.path)
            made.kinds[path] = kind_of[str(instance.SOPInstanceUID)]
            made.study_of[path] = study_of[str(instance.SOPInstanceUID)]
    made.kinds[folder / "DICOMDIR"] = "DICOMDIR"
    for (name, content), kind in zip(_LOOSE, ("text", "picture"), strict=True):
        (folder / name).write_bytes(content)
        made.kinds[folder / name] = kind
    return made


def damage(export: WrittenExport, n: int) -> None:
    """Break n files more, loops first: cut short, their header spoilt, or emptied, in turn."""
    whole = export.of_kind("loop")[1::3] + export.of_kind("still")
    for place, path in enumerate(whole[:n]):
        content = path.read_bytes()
        if place % 3 == 0:
            path.write_bytes(content[: len(content) * 2 // 3])
        elif place % 3 == 1:
            path.write_bytes(content[:132] + b"\xff" * 600)
        else:
            path.write_bytes(b"")
        export.damaged.append(path)


_HEADERS: dict[str, dict[str, Any]] = {
    "stress": {"StageName": "PEAK", "StageNumber": 3, "NumberOfStages": 4},
    "contrast": {"ContrastBolusAgent": "made up"},
}
_REGION_OF = {"colour": (1, 2), "spectral": (3, 3), "m-mode": (2, 1)}
"""Spatial format and data type (PS3.3 C.8.5.5.1)."""


def _identity(study: int, number: int) -> dict[str, Any]:
    who = PATIENTS[study]
    return {
        "PatientName": who,
        "PatientID": f"{who[:4]}-7741",
        "PatientBirthDate": "19500101",
        "PatientSex": "F" if "MARY" in who else "M",
        "StudyDate": DATES[study],
        "StudyTime": "101500",
        "StudyID": str(study + 1),
        "StudyInstanceUID": f"2.25.77{study}",
        "SeriesInstanceUID": f"2.25.77{study}.1",
        "SOPInstanceUID": f"2.25.77{study}.1.{number + 1}",
        "InstanceNumber": str(number + 1),
    }


def _picture(path: Path, kind: str, extra: dict[str, Any]) -> None:
    """Write a still, a colour loop, or a picture with a spectrum or an M-mode."""
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.uid import UltrasoundImageStorage

    from cardio_ultrasound.simulation.write_dicom import write_us_loop

    ramp = np.tile(np.arange(0, 192, 2, dtype=np.uint8), (4 if kind == "colour" else 1, 72, 1))
    write_us_loop(
        path, ramp, frame_rate_hz=20.0, mm_per_pixel=(0.5, 0.5), photometric="RGB", extra=extra
    )
    dataset = dcmread(path)
    if kind != "colour":
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
        del dataset.NumberOfFrames, dataset.FrameTime, dataset.FrameIncrementPointer
    if kind in _REGION_OF:
        item = Dataset()
        item.update(dataset.SequenceOfUltrasoundRegions[0])
        item.RegionSpatialFormat, item.RegionDataType = _REGION_OF[kind]
        dataset.SequenceOfUltrasoundRegions.append(item)
    dataset.save_as(path)


def _document(path: Path, kind: str, extra: dict[str, Any]) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ComprehensiveSRStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report = kind == "SR"
    dataset.SOPClassUID = ComprehensiveSRStorage if report else EncapsulatedPDFStorage
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    for keyword, value in extra.items():
        setattr(dataset, keyword, value)
    # A series holds objects of one kind.
    dataset.SeriesInstanceUID = f"{extra['StudyInstanceUID']}.{2 if report else 3}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.Modality, dataset.SeriesNumber = ("SR", 2) if report else ("DOC", 3)
    dataset.ContentDate, dataset.ContentTime = extra["StudyDate"], extra["StudyTime"]
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    if report:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "125200", "DCM", "Report"
        dataset.ConceptNameCodeSequence = [code]
        dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
        dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    else:
        dataset.MIMETypeOfEncapsulatedDocument, dataset.DocumentTitle = "application/pdf", "Letter"
        dataset.BurnedInAnnotation, dataset.EncapsulatedDocument = "YES", b"%PDF-1.7 none"
        dataset.ConceptNameCodeSequence = []
    dataset.save_as(path, enforce_file_format=True)
