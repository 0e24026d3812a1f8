"""Tests find `spect_phase_maps` beside them: under pytest, and where a file is run as a script."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def crt_cohort(drawn_once):
    """Twelve patients of the CRT cohort; drawing them takes longer than most tests."""
    from cardio_spect_polar.synthetic import synthesize

    return drawn_once(
        "crt", lambda folder: synthesize(folder, task="crt_response", n_patients=12, seed=0)
    )
