"""EDF and EDF+ (European Data Format): a fixed text header and records of 16-bit samples.

The edfio package reads. It mends what contradicts itself (a wrong number of records, a record cut
short) with a warning; here the header is checked against the file's size first, and such a file
is refused. Only signals that are labelled as ECG are read: a sleep recording holds others beside.

References
----------
Kemp B et al. A simple format for exchange of digitized polygraphic recordings.
Electroencephalogr Clin Neurophysiol 1992; 82: 391-393 (EDF).
Kemp B, Olivan J. European data format 'plus' (EDF+). Clin Neurophysiol 2003; 114: 1755-1761.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import edfio
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import MV_PER_UNIT, readable, require_rate, require_size
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import is_lead_name, normalise_lead_name

_HEAD = 256
_VERSION = b"0       "
_TYPED = re.compile(r"\s*(ECG|EKG)(?![A-Z])", re.IGNORECASE)  # EDF+, 2.1.3: type, then sensor
_AXES = {"vx", "vy", "vz"}  # bare X, Y and Z may be an accelerometer's
_AGAIN = "copy or export the recording again"


def read_edf(path: Path, max_values: int) -> Ecg:
    """Read the ECG signals of an EDF or EDF+C file.

    Parameters
    ----------
    path : Path
        The file.
    max_values : int
        Limit on leads × samples, checked on the header.

    Returns
    -------
    Ecg
        In mV, scaled by each signal's physical and digital range. Signals that are labelled
        neither as ECG nor as a lead are left out and counted in `flags`; annotations are skipped.

    Raises
    ------
    DataError
        BDF; no EDF; a header that contradicts itself or the file's size; an unfinished or a
        discontinuous (EDF+D) recording; no ECG signal; a unit other than V, mV, uV or nV; ECG
        signals of different rates; an empty digital or physical range.
    """
    _check_header(path)
    expected = "an EDF header with a number where one belongs"
    with readable(path.name, expected, "other text", _AGAIN):
        edf = edfio.read_edf(path, lazy_load_data=True, header_encoding="latin-1")
        return _read_signals(edf, path.name, max_values)


def _check_header(path: Path) -> None:
    """Check the header against itself and against the file's size; nothing is decoded."""
    name, n_found = path.name, path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        _check_kind(head, name)
        n_signals, n_header = _integer(head[252:256]), _integer(head[184:192])
        if n_signals is None or n_signals < 1 or n_header != _HEAD * (n_signals + 1):
            raise DataError.unusable(
                name,
                "a header of 256 bytes, and 256 more for each signal",
                f"{_number_or_none(n_header)} bytes for {_number_or_none(n_signals)} signals",
                _AGAIN,
            )
        if n_found < n_header:
            raise DataError.unusable(
                name, f"a header of {n_header} bytes", f"{n_found} in all", _AGAIN
            )
        signals = file.read(_HEAD * n_signals)
    n_records, duration = _integer(head[236:244]), head[244:252].strip()
    if n_records is None or n_records < 1:
        raise DataError.unusable(
            name,
            "a finished recording, with its number of data records",
            _number_or_none(n_records),
            "close the recording in its software and export it again",
        )
    if not re.fullmatch(rb"[0-9]*\.?[0-9]+", duration) or float(duration) == 0.0:
        raise DataError.unusable(
            name, "a duration of the data records in s", "none above 0", _AGAIN
        )
    counts = [_integer(signals[at : at + 8]) for at in range(216 * n_signals, 224 * n_signals, 8)]
    if any(count is None or count < 1 for count in counts):
        raise DataError.unusable(
            name, "at least one sample of each signal in a record", "none", _AGAIN
        )
    n_expected = n_header + 2 * n_records * sum(count or 0 for count in counts)
    if n_found != n_expected:
        raise DataError.unusable(
            name,
            f"{n_expected} bytes ({n_signals} signals, {n_records} data records)",
            f"{n_found}",
            _AGAIN,
        )


def _check_kind(head: bytes, name: str) -> None:
    """Refuse what is no EDF, and the kinds of it that are not read."""
    if head[:1] == b"\xff":
        raise DataError.unusable(
            name, "an EDF file of 16-bit samples", "BDF, of 24 bits", "convert it to EDF"
        )
    if len(head) < _HEAD or head[:8] != _VERSION:
        found = "another kind of file" if len(head) >= _HEAD else f"{len(head)} bytes"
        raise DataError.unusable(
            name,
            "an EDF file, with version 0 and a header of 256 bytes or more",
            found,
            "give it the suffix of its format, or export it as EDF",
        )
    if head[192:197] == b"EDF+D":
        raise DataError.unusable(
            name,
            "a continuous recording",
            "EDF+D, which has gaps",
            "export each part as a separate file",
        )


def _integer(field: bytes) -> int | None:
    """Read an integer field, or return None where there is none."""
    text = field.strip()
    return int(text) if re.fullmatch(rb"-?[0-9]+", text) else None


def _number_or_none(number: int | None) -> str:
    return "no number" if number is None else str(number)


def _read_signals(edf: edfio.Edf, name: str, max_values: int) -> Ecg:
    """Choose the ECG signals, check them, and scale them to mV."""
    chosen = [signal for signal in edf.signals if _is_ecg(signal)]
    if not chosen:
        raise DataError.unusable(
            name,
            "a signal labelled as ECG ('ECG II') or as a lead",
            f"none among {len(edf.signals)} signals",
            "label the ECG signals as EDF+ does",
        )
    rates_hz = {signal.sampling_frequency for signal in chosen}
    if len(rates_hz) > 1:
        raise DataError.unusable(
            name,
            "one sampling rate for all ECG signals",
            f"{len(rates_hz)} different ones",
            "resample them to one rate",
        )
    require_rate(name, chosen[0].sampling_frequency)
    n_samples = edf.num_data_records * chosen[0].samples_per_data_record
    require_size(name, len(chosen), n_samples, max_values)
    signal_mv = np.empty((len(chosen), n_samples), dtype=np.float32)
    for index, signal in enumerate(chosen):
        signal_mv[index] = _signal_mv(signal, f"ECG signal {index + 1} of {len(chosen)}", name)
    n_others = len(edf.signals) - len(chosen)
    return Ecg(
        signal_mv,
        chosen[0].sampling_frequency,
        tuple(signal.label.strip() or "ECG" for signal in chosen),
        (f"{n_others} channels left out: no ECG leads",) if n_others else (),
    )


def _is_ecg(signal: edfio.EdfSignal) -> bool:
    """Tell an ECG signal by its EDF+ type, or by the name of a lead."""
    if _TYPED.match(signal.label):
        return True
    known = is_lead_name(signal.label)
    axis = normalise_lead_name(signal.label) in _AXES
    return known and (not axis or signal.physical_dimension.strip() in MV_PER_UNIT)


def _signal_mv(signal: edfio.EdfSignal, place: str, name: str) -> NDArray[np.float64]:
    """Scale one signal: the two ends of the digital range are those of the physical range."""
    factor = MV_PER_UNIT.get(signal.physical_dimension.strip())
    if factor is None:
        raise DataError.unusable(
            name, "the unit V, mV, uV or nV", f"another in {place}", "correct the units"
        )
    digital = signal.digital_max - signal.digital_min
    physical = abs(signal.physical_max - signal.physical_min)  # reversed: a negative gain
    if digital <= 0 or not 0 < physical < math.inf:
        raise DataError.unusable(
            name,
            "a digital and a physical range that are not empty",
            f"an empty or reversed one, or no number, in {place}",
            "correct the header",
        )
    return signal.data * factor
