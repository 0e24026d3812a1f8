"""A file that `read_ecg` refuses: its message, and the memory that it took."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg

PLANTED = ("DOE^JANE", "Doe", "ller", "4711", "Quasimodo")
"""What files of the tests say of their patient."""

MEASURED = """
import resource, sys
import pydicom.waveforms, wfdb
from cardio_core.errors import DataError
from cardio_ecg_transfer.readers import dicom_waveform, read_ecg
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_ecg(sys.argv[1])
except DataError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def refusal(path: Path, **options: object) -> str:
    """Return the message: one line that begins with the file, and names no patient or folder."""
    with pytest.raises(DataError) as caught:
        read_ecg(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(
        (f"{path.name}: ", f"{path.stem}.")
    )  # a header's record, or a part of it
    assert str(path.parent) not in message
    assert not [word for word in PLANTED if word in message]
    return message


def refusal_in_kib(path: Path) -> tuple[str, int]:
    """Return the message, and by how much the memory of a process grew for it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    message, growth_kib = done.stdout.splitlines()
    return message, int(growth_kib)
