"""The median beat: what one recording's dominant complexes have in common, with less noise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.filters import require_rate

WINDOW_S = (-0.40, 0.56)
"""Extent around R: room for a PR interval of 340 ms and, at 60 beats a minute, a QT of 480 ms."""

MIN_BEATS = 3
MIN_CORRELATION = 0.9
MAX_SHIFT_S = 0.04
"""Where R and S are alike in size, R of one beat lies up to 25 ms from R of another."""

# Bounds that hold any QRS; MIN_CORRELATION alone decides, and was set on PTB-XL.
_COMPLEX_S = (-0.12, 0.16)  # QRS, of whatever width, and the ST segment: what makes a morphology
LEVEL_MS = (-16.0, -2.0)
"""Before the onset of the QRS: what counts as zero."""

_MOST_COMPARED = 200  # beats from which the dominant one is chosen


@dataclass(frozen=True)
class MedianBeat:
    """The dominant beat of one recording.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        Millivolt, at the recording's rate.
    rate_hz : float
        Sampling rate.
    r_index : int
        Sample of the R peak; sample ``i`` lies at ``(i - r_index) / rate_hz`` seconds.
    leads : tuple of str, length n_leads
        Usual names.
    members : ndarray of int, shape (n_beats,)
        Which of the given R peaks are in the median.
    others : ndarray of int, shape (n_dropped,)
        Which of them are complete beats of another morphology, left out.
    rr_s : float
        Median RR interval of all R peaks given.
    error_mv : ndarray of float32, shape (n_leads, n_samples)
        Standard error of each sample of the median, from the beats' median absolute deviation:
        small where all beats agree, as large as the waves where they come at times of their own.
    r_samples : ndarray of int, shape (n_beats,)
        Sample of the recording at which each member's R lies once it is aligned; empty where a
        beat was not cut from a recording.
    spikes_ms : tuple of float
        When pacemaker spikes come in it, from R; they are bridged.
    """

    signal_mv: NDArray[np.float32]
    rate_hz: float
    r_index: int
    leads: tuple[str, ...]
    members: NDArray[np.intp]
    others: NDArray[np.intp]
    rr_s: float
    error_mv: NDArray[np.float32]
    r_samples: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    spikes_ms: tuple[float, ...] = ()

    @property
    def n_beats(self) -> int:
        """Beats in the median."""
        return int(self.members.size)

    @property
    def n_dropped(self) -> int:
        """Complete beats of another morphology."""
        return int(self.others.size)

    @property
    def time_ms(self) -> NDArray[np.float64]:
        """Time of each sample relative to R, in ms."""
        samples = np.arange(self.signal_mv.shape[1], dtype=np.float64) - self.r_index
        return np.asarray(samples * (1000.0 / self.rate_hz), dtype=np.float64)

    def index(self, time_ms: float) -> int:
        """Return the sample nearest to a time relative to R, within the beat."""
        nearest = self.r_index + round(time_ms * self.rate_hz / 1000.0)
        return int(min(max(nearest, 0), self.signal_mv.shape[1] - 1))

    def noise(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw normal noise of size 1 for every sample, the same for a lead wherever it stands."""
        drawn = rng.normal(0.0, 1.0, self.signal_mv.shape)
        return np.asarray(drawn[np.argsort(np.argsort(np.array(self.leads)))])

    def with_silent(self, names: tuple[str, ...]) -> MedianBeat:
        """Return the beat with further leads that hold zeros, for what looks at leads by name."""
        room = ((0, len(names)), (0, 0))
        return replace(
            self,
            signal_mv=np.pad(self.signal_mv, room),
            error_mv=np.pad(self.error_mv, room),
            leads=self.leads + names,
        )

    def rows(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return leads by name, shape (len(names), n_samples).

        Raises
        ------
        DataError
            If the recording lacks one of them.
        """
        missing = [name for name in names if name not in self.leads]
        if missing:
            raise DataError(
                f"median beat: expected leads {', '.join(names)}, found no {', '.join(missing)} "
                f"among {', '.join(self.leads)}; leave this measurement out for the recording"
            )
        return self.signal_mv[[self.leads.index(name) for name in names]].astype(np.float64)

    def levelled(self, names: tuple[str, ...], qrs_on_ms: float) -> NDArray[np.float64]:
        """Return leads by name, as `rows` does, from their level right before the QRS."""
        rows = self.rows(names)
        first, last = (self.index(qrs_on_ms + edge) for edge in LEVEL_MS)
        return np.asarray(rows - rows[:, first : last + 1].mean(axis=1, keepdims=True))


def median_beat(
    signal_mv: ArrayLike, rate_hz: float, r_samples: ArrayLike, leads: tuple[str, ...]
) -> MedianBeat:
    """Take the sample-wise median of a recording's dominant beats, aligned to each other.

    The dominant beat is the one that resembles the most others (correlation of 0.9 or more from
    120 ms before to 160 ms after R, all leads together). Beats are shifted by up to 40 ms to
    where they correlate best with the median of its like; those that stay below 0.9 (ectopic,
    fused, disturbed) are left out.

    Parameters
    ----------
    signal_mv : array_like, shape (n_leads, n_samples)
        Millivolt, without baseline wander (`filters.high_pass`). A beat with a missing sample is
        left out.
    rate_hz : float
        Sampling rate.
    r_samples : array_like of int, shape (n_peaks,)
        R peaks as sample numbers, ectopic beats included. Beats that reach over an end of the
        recording, as given or once they are aligned, are left out.
    leads : tuple of str, length n_leads
        Names of the rows.

    Returns
    -------
    MedianBeat
        From 400 ms before to 560 ms after R, at the recording's rate.

    Raises
    ------
    DataError
        If fewer than three beats are alike, or the names do not fit the signal.

    Notes
    -----
    Alignment by correlation and the choice of one dominant cycle follow the CSE working party's
    recommendations for coherent averaging (Eur Heart J 1985; 6: 815-825). An atrial premature
    beat with a normal QRS stays in: the median takes no notice of its P wave.

    Examples
    --------
    >>> time_s = np.arange(5000) / 500
    >>> ecg_mv = np.exp(-0.5 * (((time_s % 1) - 0.5) / 0.012) ** 2)
    >>> beat = median_beat([ecg_mv], 500.0, np.arange(250, 5000, 500), ("II",))
    >>> beat.signal_mv.shape, beat.n_beats, float(beat.time_ms[beat.signal_mv[0].argmax()])
    ((1, 481), 9, 0.0)
    """
    given_mv = np.asarray(signal_mv, dtype=np.float64)
    require_rate(rate_hz)
    if given_mv.ndim != 2 or given_mv.shape[0] != len(leads):
        raise DataError(
            f"median beat: expected a signal (n_leads, n_samples) with {len(leads)} leads, "
            f"found shape {given_mv.shape}; name each row"
        )
    peaks = np.asarray(r_samples, dtype=np.int64)
    first, last = (round(edge * rate_hz) for edge in WINDOW_S)
    slack = round(MAX_SHIFT_S * rate_hz)
    beats, complete = _cut_complete(given_mv, peaks, first, last)
    if len(beats) < MIN_BEATS:
        raise _too_few(len(beats), peaks.size, "complete")
    start, stop = (round(edge * rate_hz) - first for edge in _COMPLEX_S)
    centred = _normalised(beats[:, :, start : stop + 1])
    dominant = beats[_alike(centred), :, start : stop + 1]
    template = _normalised(np.median(dominant, axis=0)[None])[0]
    shift, correlation = _best_shift(beats[:, :, start - slack : stop + slack + 1], template)
    similar = correlation >= MIN_CORRELATION
    if similar.sum() < MIN_BEATS:
        raise _too_few(int(similar.sum()), peaks.size, "similar")
    # The template's own R is the median R of its beats, so that the shifts are centred on it.
    own = round(float(np.median(shift[similar])))
    r_samples = peaks[complete[similar]] + shift[similar] - own
    aligned, inside = _cut_complete(given_mv, r_samples, first, last)
    if len(aligned) < MIN_BEATS:
        raise _too_few(len(aligned), peaks.size, "complete")
    middle = np.median(aligned, axis=0)
    # Beats that differ by their level alone (breathing) agree; 1.4826: of a normal variable.
    apart = aligned - middle
    apart -= np.median(apart, axis=2, keepdims=True)
    spread = 1.4826 * np.median(np.abs(apart), axis=0)
    return MedianBeat(
        signal_mv=middle.astype(np.float32),
        rate_hz=float(rate_hz),
        r_index=-first,
        leads=tuple(leads),
        members=complete[similar][inside],
        others=complete[~similar],
        rr_s=float(np.median(np.diff(peaks))) / rate_hz,
        error_mv=(spread * np.sqrt(np.pi / (2 * len(aligned)))).astype(np.float32),
        r_samples=r_samples[inside],
    )


def _cut_complete(
    signal_mv: NDArray[np.float64], peaks: NDArray[np.int64], first: int, last: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Cut (n_beats, n_leads, n_samples) of the beats inside and without gaps, and say which."""
    inside = np.flatnonzero((peaks + first >= 0) & (peaks + last < signal_mv.shape[1]))
    beats = signal_mv[:, peaks[inside, None] + np.arange(first, last + 1)].transpose(1, 0, 2)
    whole = np.isfinite(beats).all(axis=(1, 2))
    return np.asarray(beats[whole]), inside[whole]


def _normalised(complexes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level each lead and scale each beat to unit length, so that products are correlations."""
    levelled = complexes - complexes.mean(axis=-1, keepdims=True)
    length = np.sqrt((levelled**2).sum(axis=(-2, -1), keepdims=True))
    return np.asarray(levelled / np.maximum(length, 1e-12))


def _alike(complexes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the beats that resemble the beat which resembles the most others."""
    flat = complexes.reshape(len(complexes), -1)
    step = -(-len(flat) // _MOST_COMPARED)
    correlation = flat[::step] @ flat.T
    n_alike = (correlation >= MIN_CORRELATION).sum(axis=1)
    # Where as many beats are of one kind as of another, the more uniform kind wins.
    return np.asarray(
        correlation[np.lexsort((correlation.mean(axis=1), n_alike))[-1]] >= MIN_CORRELATION
    )


def _best_shift(
    around: NDArray[np.float64], template: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each beat's shift (samples, later is positive) and its correlation there."""
    n_shifts = around.shape[2] - template.shape[1] + 1
    correlation = np.stack(
        [
            np.einsum("bls,ls->b", _normalised(around[:, :, at : at + template.shape[1]]), template)
            for at in range(n_shifts)
        ],
        axis=1,
    )
    best = correlation.argmax(axis=1)
    return best - n_shifts // 2, np.take_along_axis(correlation, best[:, None], axis=1)[:, 0]


def _too_few(n_found: int, n_peaks: int, kind: str) -> DataError:
    return DataError(
        f"median beat: expected at least {MIN_BEATS} {kind} beats, found {n_found} of {n_peaks} "
        "R peaks; use a longer or cleaner recording"
    )
