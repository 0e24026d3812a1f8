"""Loops with a patient's name in every place that a file has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from cardio_ultrasound import TracedEcg, write_us_loop

from . import printed_loops as made

PLANTED = "Quasimodo"


def planted_loop(path: Path, patient: str = "MRN-774411", **options) -> Path:
    """Write a loop with the name in header, nested sequence, private element, text and path."""
    printed = made.printed(made.speckle()).frames
    ecg = TracedEcg(np.sin(np.arange(200) / 9.0), 500.0)
    options = {"frame_rate_hz": 50, "r_times_ms": [20.0, 110.0]} | options
    write_us_loop(path, printed, mm_per_pixel=(0.6, 0.6), heart_rate_bpm=72, ecg=ecg, **options)
    made_of = pydicom.dcmread(path)
    for keyword in ("PatientName", "InstitutionName", "StudyDescription", "ImageComments"):
        setattr(made_of, keyword, f"{PLANTED}^Frollo")
    made_of.PatientID, made_of.PatientBirthDate = patient, "19610203"
    made_of.StudyInstanceUID = f"1.2.3.{len(patient)}"
    made_of.DepthOfScanField = "140"
    made_of.FrameTime = made_of.get("FrameTime")
    inner = Dataset()
    inner.PatientID, inner.TextString = "MRN-774411", PLANTED
    item = Dataset()
    item.ReferencedSOPInstanceUID, item.RequestedProcedureDescription = "1.2.3", PLANTED
    item.OtherPatientIDsSequence = [inner]
    made_of.RequestAttributesSequence = [item]
    block = made_of.private_block(0x0029, PLANTED, create=True)
    block.add_new(0x10, "UT", f"{PLANTED} 19610203")
    block.add_new(0x11, "OB", PLANTED.encode("utf-16-le"))
    overlay = made_of.SequenceOfUltrasoundRegions[0]
    overlay.add_new(0x00181030, "LO", PLANTED)
    made_of.save_as(path)
    with path.open("ab") as file:
        file.write(PLANTED.encode())
    return path
