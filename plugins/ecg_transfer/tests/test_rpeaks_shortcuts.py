"""Shortcuts of the R-peak detector against what they stand for, said plainly."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_ecg_transfer.signal.rpeaks import swing, without_flat


def test_a_swing_is_the_largest_less_the_smallest_value_of_its_window():
    signal = np.random.default_rng(0).normal(size=(2, 200))
    samples = np.array([0, 3, 40, 44, 120, 199])  # at both ends, and windows that overlap
    expected = [
        [np.ptp(lead[max(at - 10, 0) : at + 11]) for at in samples.tolist()] for lead in signal
    ]
    np.testing.assert_array_equal(swing(signal, samples, 10), expected)


@pytest.mark.parametrize("rate_hz", [100.0, 257.0, 360.0, 1000.0])
def test_a_flat_stretch_of_a_tenth_of_a_second_is_found_wherever_it_lies(rate_hz):
    n_flat = round(0.1 * rate_hz)
    for start in range(40):
        lead = np.random.default_rng(start).normal(size=500)
        lead[start : start + n_flat] = 0.25
        missing = np.flatnonzero(np.isnan(without_flat(lead[np.newaxis], rate_hz)[0]))
        np.testing.assert_array_equal(missing, np.arange(start, start + n_flat))
        lead[start + n_flat - 1] = 1.25
        assert not np.isnan(without_flat(lead[np.newaxis], rate_hz)).any()
