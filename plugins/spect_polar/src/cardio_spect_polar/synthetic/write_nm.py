"""Write a gated short-axis stack as a DICOM NM image, RECON GATED TOMO.

References
----------
DICOM PS3.3 A.5 (NM Image), C.8.4.8 (NM Image: frame increment pointer), C.8.4.11 (NM/PET Patient
Orientation), C.8.4.12 (NM Isotope), C.8.4.13 (NM Multi-gated Acquisition), C.8.4.15 (NM
Reconstruction); PS3.16 CID 26 (views), CID 3102 (rest and stress).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

from cardio_spect_polar.readers.gated import State, without_state

_DATE, _TIME = "20000101", "000000"
_LARGEST = 32767
_N_BEATS = 500
_ROW, _COLUMN = (0.5**0.5, 0.5**0.5, 0.0), (-0.5, 0.5, -(0.5**0.5))
"""Along a row towards the patient's left and back, down a column towards the diaphragm: the usual
oblique short axis. Their cross product points from the apex to the base."""


def write_nm(
    path: Path,
    counts: NDArray[np.floating] | NDArray[np.integer],
    voxel_mm: tuple[float, float, float],
    *,
    apex_first: bool = True,
    state: State | None = None,
    rr_ms: float = 850.0,
    rejected_share: float = 0.0,
    shuffle_seed: int | None = None,
) -> None:
    """Write one study; the same call writes the same bytes.

    Parameters
    ----------
    path : Path
        The file; its name alone makes the identifiers in it.
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts, finite and at least 0: time slots from the R wave, rows from anterior to inferior,
        columns from the septum to the lateral wall, slices in the order that `apex_first` names.
        Integers up to 32767 are stored as they are; anything else in steps of the maximum / 32767.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    apex_first : bool
        Whether slice 0 lies at the apex: written as slice progression, and as the sign of the
        slice spacing along the normal of the first slice.
    state : {"stress", "rest"}, optional
        What the patient was at: written as a code in the acquisition context.
    rr_ms : float
        Mean RR interval of the accepted beats in ms.
    rejected_share : float
        Beats rejected / (accepted + rejected), 0 to below 1; stored for 500 beats, so in steps
        of 0.002.
    shuffle_seed : int, optional
        Put the frames, with their vectors, in random order.

    Raises
    ------
    ValueError
        Counts that are not four-dimensional, negative or not finite.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from cardio_spect_polar.readers.nm import read_nm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "made.dcm"
    ...     counts = np.random.default_rng(0).poisson(60, (8, 12, 16, 16))
    ...     write_nm(path, counts, (6.4, 6.4, 6.4), state="rest")
    ...     stack = read_nm(path)
    >>> stack.counts.shape, stack.state, stack.rr_ms
    ((8, 12, 16, 16), 'rest', 850.0)
    """
    values = np.asarray(counts)
    if values.ndim != 4 or not np.isfinite(values).all() or values.min(initial=0) < 0:
        raise ValueError("counts must be finite, not negative, in four dimensions")
    stored, slope = _stored(values)
    n_slots, n_slices = values.shape[:2]
    slots, slices = (index.ravel() for index in np.indices((n_slots, n_slices)))
    order = np.arange(slots.size)
    if shuffle_seed is not None:
        order = np.random.default_rng(shuffle_seed).permutation(order)
    dataset = _identified(path)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"]
    dataset.FrameIncrementPointer = [0x00540060, 0x00540070, 0x00540080]
    dataset.RRIntervalVector = [1] * order.size
    dataset.TimeSlotVector = (slots[order] + 1).tolist()
    dataset.SliceVector = (slices[order] + 1).tolist()
    dataset.NumberOfRRIntervals = 1
    dataset.NumberOfTimeSlots, dataset.NumberOfSlices = n_slots, n_slices
    _describe_geometry(dataset, voxel_mm, apex_first)
    _describe_gating(dataset, n_slots, rr_ms, rejected_share)
    if state is not None:
        dataset.AcquisitionContextSequence = [_state(state)]
    frames = stored.reshape(order.size, *values.shape[2:])[order]
    _add_pixels(dataset, frames, slope)
    dataset.save_as(path, enforce_file_format=True)


def _stored(values: NDArray[np.generic]) -> tuple[NDArray[np.uint16], str]:
    """Turn counts into stored integers, and the slope that undoes it as a decimal string."""
    largest = float(values.max(initial=0))
    if largest <= _LARGEST and np.array_equal(values, np.rint(values.astype(np.float64))):
        return values.astype(np.uint16), "1"
    slope = f"{largest / _LARGEST:.9e}"
    steps = np.rint(values.astype(np.float64) / float(slope))
    return np.minimum(steps, _LARGEST + 1).astype(np.uint16), slope


def _identified(path: Path) -> Dataset:
    """Begin a data set with the modules of patient, study, series and equipment."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = NuclearMedicineImageStorage
    for level in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, level, generate_uid(entropy_srcs=["cardio synthetic", path.stem, level]))
    dataset.Modality = "NM"
    dataset.Manufacturer = "cardio synthetic cohort"
    # Rest and stress of one patient differ in their names by that word.
    dataset.PatientID = without_state(path.stem).strip(" ._-") or path.stem
    dataset.PatientName = dataset.PatientID
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyDate = dataset.ContentDate = dataset.AcquisitionDate = _DATE
    dataset.StudyTime = dataset.ContentTime = dataset.AcquisitionTime = _TIME
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = dataset.InstanceNumber = "1"
    return dataset


def _describe_geometry(
    dataset: Dataset, voxel_mm: tuple[float, float, float], apex_first: bool
) -> None:
    """Add the modules of orientation, detector and reconstruction."""
    dataset.PatientOrientationCodeSequence = [_code("102538003", "Recumbent")]
    dataset.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = [
        _code("40199007", "Supine")
    ]
    dataset.PatientGantryRelationshipCodeSequence = [_code("102540008", "Headfirst")]
    detector = Dataset()
    detector.CollimatorType = "PARA"
    detector.ImageOrientationPatient = [f"{cosine:.6f}" for cosine in (*_ROW, *_COLUMN)]
    detector.ImagePositionPatient = ["0", "0", "0"]
    detector.ViewCodeSequence = [_code("103340004", "Short axis")]
    detector.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.DetectorInformationSequence = [detector]
    dataset.NumberOfDetectors = 1
    dataset.EnergyWindowInformationSequence = [_energy_window()]
    dataset.NumberOfEnergyWindows = 1
    dataset.RadiopharmaceuticalInformationSequence = [_radiopharmaceutical()]
    slices_mm, rows_mm, columns_mm = voxel_mm
    dataset.PixelSpacing = [f"{rows_mm:g}", f"{columns_mm:g}"]
    dataset.SliceThickness = f"{slices_mm:g}"
    # C.8.4.15: positive where the stack grows along the normal, which here is apex to base.
    dataset.SpacingBetweenSlices = f"{slices_mm if apex_first else -slices_mm:g}"
    dataset.SliceProgressionDirection = "APEX_TO_BASE" if apex_first else "BASE_TO_APEX"


def _describe_gating(dataset: Dataset, n_slots: int, rr_ms: float, rejected_share: float) -> None:
    """Add the module of multi-gated acquisition: beats, and their division into slots."""
    frame_ms = f"{rr_ms / n_slots:.10g}"
    n_rejected = round(_N_BEATS * rejected_share)
    slot_times = [Dataset() for _ in range(n_slots)]
    for item in slot_times:
        item.TimeSlotTime = frame_ms
    data = Dataset()
    data.FrameTime = frame_ms
    data.NominalInterval = str(round(rr_ms))
    data.LowRRValue, data.HighRRValue = str(round(0.8 * rr_ms)), str(round(1.2 * rr_ms))
    data.IntervalsAcquired, data.IntervalsRejected = str(_N_BEATS - n_rejected), str(n_rejected)
    data.TimeSlotInformationSequence = slot_times
    gated = Dataset()
    gated.TriggerSourceOrType = "EKG"
    gated.DataInformationSequence = [data]
    dataset.BeatRejectionFlag = "Y"
    dataset.HeartRate = str(round(60_000 / rr_ms))
    dataset.GatedInformationSequence = [gated]


def _energy_window() -> Dataset:
    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = "126", "154"
    window = Dataset()
    window.EnergyWindowRangeSequence = [limits]
    return window


def _radiopharmaceutical() -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = "Tc-99m sestamibi"
    item.RadionuclideCodeSequence = [_code("72454006", "Technetium-99m")]
    return item


def _state(state: State) -> Dataset:
    values = {
        "rest": _code("128975004", "Resting State"),
        "stress": _code("109091", "Cardiac Stress State", "DCM"),
    }
    item = Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = [_code("109054", "Patient State", "DCM")]
    item.ConceptCodeSequence = [values[state]]
    return item


def _add_pixels(dataset: Dataset, frames: NDArray[np.uint16], slope: str) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, "0"
    dataset.PixelData = frames.astype("<u2").tobytes()


def _code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    """Build a code sequence item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
