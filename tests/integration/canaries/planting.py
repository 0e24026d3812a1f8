"""Plants the words into files of every format, beside what the readers read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .pictures import printed
from .words import HEADER, TABLE

WORDS = f"{HEADER['comment']} Jürgen & Söhne <b> {HEADER['date']}"
"""With letters that are escaped, one way or another, wherever they are written."""

BY_LETTER = {
    "name": f"{HEADER['name']}^Jürgen",
    "id": f"{HEADER['id']}-7",
    "physician": f"{HEADER['physician']}^B",
    "institution": f"{HEADER['institution']} & Co",
}

_FREE_TEXT = (
    "StudyDescription", "SeriesDescription", "ProtocolName", "ImageComments", "PatientComments",
    "AdditionalPatientHistory", "DerivationDescription",
)  # fmt: skip


UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def plant(path: Path) -> None:
    """Plant the words of the header in one file, in its own format."""
    if path.suffix.lower() in _BY_SUFFIX:
        _BY_SUFFIX[path.suffix.lower()](path)


def plant_dicom(path: Path, uids: Sequence[str] = UIDS) -> None:
    """Plant the words in the elements of a DICOM file, in these UIDs, too, and behind its end."""
    import pydicom
    from pydicom.dataset import Dataset

    file = pydicom.dcmread(path)
    file.SpecificCharacterSet = "ISO_IR 192"
    file.PatientName, file.PatientID = BY_LETTER["name"], BY_LETTER["id"]
    file.OtherPatientIDs = [BY_LETTER["id"], BY_LETTER["id"]]
    file.PatientBirthDate = file.StudyDate = file.AcquisitionDate = HEADER["date"]
    for keyword in ("InstitutionName", "StationName", "InstitutionAddress"):
        setattr(file, keyword, BY_LETTER["institution"][:16])
    for keyword in ("ReferringPhysicianName", "OperatorsName", "PerformingPhysicianName"):
        setattr(file, keyword, BY_LETTER["physician"])
    for keyword in _FREE_TEXT:
        setattr(file, keyword, WORDS[:60])
    file.AccessionNumber = file.StudyID = HEADER["id"]
    for keyword in uids:
        setattr(file, keyword, f"1.2.826.0.1.{HEADER['uid']}.{len(keyword)}.{hash_of(path)}")
    item, inner = Dataset(), Dataset()
    inner.PatientID, inner.TextString = HEADER["sequence"], HEADER["sequence"]
    item.RequestedProcedureDescription = HEADER["sequence"]
    item.OtherPatientIDsSequence = [inner]
    file.RequestAttributesSequence = [item]
    block = file.private_block(0x0029, HEADER["private"], create=True)
    block.add_new(0x10, "UT", HEADER["private"] + " 19470313")
    block.add_new(0x11, "OB", HEADER["private"].encode("utf-16-le"))
    file.add_new(0x60000010, "US", 1)
    file.add_new(0x60000022, "LO", HEADER["overlay"])
    file.add_new(0x60001500, "LO", HEADER["overlay"])
    for region in file.get("SequenceOfUltrasoundRegions", ()):
        region.add_new(0x00181030, "LO", HEADER["sequence"])
    if file.get("Modality") == "US" and "NumberOfFrames" in file and "PixelData" in file:
        print_mark(file)
    file.save_as(path)
    with path.open("ab") as end:
        end.write(HEADER["trailing"].encode())


def print_mark(file: Any, at: tuple[int, int] = (2, 2)) -> None:
    """Print the mark on every frame of a loop, and store the frames as they are."""
    from pydicom.uid import ExplicitVRLittleEndian

    frames = printed(file.pixel_array, at)
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.PixelData = frames.tobytes()
    file["PixelData"].VR, file["PixelData"].is_undefined_length = "OB", False
    if frames.ndim == 4:
        file.PhotometricInterpretation, file.PlanarConfiguration = "RGB", 0


def hash_of(path: Path) -> int:
    """Return a number for a path, by which objects stay apart."""
    return int.from_bytes(path.name.encode()[-6:], "big") % 10**9


def _wfdb(path: Path) -> None:
    with path.open("a", encoding="latin-1") as file:
        file.write(f"# <age>: 77 <name>: {BY_LETTER['name']} {BY_LETTER['id']}\n# {WORDS}\n")
        file.write(f"#{HEADER['physician']} {HEADER['institution']} {HEADER['uid']}\n")


def _text(path: Path) -> None:
    """Plant comments below the first line of a text file of numbers."""
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    if not first.startswith("rate_hz="):  # other tables of numbers have no place for words
        return
    told = f"# {BY_LETTER['name']} {BY_LETTER['id']} {HEADER['written date']} {WORDS}"
    path.write_text(f"{first}\n{told}\n{rest}", encoding="utf-8")


def _muse(path: Path) -> None:
    text = path.read_text(encoding="iso-8859-1")
    who = (
        f"<PatientDemographics><PatientID>{HEADER['id']}</PatientID>"
        f"<PatientLastName>{HEADER['name']}</PatientLastName>"
        f"<DateofBirth>{HEADER['written date']}</DateofBirth></PatientDemographics>"
        f"<TestDemographics><SiteName>{HEADER['institution']}</SiteName>"
        f"<OverreaderLastName>{HEADER['physician']}</OverreaderLastName></TestDemographics>"
        f"<Diagnosis><DiagnosisStatement><StmtText>{HEADER['comment']}</StmtText>"
        f"</DiagnosisStatement></Diagnosis><{HEADER['key']}/>"
    )
    path.write_text(text.replace("<RestingECG>", f"<RestingECG>{who}"), encoding="iso-8859-1")


def _edf(path: Path) -> None:
    content = bytearray(path.read_bytes())
    said = f"{HEADER['id']} F 13-MAR-1947 {HEADER['name']} {HEADER['comment']}"
    content[8:88] = said.ljust(80).encode("latin-1")[:80]
    said = f"Startdate 13-MAR-1947 {HEADER['institution']} {HEADER['physician']}"
    content[88:168] = said.ljust(80).encode("latin-1")[:80]
    n = int(content[252:256])
    # Transducer and prefilter of every signal are free text.
    content[256 + 16 * n : 256 + 96 * n] = HEADER["private"].ljust(80).encode() * n
    path.write_bytes(bytes(content))


def _nifti(path: Path) -> None:
    import nibabel

    image: Any = nibabel.load(path)
    made = nibabel.Nifti1Image(np.asanyarray(image.dataobj), image.affine, image.header.copy())
    made.header["descrip"] = f"{HEADER['comment']} {HEADER['name']}".encode()[:79]
    made.header["aux_file"] = HEADER["id"].encode()
    made.header["intent_name"] = HEADER["institution"].encode()
    told = f"{HEADER['physician']} {HEADER['date']}".encode()
    made.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", told))
    nibabel.save(made, path)


def _npz(path: Path) -> None:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays[HEADER["key"]] = np.array([HEADER["name"], HEADER["id"]])
    np.savez(path, **arrays)


def _hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "a") as file:
        file.attrs[HEADER["key"]] = HEADER["name"]
        file.attrs["patient"] = HEADER["id"]
        file.create_dataset(f"{HEADER['key']}/{HEADER['id']}", data=np.arange(3))
        for dataset in [one for one in file.values() if isinstance(one, h5py.Dataset)]:
            dataset.attrs["comment"] = HEADER["comment"]


def _json(path: Path) -> None:
    stored = json.loads(path.read_text())
    if isinstance(stored, dict):
        stored |= {HEADER["sidecar"]: HEADER["sidecar"], "patient": HEADER["name"]}
        path.write_text(json.dumps(stored))


def _video(path: Path) -> None:
    """Plant a comment as the container has it: a free box (MP4), a list of texts (AVI)."""
    told = f"{HEADER['comment']} {HEADER['name']}".encode()
    if path.read_bytes()[:4] == b"RIFF":
        chunk = b"ICMT" + len(told).to_bytes(4, "little") + told + b"\0" * (len(told) % 2)
        told = b"LIST" + (len(chunk) + 4).to_bytes(4, "little") + b"INFO" + chunk
    else:
        told = (len(told) + 8).to_bytes(4, "big") + b"free" + told
    with path.open("ab") as file:
        file.write(told)


_BY_SUFFIX: dict[str, Callable[[Path], None]] = {
    ".dcm": plant_dicom,
    ".hea": _wfdb,
    ".csv": _text,
    ".xml": _muse,
    ".edf": _edf,
    ".nii": _nifti,
    ".gz": _nifti,
    ".npz": _npz,
    ".h5": _hdf5,
    ".json": _json,
    ".mp4": _video,
    ".avi": _video,
}


def cell(row: int) -> str:
    """Return free text for a row of the cohort table."""
    return f"{TABLE['cell']} Jürgen & <i>{row}</i>, {HEADER['written date']}"
