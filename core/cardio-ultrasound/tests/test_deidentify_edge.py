"""Print that runs into the sector is told of; a picture without print gets no such flag."""

from __future__ import annotations

import numpy as np

from cardio_ultrasound import fit_sector
from cardio_ultrasound.deidentify.burned_in import print_crosses

from . import printed_loops as made


def test_a_trace_that_runs_into_the_sector_is_told_of_and_tissue_is_not():
    plain = made.speckle()
    sector = fit_sector(plain).mask()
    assert not print_crosses(plain.max(axis=0), sector)
    grey = made.printed(plain, colour=False).frames
    assert print_crosses(grey.max(axis=0), sector)


def test_print_beside_the_sector_that_does_not_reach_it_is_no_reason():
    high = made.speckle().max(axis=0)
    sector = fit_sector(made.speckle()).mask()
    high = np.pad(high, 40)
    high[-20:-10] = 255
    assert not print_crosses(high, np.pad(sector, 40))
