"""Valid gated studies and polar maps, as `spect_polar` reads them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np

from ..cases import CANARY, Reader, Seed
from .recordings import opens

_SHAPE = (8, 10, 16, 16)
_VOXEL_MM = (6.4, 6.4, 6.4)


def _heart(seed: int) -> np.ndarray:
    """Counts around a shell, which any reader takes for a ventricle."""
    slots, slices, rows, columns = np.indices(_SHAPE)
    radius = np.hypot(rows - 7.5, columns - 7.5)
    wall = np.exp(-((radius - 4.5) ** 2) / 2) * (slices > 0) * (1 + 0.3 * np.cos(slots * 0.785))
    return np.random.default_rng(seed).poisson(5 + 300 * wall)


def _nm(folder: Path) -> list[Seed]:
    import pydicom

    from cardio_spect_polar.synthetic.write_nm import write_nm

    made = []
    for number in (1, 2):
        path = folder / f"{CANARY}_rest.dcm"
        write_nm(path, _heart(number), _VOXEL_MM, state="rest")
        dataset = pydicom.dcmread(path)
        dataset.PatientName = dataset.PatientID = dataset.StudyDescription = f"{CANARY}^Frollo"
        dataset.save_as(path)
        made.append(Seed({path.name: path.read_bytes()}, path.name, "dicom"))
    return made


def _nifti_bytes(values: np.ndarray) -> bytes:
    import nibabel

    image = nibabel.Nifti1Image(values.astype(np.int16), np.diag([*_VOXEL_MM, 1.0]))
    image.header["descrip"] = CANARY.encode()
    image.header["pixdim"][4] = 0.1
    return bytes(image.to_bytes())


def _nifti(folder: Path) -> list[Seed]:
    import gzip

    made = []
    for number in (1, 2):
        raw = _nifti_bytes(_heart(number).transpose(3, 2, 1, 0))
        name = f"{CANARY}_rest.nii"
        made.append(Seed({name: raw}, name, "bytes"))
        packed = gzip.compress(raw, 1, mtime=0)
        made.append(Seed({f"{name}.gz": packed}, f"{name}.gz", "gzip"))
    return made


def _gates(folder: Path) -> list[Seed]:
    volumes = _heart(1).transpose(0, 3, 2, 1)
    files = {f"{CANARY}_rest_gate{n}.nii": _nifti_bytes(one) for n, one in enumerate(volumes, 1)}
    return [Seed(files, f"{CANARY}_rest_gate{n}.nii", "bytes") for n in (1, 4, 8)]


def _sidecar(folder: Path) -> list[Seed]:
    values = {
        "voxel_mm": list(_VOXEL_MM), "axes": ["column", "row", "slice"], "state": "rest",
        "apex_first": True, "rr_ms": 850, "rejected_share": 0.05, "base_mm": 51.2, "apex_mm": 6.4,
    }  # fmt: skip
    (one, *_) = _nifti(folder)
    files = dict(one.files) | {f"{CANARY}_rest.json": json.dumps(values).encode()}
    several = values | {"base_mm": [51.2] * 8, "long_axis": [45, -25]}
    others = dict(one.files) | {f"{CANARY}_rest.json": json.dumps(several).encode()}
    return [Seed(both, f"{CANARY}_rest.json", "json") for both in (files, others)]


def _maps(folder: Path) -> list[Seed]:
    def npy(values: np.ndarray) -> bytes:
        out = io.BytesIO()
        np.save(out, values)
        return out.getvalue()

    rng = np.random.default_rng(1)
    segments, rings = rng.uniform(0.5, 3, 17), rng.uniform(0.5, 3, (20, 36))
    rows = "\n".join(",".join(f"{x:.3f}" for x in row) for row in rings)
    pairs = "\n".join(f"{n},{x:.3f}" for n, x in enumerate(segments, 1))
    made = {
        "npy": [(npy(segments), "npy"), (npy(rings), "npy")],
        "csv": [(f"# unit=ml/min/g\n{rows}\n".encode(), "csv"),
                (f"segment,value\n{pairs}\n".encode(), "csv")],
        "dcm": [(_capture(folder, rings), "dicom")],
    }  # fmt: skip
    return [
        Seed({f"{CANARY}/{part}.{suffix}": raw for part in ("rest", "stress")},
             f"{CANARY}/stress.{suffix}", kind)
        for suffix, forms in made.items() for raw, kind in forms
    ]  # fmt: skip


def _capture(folder: Path, values: np.ndarray) -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    made.PatientName = made.SeriesDescription = f"{CANARY}^Frollo"
    made.Rows, made.Columns = values.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.RescaleSlope, made.RescaleIntercept = "0.001", "0"
    made.PixelData = (values * 1000).astype("<u2").tobytes()
    made.save_as(folder / "map.dcm", enforce_file_format=True)
    return (folder / "map.dcm").read_bytes()


def _read_maps(folder: Path, file: Path) -> list[str]:
    return list(opens("spect_polar", "mfr")(folder, file.parent))


_GATED = opens("spect_polar", "crt_response")
_FOLDER = opens("spect_polar", "crt_response", whole=True)

READERS = (
    Reader("spect_nm", "SPECT: DICOM NM", _nm, _GATED, cost=2),
    Reader("spect_nifti", "SPECT: NIfTI, plain and compressed", _nifti, _GATED, cost=2),
    Reader("spect_gates", "SPECT: NIfTI, a file a gate", _gates, _FOLDER, cost=4),
    Reader("spect_sidecar", "SPECT: JSON beside a study", _sidecar, _FOLDER, cost=2),
    Reader("spect_maps", "Polar maps: NPY, CSV, DICOM", _maps, _read_maps, cost=2),
    Reader("spect_measured", "SPECT: any format, read and measured",
           lambda folder: _nm(folder) + _nifti(folder),
           opens("spect_polar", "crt_response", measures=True), cost=40, valid=False),
)  # fmt: skip
