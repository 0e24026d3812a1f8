"""The parameters of the R-peak detector: one set for every source, chosen on DS1 of MIT-BIH."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RPeakConfig:
    """What the detector takes for granted about hearts and electrodes.

    Attributes
    ----------
    envelope_s : float
        Length of the Hann window that smooths the Shannon energy, in seconds.
    candidate_distance_s : float
        No two candidates of the envelope lie closer, in seconds.
    """

    chebyshev_order: int = 2
    envelope_s: float = 0.12
    candidate_distance_s: float = 0.15
    level_block_s: float = 2.0
    level_n_blocks: int = 9
    half_complex_s: float = 0.075
    smallest_relative: float = 0.08
    smallest_mv: float = 0.01
    n_rounds: int = 3
    n_beats: int = 15
    threshold: float = 0.45
    noise_share: float = 0.5
    noise_floor: float = 0.15
    strongest: float = 1.0
    n_predecessors: int = 10
    refractory_s: float = 0.2
    late_ratio: float = 1.5
    late_weight: float = 2.0
    late_limit: float = 2.0
    early_ratio: float = 0.7
    early_weight: float = 1.0
    irregularity: float = 0.15
    t_wave_s: float = 0.36
    t_wave_ratio: float = 0.5
    t_wave_weight: float = 3.0
    p_wave_s: float = 0.25
    p_wave_ratio: float = 0.5
    p_wave_weight: float = 1.0
    fiducial_s: float = 0.1


DEFAULT_CONFIG = RPeakConfig()
