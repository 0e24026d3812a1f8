"""R peaks of a loop: stated, in the header's R wave time vector, or in its ECG trace.

Traces in private elements are not read; those that are only drawn into the picture are, by
`with_drawn_r_peaks`, where somebody asks for it.

References
----------
DICOM PS3.3 C.8.5.6 (US Image: R wave time vector), C.10.9 (waveforms), C.10.2 of 2004 (curves).
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardio_ultrasound.loop import RSource, Stated

CURVE_GROUPS = tuple(range(0x5000, 0x5020, 2))
"""Repeating groups of the retired curve module."""

CURVE_ELEMENTS = (0x0005, 0x0010, 0x0020, 0x0103, 0x0112, 0x0114, 0x3000)
"""Dimensions, number of points, kind of data, representation, start, step, and the data."""

MAX_SAMPLES = 5_000_000
_CURVE_TYPES = {0: "u2", 1: "i2", 2: "f4", 3: "f8", 4: "i4"}
_MIN_RATE_HZ = 50.0
_BAND_HZ = (5.0, 25.0)
_ENERGY_MS, _REFRACTORY_MS, _SEARCH_MS = 100.0, 250.0, 60.0
_THRESHOLD_SHARE = 0.3


class Trace(NamedTuple):
    """An ECG of the header: its samples, their rate, and when they start after the first frame."""

    signal: NDArray[np.float64]
    rate_hz: float
    start_ms: float


def read_r_peaks(
    dataset: Any, name: str, stated: Stated
) -> tuple[NDArray[np.float64] | None, RSource | None, tuple[str, ...]]:
    """Find the R peaks of a DICOM loop, from the best source that there is.

    What is `stated` goes first. Returned are times in ms from the first frame, their source (None
    twice where there is none), and flags.

    Raises
    ------
    DataError
        Stated times that are not finite or not ascending.
    """
    own, who = stated.r_peaks(name)
    if own is not None:
        return own, who, ()
    vector = dataset.get("RWaveTimeVector")
    if vector not in (None, ""):
        times = np.atleast_1d(np.asarray(vector, dtype=np.float64))
        if np.isfinite(times).all() and (np.diff(times) > 0).all() and times.size:
            return times, "RWaveTimeVector", ()
        return None, None, ("R wave time vector ignored: not ascending",)
    traces: tuple[tuple[RSource, Trace | None], ...] = (
        ("waveform", _waveform(dataset)),
        ("curve", _curve(dataset)),
    )
    for source, trace in traces:
        if trace is None:
            continue
        times = find_r_waves(trace.signal, trace.rate_hz) + trace.start_ms
        if times.size:
            return times, source, (f"R peaks found in the ECG {source} of the header",)
        return None, None, (f"no R peak found in the ECG {source} of the header",)
    return None, None, ()


def find_r_waves(ecg: NDArray[np.floating], rate_hz: float) -> NDArray[np.float64]:
    """Find R waves in a single short trace: energy of its slope, then the largest deflection.

    Parameters
    ----------
    ecg : ndarray, shape (n_samples,)
        In any unit; either polarity. NaN counts as missing and is bridged.
    rate_hz : float
        At least 50.

    Returns
    -------
    ndarray, shape (n_peaks,)
        In ms from the first sample; empty for a trace that is too short, slow or flat.

    References
    ----------
    Pan and Tompkins, IEEE Trans Biomed Eng 1985;32:230, without its learning over many beats,
    which a loop does not have.

    Examples
    --------
    >>> time_s = np.arange(0, 2, 1 / 200)
    >>> ecg = sum(np.exp(-(((time_s - at) / 0.01) ** 2)) for at in (0.4, 1.2))
    >>> find_r_waves(ecg, 200.0).tolist()
    [400.0, 1200.0]
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import butter, find_peaks, sosfiltfilt

    known = np.isfinite(ecg)
    if not rate_hz >= _MIN_RATE_HZ or ecg.size < 0.4 * rate_hz or known.sum() < 2:
        return np.empty(0)
    places = np.arange(ecg.size)
    whole = np.interp(places, places[known], ecg[known].astype(np.float64))
    high_hz = min(_BAND_HZ[1], 0.45 * rate_hz)
    sos = butter(2, (_BAND_HZ[0], high_hz), "bandpass", fs=rate_hz, output="sos")
    band = sosfiltfilt(sos, whole)
    if np.ptp(band) <= 1e-9 * max(float(np.abs(whole).max()), 1e-300):
        return np.empty(0)
    energy = uniform_filter1d(np.gradient(band) ** 2, max(round(_ENERGY_MS * rate_hz / 1e3), 1))
    strong = _THRESHOLD_SHARE * float(np.percentile(energy, 98))
    distance = max(round(_REFRACTORY_MS * rate_hz / 1e3), 1)
    peaks, _ = find_peaks(energy, height=strong, distance=distance)
    reach = max(round(_SEARCH_MS * rate_hz / 1e3), 1)
    level = np.abs(band)
    found = []
    for peak in peaks:
        first = max(peak - reach, 0)
        found.append(first + int(np.argmax(level[first : peak + reach + 1])))
    return np.unique(found).astype(np.float64) * (1000.0 / rate_hz)


def _waveform(dataset: Any) -> Trace | None:
    """Return the ECG of a waveform group."""
    from pydicom.waveforms.numpy_handler import multiplex_array

    for index, group in enumerate(dataset.get("WaveformSequence") or []):
        n_samples = int(group.get("NumberOfWaveformSamples") or 0)
        n_channels = int(group.get("NumberOfWaveformChannels") or 0)
        channel = _ecg_channel(group)
        if channel is None or not 0 < n_samples * n_channels <= MAX_SAMPLES:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = multiplex_array(dataset, index, as_raw=True)[:, channel]
                rate_hz = float(group.SamplingFrequency)
                start_ms = float(group.get("MultiplexGroupTimeOffset") or 0.0)
        except Exception:  # noqa: S112 (a damaged trace leaves the loop without R peaks)
            continue
        return Trace(values.astype(np.float64), rate_hz, start_ms)
    return None


def _ecg_channel(group: Any) -> int | None:
    """Return the first channel that calls itself an ECG, or the only one."""
    channels = list(group.get("ChannelDefinitionSequence") or [])
    for index, channel in enumerate(channels):
        source: Any = next(iter(channel.get("ChannelSourceSequence") or []), {})
        words = f"{channel.get('ChannelLabel', '')} {source.get('CodeMeaning', '')}".upper()
        if any(word in words for word in ("ECG", "EKG", "LEAD")):
            return index
    return 0 if len(channels) == 1 else None


def _curve(dataset: Any) -> Trace | None:
    """Return the ECG of a curve."""
    for group in CURVE_GROUPS:
        values = {element: dataset.get((group, element)) for element in CURVE_ELEMENTS}
        kind, n_points, representation, start, step, data = (
            None if values[element] is None else values[element].value
            for element in (0x0020, 0x0010, 0x0103, 0x0112, 0x0114, 0x3000)
        )
        if str(kind or "").strip().upper() != "ECG" or not n_points or not step or data is None:
            continue
        dtype = _CURVE_TYPES.get(int(representation or 0))
        dimensions = values[0x0005]
        n_dimensions = 1 if dimensions is None else int(dimensions.value or 1)
        n_values = int(n_points) * n_dimensions
        if dtype is None or not isinstance(data, bytes) or not 0 < n_values <= MAX_SAMPLES:
            continue
        raw = np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))[:n_values]
        if raw.size < n_values or n_dimensions > 2:
            continue
        # Of pairs (x, y) the last is the potential.
        signal = raw.reshape(-1, n_dimensions)[:, -1].astype(np.float64)
        return Trace(signal, 1000.0 / float(step), float(start or 0))
    return None
