"""From a file to an `Ecg`: one module a format, and one function that picks it.

`read_ecg` looks at the content first and at the suffix second, reads the file with the module of
its format, gives the leads their usual names and refuses what nothing can be computed from.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cardio_core.api import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardio_ecg_transfer.signal.ecg import Ecg

MIN_DURATION_S = 8.0
"""Shortest recording worth reading: enough beats for a rhythm (methods page, 3.2)."""

MAX_VALUES = 64_000_000
"""Most samples × leads that are decoded: a day of two leads at 360 Hz, 256 MB as float32."""


SUFFIXES = frozenset(
    (".dcm", ".xml", ".edf", ".bdf", ".csv", ".scp", ".mwf", ".mfer", ".mfr", ".ecg", ".json")
)
"""Of recordings beside WFDB's; BDF among them so that it is quarantined by name."""


def is_recording(path: Path) -> bool:
    """Whether a file in a folder may be a recording: by its suffix, of JSON by its content.

    Examples
    --------
    >>> is_recording(Path("one.SCP")), is_recording(Path("notes.txt"))
    (True, False)
    """
    from cardio_ecg_transfer.readers.carts import is_kardia

    suffix = path.suffix.lower()
    return suffix in SUFFIXES and (suffix != ".json" or is_kardia(path))


def read_ecg(
    path: str | Path,
    *,
    min_duration_s: float = MIN_DURATION_S,
    max_values: int = MAX_VALUES,
    rate_hz: float | None = None,
    unit: str | None = None,
) -> Ecg:
    r"""Read one ECG recording in millivolt.

    Parameters
    ----------
    path : str or Path
        A DICOM ECG (``.dcm``, or any file with DICOM's mark), a WFDB record (``100``,
        ``100.hea`` or ``100.dat``), a GE MUSE file (XML), an EDF or EDF+ file (``.edf``, or its
        version field), a text table (``.csv``, ``.tsv``, see `readers.csv_table`), or
        one of the formats of `readers.carts`.
    min_duration_s : float
        A shorter recording is refused, in seconds.
    max_values : int
        A header that claims more samples × leads is refused before anything is decoded.
    rate_hz : float, optional
        Sampling rate of a text table that does not tell it. A file that tells another is refused.
    unit : str, optional
        Unit of a text table that does not tell it, ``"uV"`` say.

    Returns
    -------
    Ecg
        Potentials in mV as they were recorded, nothing filtered. Samples that the format marks
        as missing are NaN. Twelve leads that were stored as eight (I, II, V1 to V6) are twelve
        again, each derived lead with a flag; nothing else is derived. `flags` says what the
        reader had to assume.

    Raises
    ------
    DataError
        The file is missing, damaged, contradicts itself, or holds no usable lead. The message
        names the file and no content of its header, so it holds nothing about the patient.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "ramp.csv"
    >>> rows = "".join(f"{i / 1000},{-i / 1000}\n" for i in range(1000))
    >>> _ = path.write_text("# rate_hz=100\nLEAD I [mV],ii [mV]\n" + rows)
    >>> ecg = read_ecg(path)
    >>> ecg.leads, ecg.duration_s
    (('I', 'II'), 10.0)
    >>> folder.cleanup()
    """
    from cardio_ecg_transfer.readers.checks import SAME_RATE, require_usable
    from cardio_ecg_transfer.signal.leads.names import (
        PRECORDIAL_LEADS,
        canonical_leads,
        derive_limb_leads,
        in_standard_order,
    )

    path = Path(path)
    ecg = _reader_for(path, rate_hz, unit)(path, max_values)
    if rate_hz is not None and not math.isclose(ecg.rate_hz, rate_hz, rel_tol=SAME_RATE):
        raise DataError.unusable(
            path.name,
            f"{rate_hz:g} Hz, as given",
            f"{ecg.rate_hz:g} Hz in the file",
            "leave the rate out, or give the file's",
        )
    require_usable(ecg, path.name, min_duration_s)
    leads, repeated = canonical_leads(ecg.leads)
    ecg = replace(ecg, leads=leads, flags=ecg.flags + repeated)
    if not {"I", "II", *PRECORDIAL_LEADS} <= set(leads):
        return ecg
    full = derive_limb_leads(ecg)
    return ecg if full is ecg else in_standard_order(full)


def _reader_for(path: Path, rate_hz: float | None, unit: str | None) -> Callable[[Path, int], Ecg]:
    """Choose the format's module by content, then by suffix."""
    from cardio_ecg_transfer.readers.carts import format_of

    suffix = path.suffix.lower()
    start = _first_bytes(path)
    of_record = suffix in {"", ".hea", ".dat"}
    given: dict[str, object] = {}
    if suffix in {".dcm", ".dicom"} or start[128:132] == b"DICM":
        home, name = "dicom_waveform", "read_dicom"
    elif suffix == ".xml" or _is_xml(start):
        home, name = "", ""
    elif suffix in {".edf", ".bdf"} or start.startswith((b"0       ", b"\xffBIOSEMI")):
        home, name = "edf", "read_edf"
    elif not of_record and (cart := format_of(start, suffix)) is not None:
        home, name, given = "carts", "read_cart", {"name": cart}
    elif suffix in {".csv", ".tsv"} or start.lstrip().startswith(b"# rate_hz"):
        home, name, given = "csv_table", "read_csv", {"rate_hz": rate_hz, "unit": unit}
    else:
        home, name = "wfdb_record", "read_wfdb"
    in_parts = home == "wfdb_record" and (not suffix or path.with_suffix(".dat").is_file())
    if not path.is_file() and not in_parts:
        raise DataError.unusable(path.name, "a file", "none", "check the path")
    if not home:
        return _read_xml
    module = import_module(f"cardio_ecg_transfer.readers.{home}")
    return cast("Callable[[Path, int], Ecg]", partial(getattr(module, name), **given))


def _read_xml(path: Path, max_values: int) -> Ecg:
    """Read XML by what its root element is."""
    from cardio_ecg_transfer.readers.carts import XML_ROOTS, read_cart
    from cardio_ecg_transfer.readers.guarded_xml import root_of, unknown_root
    from cardio_ecg_transfer.readers.muse_xml import ROOT, read_muse

    root = root_of(path)
    if root == ROOT:
        return read_muse(path, max_values)
    if root not in XML_ROOTS:
        raise unknown_root(path.name, root, ", ".join((ROOT, *XML_ROOTS)))
    return read_cart(path, max_values, XML_ROOTS[root])


def _is_xml(start: bytes) -> bool:
    """Know XML by its first bracket, in UTF-16 by its byte order mark."""
    marks = (b"\xff\xfe<", b"\xfe\xff\0<")
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") or start.startswith(marks)


def _first_bytes(path: Path) -> bytes:
    """Return the first 132 bytes, or none where the path names a record without a suffix."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(132)
