"""The parameters of the R-peak detector: one set for every source, chosen on DS1 of MIT-BIH."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RPeakConfig:
    """What the detector takes for granted about hearts, electrodes and annotators.

    Strengths are relative to the usual beat of the surroundings; ratios of strengths and of
    intervals act through their logarithms, so that a weight is a price per natural log unit.

    Attributes
    ----------
    flat_s : float
        Exactly equal samples for this long, in seconds, are no signal.
    spike_rate_hz, spike_s, spike_around_s : float
        From this sampling rate on, what stands out from a running median of ``spike_s`` seconds by
        more than all that remains within ``spike_around_s`` seconds is a pacing spike.
    chebyshev_order : int
        Order of the low-pass prototype of the 6 to 18 Hz band: 2 or 4.
    envelope_s : float
        Length of the Hann window that smooths the Shannon energy, in seconds.
    candidate_distance_s : float
        Two candidates lie at least so far apart, in seconds.
    half_complex_s : float
        A deflection is measured within this many seconds of its candidate.
    tall_s, sharp_s : float
        Running means of these lengths, in seconds, are taken off before the height and the
        sharpness of a deflection are measured: about a QRS complex, and about its upstroke.
    sharp_share : float
        Weight of sharpness in the strength (0 to 1); height has the rest.
    level_block_s : float
        The usual beat is first guessed from maxima of blocks of this length, in seconds.
    level_n_blocks : int
        Number of blocks in the running median of those maxima.
    smallest_share : float
        Weaker deflections, as a share of the usual beat, are no candidates.
    smallest_mv : float
        A lead whose usual deflection is lower, in millivolt, shows no beats.
    first_threshold : float
        Strength from which a candidate counts as a beat before anything is learnt; low, because
        small beats between tall ectopic ones must take part in the learning.
    n_rounds : int
        Largest number of rounds; it ends early once the beats no longer change.
    n_beats : int
        Number of beats in the running medians of signal level, noise level and RR interval.
    noise_exponent : float
        Threshold = noise level to this power: 0.5 is half-way between noise and signal in decibel.
    lowest_threshold : float
        Lower bound of the threshold, for recordings without noise.
    largest_worth, smallest_worth : float
        Bounds of the evidence for a candidate: above it a beat is not more certain; below it a
        candidate is dropped at once.
    n_predecessors : int
        Number of candidates that are tried as the beat before; earlier ones count as a pause.
    refractory_s : float
        No two beats are closer, in seconds.
    late_ratio, late_weight, late_limit : float
        An RR interval longer than ``late_ratio`` times the usual costs ``late_weight`` per log
        unit, up to ``late_limit`` log units. This is the search-back.
    early_ratio, early_weight : float
        The same for intervals shorter than ``early_ratio`` times the usual.
    irregularity : float
        Spread of log RR at which these two prices are halved: fibrillation has no usual interval.
    t_wave_s, t_wave_ratio, t_wave_weight : float
        Within ``t_wave_s`` seconds of a beat a candidate with less than ``t_wave_ratio`` of its
        sharpness is probably its T wave and pays ``t_wave_weight`` per log unit.
    close_s, close_ratio, close_weight : float
        Within ``close_s`` seconds of a beat a candidate pays ``close_weight`` per log unit of
        strength above ``close_ratio`` of that beat: the earlier one was probably a P wave.
    fiducial_s : float
        The R peak is the largest deflection within this many seconds of the candidate.
    fiducial_shift_s : float
        It may then move to the extremum of the unsharpened signal by this much, in seconds.
    """

    flat_s: float = 0.1
    spike_rate_hz: float = 400.0
    spike_s: float = 0.012
    spike_around_s: float = 0.06
    chebyshev_order: int = 2
    envelope_s: float = 0.12
    candidate_distance_s: float = 0.15
    half_complex_s: float = 0.075
    tall_s: float = 0.16
    sharp_s: float = 0.06
    sharp_share: float = 0.6
    level_block_s: float = 2.0
    level_n_blocks: int = 9
    smallest_share: float = 0.1
    smallest_mv: float = 0.01
    first_threshold: float = 0.2
    n_rounds: int = 8
    n_beats: int = 11
    noise_exponent: float = 0.55
    lowest_threshold: float = 0.3
    largest_worth: float = 2.0
    smallest_worth: float = -1.0
    n_predecessors: int = 6
    refractory_s: float = 0.2
    late_ratio: float = 1.5
    late_weight: float = 1.5
    late_limit: float = 2.0
    early_ratio: float = 0.75
    early_weight: float = 0.5
    irregularity: float = 0.1
    t_wave_s: float = 0.36
    t_wave_ratio: float = 0.7
    t_wave_weight: float = 2.5
    close_s: float = 0.28
    close_ratio: float = 0.3
    close_weight: float = 2.0
    fiducial_s: float = 0.08
    fiducial_shift_s: float = 0.014


DEFAULT_CONFIG = RPeakConfig()
