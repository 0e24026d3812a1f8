"""The sheets of `cardio measure`: square paper, all leads, numbers, and why one is withheld."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cardio_core.api import Context, SampleSet
from cardio_core.testing import call_cardio
from cardio_ecg_transfer.beats.sheet import sheet as strips
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.response.config import LoadBlock, PreprocessBlock
from cardio_ecg_transfer.response.load import load
from cardio_ecg_transfer.response.models import CRT_RESPONSE
from cardio_ecg_transfer.response.preprocess import preprocess
from cardio_ecg_transfer.response.sheet import sheet
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.synthetic import synthesize

DOTS_IN_MM = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made: Path = tmp_path_factory.mktemp("crt")
    synthesize(made, task="crt_response", n_patients=2, seed=5)
    return made


@pytest.fixture(scope="module")
def recordings(folder) -> SampleSet:
    return load(LoadBlock(), Context(CRT_RESPONSE, hook="load", _inputs=(folder,))).samples.take(
        [0]
    )


def drawn(recordings, change=lambda ecg: ecg):
    """Draw the sheet of the first recording; return its figure, its ECG and its first beat."""
    ecg = change(recordings.values[0])
    one = SampleSet(recordings.table, [ecg])
    samples = preprocess(one, PreprocessBlock(n_beats=2), Context(CRT_RESPONSE, hook="preprocess"))
    figure = Figure(layout="constrained")
    sheet(figure, ecg, samples)
    return figure, ecg, samples.values[0]


def words_on(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def longest_line(figure):
    (paper,) = figure.axes
    return max(paper.lines, key=lambda line: line.get_xdata().size)


def lines_of_5_mm(picture):
    """Rows and columns of the picture that are ruled, as the paper's thick lines are."""
    red = picture[..., 0].astype(int) - picture[..., 1]
    ruled = red > 40
    return [np.flatnonzero(ruled.mean(axis=axis) > 0.3) for axis in (1, 0)]


def test_the_printed_paper_is_square_and_five_millimetres_are_thirty_dots(folder, tmp_path):
    said = call_cardio(
        "measure", "--plugin", "ecg_transfer", folder, "--out", tmp_path, "--executor", "local:1"
    )
    assert said.exit_code == 0, said.stderr
    for file in (tmp_path / "sheets").iterdir():
        with Image.open(file) as picture:
            assert picture.info["dpi"] == pytest.approx((25.4 * DOTS_IN_MM,) * 2, abs=0.01)
            across, down = lines_of_5_mm(np.asarray(picture.convert("RGB")))
        for ruled in (across, down):
            steps = np.diff(ruled)
            steps = steps[steps > 2]  # a line may be two dots wide
            assert steps.size >= 20
            assert np.abs(steps - 5 * DOTS_IN_MM).max() <= 1


def test_a_second_is_25_mm_and_a_millivolt_10_on_the_same_paper(recordings):
    figure, ecg, _ = drawn(recordings)
    (paper,) = figure.axes
    origin, right, up = paper.transData.transform([(0, 0), (1, 0), (0, 1)])
    assert right - origin == pytest.approx((DOTS_IN_MM, 0), abs=1e-6)
    assert up - origin == pytest.approx((0, DOTS_IN_MM), abs=1e-6)
    x, y = longest_line(figure).get_data()
    pieces = np.split(np.arange(x.size), np.flatnonzero(np.isnan(x)))
    pulse = pieces[0]
    assert np.ptp(y[pulse]) == pytest.approx(10.0)
    assert np.ptp(x[pulse][y[pulse] > y[pulse].min()]) == pytest.approx(5.0)
    strip = pieces[-2][1:]  # behind it the last gap alone
    lead = ecg.signal_mv[ecg.leads.index("II")][: strip.size]
    assert np.ptp(x[strip]) == pytest.approx(250.0, abs=0.1)
    assert np.ptp(y[strip]) == pytest.approx(10 * np.ptp(lead), rel=1e-4)


def test_all_twelve_leads_the_strip_and_every_r_peak_are_drawn(recordings):
    figure, ecg, beat = drawn(recordings)
    (paper,) = figure.axes
    said = words_on(figure)
    for lead in STANDARD_LEADS:  # on its own, below the median beat, beside its ST level; II again
        assert said.count(lead) == 3 + (lead == "II")
    assert any(text.startswith("25 mm/s   10 mm/mV") for text in said)
    x, _ = longest_line(figure).get_data()
    assert np.isnan(x).sum() == 4 + 12 + 1  # four pulses, twelve pieces, a strip
    marked = [line for line in paper.lines if line.get_marker() == "v"]
    inside = beat.r_s[beat.r_s <= 10.0]
    assert sum(len(line.get_xdata()) for line in marked) == len(inside)
    assert ecg.rate_hz == 500.0 and any("500 Hz" in text for text in said)


def test_the_limits_of_the_median_beat_are_those_that_were_measured(recordings):
    figure, _, beat = drawn(recordings)
    ((band, *_), *_others) = [
        [path.get_extents() for path in patch.get_paths()]
        for patch in figure.axes[0].collections
        if patch.get_alpha() == 0.12
    ]
    assert band.width == pytest.approx(0.05 * beat.heart.values["p_ms"], abs=0.01)
    said = words_on(figure)
    for name in ("qrs_global_ms", "qrs_ms", "qt_ms", "qtc_ms", "pr_ms"):
        assert f"{beat.heart.values[name]:.0f}" in said
    assert beat.heart.rhythm.kind.value in " ".join(said)


@pytest.mark.parametrize("given", [True, False])
def test_age_sex_and_shifted_date_are_those_of_the_table_or_nobody(recordings, given):
    table = recordings.table.assign(age_y=71.0, sex="F", study_date="2024-03-01")
    if not given:
        table = table.drop(columns=["age_y", "sex", "study_date"])
    figure, _, _ = drawn(SampleSet(table, [recordings.values[0]]))
    whose = [text for text in words_on(figure) if "female" in text or "years" in text]
    assert whose == (["71 years, female, 2024-03-01 (as in the table)"] if given else [])


def test_what_stands_on_an_unfit_lead_says_why_it_is_withheld(recordings):
    def without_v6(ecg: Ecg) -> Ecg:
        signal_mv = ecg.signal_mv.copy()
        signal_mv[ecg.leads.index("V6")] = 0.0
        return replace(ecg, signal_mv=signal_mv)

    figure, _, beat = drawn(recordings, without_v6)
    assert beat.heart.withheld["lbbb"].startswith("V6 is flat")
    withheld = [text for text in words_on(figure) if text.startswith("withheld: V6 is flat")]
    assert len(withheld) == 6  # QRS area, four definitions of block, ST in V6


@pytest.mark.parametrize("size", [1.0, 3.0, 10.0])
def test_a_large_ecg_is_drawn_at_a_smaller_gain_that_is_said(recordings, size):
    figure, _, _ = drawn(
        recordings, lambda ecg: replace(ecg, signal_mv=np.float32(ecg.signal_mv * size))
    )
    _, y = longest_line(figure).get_data()
    pulse_mm = np.ptp(y[:6])
    assert any(text.startswith(f"25 mm/s   {pulse_mm:g} mm/mV") for text in words_on(figure))
    (paper,) = figure.axes
    assert np.nanmin(y) > 0 and np.nanmax(y) < paper.get_ylim()[1]


def test_a_single_lead_stands_on_the_same_paper():
    time_s = np.arange(3600) / 360
    ecg = Ecg(np.float32([np.exp(-((((time_s % 1) - 0.5) / 0.02) ** 2))]), 360.0, ("MLII",))
    table = pd.DataFrame({"time_s": np.arange(10) + 0.5})
    ids = dict.fromkeys(("recording_id", "study_id", "patient_id"), "a")
    samples = SampleSet(table.assign(**ids), [ecg] * 10)
    from cardio_core.api import FeatureBlock, FeatureSet

    rate = FeatureBlock(np.full((10, 1), 60.0), ("measure",), ("heart_rate_bpm",), ("1/min",))
    figure = Figure(layout="constrained")
    strips(figure, ecg, samples, FeatureSet(samples.table, {"rhythm": rate}))
    paper = figure.axes[0]
    _, y = max(paper.lines, key=lambda line: line.get_xdata().size).get_data()
    assert np.ptp(y[:6]) == pytest.approx(10.0)
    origin, right, up = paper.transData.transform([(0, 0), (1, 0), (0, 1)])
    assert (right - origin)[0] == pytest.approx((up - origin)[1]) == pytest.approx(DOTS_IN_MM)


@pytest.mark.realdata
@pytest.mark.skipif(
    "CARDIO_DATA" not in os.environ and "CI" not in os.environ, reason="CARDIO_DATA is not set"
)
def test_a_paced_ecg_has_its_spikes_marked_and_its_blocks_withheld():
    path = Path(os.environ["CARDIO_DATA"]) / "ludb/data/34.hea"
    ids = {name: ["a"] for name in ("recording_id", "study_id", "patient_id")}
    table = pd.DataFrame(ids, index=pd.Index(["a"], name="sample_id"))
    ecg = read_ecg(path, min_duration_s=8.0)
    figure, _, beat = drawn(SampleSet(table, [ecg]))
    (paper,) = figure.axes
    (spikes,) = [line for line in paper.lines if line.get_marker() == "|"]
    assert len(spikes.get_xdata()) == 10
    said = words_on(figure)
    assert sum(text.startswith("withheld: paced") for text in said) == 4
    assert any(beat.heart.rhythm.kind.value in text for text in said)
