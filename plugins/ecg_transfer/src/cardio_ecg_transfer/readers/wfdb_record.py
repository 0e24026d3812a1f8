"""WFDB records: a text header (.hea), a signal file (.dat) and annotations (.atr).

The wfdb package decodes. What it lets pass is checked here: a missing sampling rate (it would
assume 250 Hz), a lead count that contradicts the signal lines, a signal file of the wrong size,
a checksum that does not fit, and a signal file outside the record's folder or on a network.

References
----------
WFDB Applications Guide, header(5), signal(5) and annot(5), physionet.org/physiotools/wag.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.readers.checks import MV_PER_UNIT, readable, require_rate, require_size
from cardio_ecg_transfer.signal.ecg import Ecg

# signal(5): bytes a sample, and the code that marks a missing one.
_FORMATS: dict[str, tuple[float, int]] = {
    "16": (2, -(2**15)),
    "24": (3, -(2**23)),
    "32": (4, -(2**31)),
    "61": (2, -(2**15)),
    "80": (1, -(2**7)),
    "160": (2, -(2**15)),
    "212": (1.5, -(2**11)),
    "310": (4 / 3, -(2**9)),
    "311": (4 / 3, -(2**9)),
}
_MAX_HEADER_BYTES = 1_000_000
_MAX_ANNOTATION_BYTES = 10_000_000
"""Two bytes a beat: a day of 100 a minute has 300,000."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_AGAIN = "copy or export the record again"


def read_wfdb(path: Path, max_values: int) -> Ecg:
    """Read a record named by its header, its signal file, or by neither's suffix.

    Parameters
    ----------
    path : Path
        ``folder/100``, ``folder/100.hea`` or ``folder/100.dat``.
    max_values : int
        Limit on leads × samples, checked on the header.

    Returns
    -------
    Ecg
        Potentials ``(digital − baseline) / gain`` in mV; the format's code for a missing sample
        becomes NaN. Channels that are no potential (pressure, respiration) are left out and
        counted in `flags`.

    Raises
    ------
    DataError
        See the module's first lines; each message says which of them it is.
    """
    header_path = _header_path(path)
    lines = _header_lines(header_path)
    _check_header_lines(lines, header_path)
    header = _parse_header(header_path)
    _check_signal_files(header, header_path, max_values)
    digital = _decode(header, header_path)
    flags = _assumed_gains(lines)
    if any(header.skew[i] for i in range(header.n_sig)):
        digital = _decode(header, header_path, ignore_skew=False)
        flags.append("leads aligned by the header's skew")
    return _in_millivolt(header, digital, header_path.name, flags)


def read_annotations(
    path: str | Path, extension: str = "atr"
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Read a record's annotations: beats and everything else, in the order of the file.

    Parameters
    ----------
    path : str or Path
        The record (``100``), or one of its files.
    extension : str
        The annotator, the suffix of the annotation file without its dot.

    Returns
    -------
    samples : ndarray of int64, shape (n_annotations,)
        Sample numbers at the record's rate, counted from 0, not decreasing.
    symbols : tuple of str, length n_annotations
        PhysioNet's codes: ``N V A / +`` and so on.

    Raises
    ------
    DataError
        The file is missing, cut short, or no annotation file.
    """
    path = Path(path)
    base = path.with_suffix("") if path.suffix in {".hea", ".dat", f".{extension}"} else path
    file = base.with_name(f"{base.name}.{extension}")
    if not file.is_file():
        raise DataError.unusable(
            file.name, "the record's annotations", "no such file", "put it next to the header"
        )
    if file.stat().st_size > _MAX_ANNOTATION_BYTES:
        raise DataError.unusable(
            file.name,
            f"at most {_MAX_ANNOTATION_BYTES // 10**6} MB of annotations",
            f"{file.stat().st_size / 1e6:.3g} MB",
            "cut the record into shorter ones",
        )
    # annot(5): a file in MIT format ends with a zero word, which wfdb does not insist on.
    content = file.read_bytes()
    if len(content) % 2 or not content.endswith(b"\0\0"):
        raise DataError.unusable(file.name, "a zero word at the end", "a file cut short", _AGAIN)
    with readable(file.name, "annotations in MIT format", "something else", _AGAIN):
        annotation = wfdb.rdann(str(base), extension)
        samples = np.asarray(annotation.sample, dtype=np.int64)
        symbols = tuple(str(symbol) for symbol in annotation.symbol)
    if samples.size and (samples[0] < 0 or np.any(np.diff(samples) < 0)):
        raise DataError.unusable(
            file.name, "annotations in order of time", "times that go back", _AGAIN
        )
    return samples, symbols


def _header_path(path: Path) -> Path:
    """Find the header that belongs to the path."""
    candidates = [path.with_name(path.name + ".hea")]
    if path.suffix:
        candidates.insert(0, path.with_suffix(".hea"))
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if not path.exists():
        raise DataError(
            f"{path.name}: no such file; check the path, and that .hea and .dat of a WFDB record "
            "lie side by side"
        )
    raise DataError.unusable(
        path.name,
        "a WFDB record (with its .hea), a DICOM ECG or a CSV with a rate line",
        "a file of another kind",
        "check the path and that .hea and .dat lie side by side",
    )


def _header_lines(path: Path) -> list[list[str]]:
    """Split the header into its lines' fields, comments left out: they may name the patient."""
    if path.stat().st_size > _MAX_HEADER_BYTES:
        raise DataError.unusable(path.name, "a text header of a few lines", "a large file", _AGAIN)
    lines = [line.split() for line in path.read_bytes().decode("latin-1").splitlines()]
    return [line for line in lines if line and not line[0].startswith("#")]


def _check_header_lines(lines: list[list[str]], path: Path) -> None:
    """Check what the parser would fill in by itself: rate, lead count, where the files are."""
    record = lines[0] if lines else []
    if len(record) < 2 or not record[1].isdigit():
        raise DataError.unusable(
            path.name, "a record line 'name leads rate samples'", "none", _AGAIN
        )
    if "/" in record[0]:
        raise DataError.unusable(
            path.name,
            "a record of one segment",
            "a record of several",
            "join its segments into one (wfdb.rdrecord, then wfdb.wrsamp)",
        )
    if len(record) < 3:
        raise DataError.unusable(path.name, "a sampling rate", "none", "add it to the record line")
    require_rate(path.name, _number(record[2].partition("/")[0]))
    n_claimed, n_described = int(record[1]), len(lines) - 1
    if n_claimed != n_described:
        raise DataError.unusable(
            path.name,
            f"{n_claimed} signal lines, as the record line says",
            f"{n_described}",
            "correct the lead count or add the missing lines",
        )
    # A header is somebody else's text: its file names must not lead out of the folder, nor to a
    # network address, which wfdb would open.
    if not all(_PLAIN_NAME.fullmatch(line[0]) for line in lines[1:]):
        raise DataError.unusable(
            path.name, "signal files next to the header", "a name that leads elsewhere", _AGAIN
        )


def _assumed_gains(lines: list[list[str]]) -> list[str]:
    """Flag the channels without a gain: header(5) reads them as 200 per mV."""
    gains = [re.match(r"-?[0-9.e+-]*", line[2]) if len(line) > 2 else None for line in lines[1:]]
    return [
        f"gain of channel {index + 1} assumed: 200 per mV"
        for index, gain in enumerate(gains)
        if gain is None or gain[0].strip("0.") == ""
    ]


def _number(text: str) -> float:
    """Read a rate as header(5) writes it, where the parser would silently assume 250 Hz."""
    return float(text) if re.fullmatch(r"\d+\.?\d*", text) else math.nan


def _parse_header(path: Path) -> Any:
    """Let wfdb parse the header, and fill in the optional fields of each signal."""
    with readable(path.name, "a WFDB header", "lines that cannot be parsed", _AGAIN):
        header = wfdb.rdheader(str(path.with_suffix("")))
    for field, default in (("skew", 0), ("byte_offset", 0), ("samps_per_frame", 1)):
        values = [value or default for value in getattr(header, field) or [None] * header.n_sig]
        setattr(header, field, values)
    return header


def _check_signal_files(header: Any, path: Path, max_values: int) -> None:
    """Check every signal file against the header before a byte of it is decoded."""
    if header.n_sig:
        _check_layout(header, path)
    if header.sig_len or not header.n_sig:  # header(5): no length, or 0, leaves it to the file
        require_size(path.name, header.n_sig, header.sig_len or 0, max_values)
    for name in dict.fromkeys(header.file_name):
        indices = [i for i, other in enumerate(header.file_name) if other == name]
        file = path.with_name(name)
        if not file.is_file():
            raise DataError.unusable(path.name, f"its signal file {name}", "no such file", _AGAIN)
        bytes_a_sample = _FORMATS[header.fmt[indices[0]]][0]
        n_bytes = file.stat().st_size - header.byte_offset[indices[0]]
        if not header.sig_len:
            header.sig_len = int(n_bytes / (bytes_a_sample * len(indices)))
            require_size(path.name, header.n_sig, header.sig_len, max_values)
        _check_size(name, header.sig_len, len(indices), bytes_a_sample, n_bytes)


def _check_layout(header: Any, path: Path) -> None:
    """Refuse layouts that this reader does not know."""
    unknown = [fmt for fmt in header.fmt if fmt not in _FORMATS]
    if unknown:
        raise DataError.unusable(
            path.name,
            f"a signal format of {', '.join(_FORMATS)}",
            f"format {unknown[0]}",
            "convert the record with wfdb.wrsamp",
        )
    if any(n != 1 for n in header.samps_per_frame):
        raise DataError.unusable(
            path.name,
            "one sampling rate for all leads",
            "several samples a frame",
            "resample the record to one rate",
        )


def _check_size(
    name: str, n_samples: int, n_leads: int, bytes_a_sample: float, n_bytes: int
) -> None:
    """Compare a signal file's size with what the header claims.

    Formats that pack several samples may end in a padded group, hence the four bytes of slack.
    """
    n_expected = math.ceil(n_samples * n_leads * bytes_a_sample)
    expected = f"{n_expected} bytes ({n_leads} leads × {n_samples} samples)"
    if n_bytes < n_expected:
        raise DataError.unusable(name, expected, f"{n_bytes}: the file is cut short", _AGAIN)
    if n_bytes > n_expected + 4:
        found = f"{n_bytes}: the header names too few leads or samples"
        raise DataError.unusable(name, expected, found, "correct the header")


def _decode(header: Any, path: Path, *, ignore_skew: bool = True) -> NDArray[np.int32]:
    """Decode the samples, shape (n_samples, n_leads), and compare their checksums."""
    with readable(path.name, "samples in the header's format", "others", _AGAIN):
        record = wfdb.rdrecord(
            str(path.with_suffix("")), physical=False, return_res=32, ignore_skew=ignore_skew
        )
        digital: NDArray[np.int32] = record.d_signal
    if ignore_skew:
        sums = digital.sum(axis=0, dtype=np.int64)
        for index, claimed in enumerate(header.checksum or []):
            # header(5): a signed 16-bit sum; some writers print it unsigned.
            if claimed is not None and (int(sums[index]) - int(claimed)) % 65536:
                raise DataError.unusable(
                    path.name,
                    f"samples with the header's checksum in lead {index + 1} of {header.n_sig}",
                    "others: the file was changed or damaged",
                    _AGAIN,
                )
    return digital


def _in_millivolt(header: Any, digital: NDArray[np.int32], name: str, flags: list[str]) -> Ecg:
    """Scale each potential to mV, mark missing samples, leave other channels out."""
    kept = {i: MV_PER_UNIT[unit] for i, unit in enumerate(header.units) if unit in MV_PER_UNIT}
    if not kept:
        raise DataError.unusable(name, "leads in V, mV, uV or nV", "none", "correct the units")
    if len(kept) < header.n_sig:
        flags.append(f"{header.n_sig - len(kept)} channels left out: no potentials")
    signal_mv = np.empty((len(kept), digital.shape[0]), dtype=np.float32)
    leads = []
    for row, (i, factor) in enumerate(kept.items()):
        lead = (header.sig_name[i] or "").strip() or f"channel {i + 1}"
        column = digital[:, i]
        gain = float(header.adc_gain[i])
        signal_mv[row] = (column - float(header.baseline[i])) * (factor / gain)
        signal_mv[row, column == _FORMATS[header.fmt[i]][1]] = np.nan
        leads.append(lead)
    return Ecg(signal_mv, float(header.fs), tuple(leads), tuple(flags))
