"""QRS limits of LUDB's even records against the marks that people set."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cardio_ecg_transfer.readers.wfdb_record import read_annotations, read_wfdb
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS, canonical_leads
from cardio_ecg_transfer.signal.measurements.measure import measure_ecg

# 2026-11-24: onset +1.4 ± 5.5 ms, end +1.1 ± 3.8, duration -0.3 ± 7.2, r .935
# (tests/stored/ecg_limits.json).
RECORDS = range(2, 101, 2)
SAME_BEAT_MS = 100.0

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not os.environ.get("CARDIO_DATA") and os.environ.get("CI") != "true",
        reason="CARDIO_DATA names no folder with ludb",
    ),
]


def path_of(record):
    return Path(os.environ["CARDIO_DATA"]) / "ludb/data" / f"{record}.hea"


def measured(record, gain=1.0):
    """Measure as the plugin does."""
    ecg = read_wfdb(path_of(record), max_values=1_000_000)
    ecg = replace(
        ecg, leads=canonical_leads(ecg.leads)[0], signal_mv=np.float32(ecg.signal_mv * gain)
    )
    return measure_ecg(ecg)


def human(record, r_ms):
    """Median onset and end of QRS over the leads of a beat, then over the beats, in ms from R."""
    rate_hz = read_wfdb(path_of(record), max_values=1_000_000).rate_hz
    marks = np.full((len(r_ms), 12, 2), np.nan)
    for lead, name in enumerate(STANDARD_LEADS):
        samples, symbols = read_annotations(path_of(record), name.lower())
        times_ms = np.asarray(samples) * 1000.0 / rate_hz
        for place in np.flatnonzero(np.array(symbols) == "N"):
            beat = np.argmin(np.abs(r_ms - times_ms[place]))
            if abs(r_ms[beat] - times_ms[place]) > SAME_BEAT_MS:
                continue
            for side, (step, bracket) in enumerate(((-1, "("), (1, ")"))):
                beside = place + step
                if 0 <= beside < len(symbols) and symbols[beside] == bracket:
                    marks[beat, lead, side] = times_ms[beside] - r_ms[beat]
    marks = marks[np.isfinite(marks).sum(axis=(1, 2)) >= 8]
    return np.median(np.nanmedian(marks, axis=1), axis=0)


@cache
def limits():
    """Our onset and end, and the human ones, of every record: (n, 2) and (n, 2) in ms."""
    ours, theirs = [], []
    for record in RECORDS:
        made = measured(record)
        ours.append((made.qrs.on_ms, made.qrs.off_ms))
        theirs.append(human(record, made.beat.r_samples * 1000.0 / made.beat.rate_hz))
    return np.array(ours), np.array(theirs)


def test_every_record_is_measured_and_its_limits_lie_where_people_set_them():
    ours, theirs = limits()
    assert np.isfinite(ours).all()
    apart = ours - theirs
    assert np.abs(apart.mean(axis=0)).max() <= 3.0
    assert apart.std(axis=0, ddof=1).max() <= 8.0


@pytest.mark.xfail(strict=True, reason="QRS duration: r .942 in 50 records, not .95")
def test_durations_follow_the_human_ones_closely():
    ours, theirs = limits()
    assert np.corrcoef(np.diff(ours)[:, 0], np.diff(theirs)[:, 0])[0, 1] >= 0.95


@pytest.mark.parametrize("gain", [0.5, 10.0])
def test_a_gain_moves_no_limit(gain):
    ours, _ = limits()
    for place in range(6):
        qrs = measured(RECORDS[place], gain).qrs
        assert np.abs(np.array([qrs.on_ms, qrs.off_ms]) - ours[place]).max() <= 2.0
