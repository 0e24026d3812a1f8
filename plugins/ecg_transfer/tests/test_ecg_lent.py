"""What this plugin adds to `cardio data`: its data sets, and the command `rpeaks`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import wfdb
from click.testing import CliRunner

from cardio_core.api import ConfigError
from cardio_core.testing import names
from cardio_ecg_transfer.published.datasets import datasets
from cardio_ecg_transfer.shared import rpeaks_command
from cardio_ecg_transfer.synthetic.patient import PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate

FOUND = {
    "rate_hz": 250.0,
    "leads": ["I", "II"],
    "lead": "II",
    "samples": [100, 300, 500],
    "times_s": [0.4, 1.2, 2.0],
    "polarity": [1, -1, 1],
    "heart_rate_bpm": 75.0,
    "flags": ["baseline wander in I"],
}


def rpeaks(*arguments: str):
    return CliRunner().invoke(rpeaks_command.rpeaks, arguments)


@pytest.mark.parametrize("dataset", datasets(), ids=lambda dataset: dataset["name"])
def test_known_sets_say_their_licence_and_are_fetched_over_https(dataset):
    assert dataset["files_url"].startswith("https://")
    assert dataset["files_url"].endswith(f"/{dataset['version']}/")
    assert dataset["licence"] and dataset["cite"]


def test_rpeaks_prints_the_facts_and_then_every_time(monkeypatch):
    monkeypatch.setattr(rpeaks_command, "r_peaks_of", lambda path, *, channel: FOUND)
    assert rpeaks("100").output.splitlines() == [
        "100: 3 R peaks, lead II, 250 Hz, 2 up, 1 down, 75 per minute",
        "  flag: baseline wander in I",
        "  0.400 1.200 2.000",
    ]


@pytest.mark.parametrize(("given", "channel"), [("all", None), ("1", 1)])
def test_rpeaks_hands_over_the_channel_and_prints_one_object(monkeypatch, given, channel):
    asked = []
    monkeypatch.setattr(
        rpeaks_command, "r_peaks_of", lambda path, *, channel: asked.append(channel) or FOUND
    )
    found = json.loads(rpeaks("some/100", "--channel", given, "--json").output)
    assert found == {"record": "100"} | FOUND
    assert asked == [channel]


def test_rpeaks_finds_the_beats_of_a_recording(tmp_path):
    ecg, truth = simulate(PatientSpec(), 8.0, 250.0, seed=3)
    wfdb.wrsamp(
        "one", 250, ["mV"] * len(ecg.leads), list(ecg.leads), ecg.signal_mv.T,
        fmt=["16"] * len(ecg.leads), write_dir=str(tmp_path),
    )  # fmt: skip
    found = json.loads(rpeaks(str(tmp_path / "one.hea"), "--json").output)
    planted = truth.r_s[(truth.r_s > 0.3) & (truth.r_s < 7.7)]
    inside = [time for time in found["times_s"] if 0.3 < time < 7.7]
    np.testing.assert_allclose(inside, planted, atol=0.04)
    assert found["rate_hz"] == 250 and found["leads"] == list(ecg.leads)


@pytest.mark.parametrize("channel", ["-1", "II", "1.5", ""])
def test_rpeaks_refuses_what_is_no_channel(channel):
    error = rpeaks("100", "--channel", channel).exception
    assert isinstance(error, ConfigError)
    assert error.code == "out_of_range" and names(error, "--channel", "all")
