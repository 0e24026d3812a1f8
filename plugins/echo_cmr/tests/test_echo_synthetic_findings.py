"""What is drawn for the phantom's patients: labels, and how far they can be told."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import cardio_stats as stats
from cardio_echo_cmr.synthetic.findings import TERRITORIES, Findings, are_neighbours, draw_findings
from cardio_echo_cmr.synthetic.patients import draw_person, draw_studies


@pytest.fixture(scope="module")
def many() -> list[Findings]:
    rng = np.random.default_rng(77)
    return [draw_findings(rng) for _ in range(2500)]


def test_segments_that_move_badly_hang_together_in_one_territory(many: list[Findings]) -> None:
    positive = [found.wma for found in many if found.wma]
    assert len(positive) / len(many) == pytest.approx(0.5, abs=0.02)
    assert {len(wma) for wma in positive} == {2, 3, 4, 5, 6}
    for wma in positive:
        assert any(set(wma) <= set(territory) for territory in TERRITORIES.values())
        reached = {wma[0]}
        for _ in wma:
            reached |= {s for s in wma if any(are_neighbours(s, other) for other in reached)}
        assert reached == set(wma)


def test_amplitudes_are_those_of_their_label(many: list[Findings]) -> None:
    amplitude = np.array([[found.amplitude[s] for s in range(1, 18)] for found in many])
    label = np.array([[s in found.wma for s in range(1, 18)] for found in many])
    assert 0.0 <= amplitude[label].min() < amplitude[label].max() <= 0.5
    assert 0.7 <= amplitude[~label].min() < amplitude[~label].max() <= 1.3
    assert amplitude[label].mean() == pytest.approx(0.25, abs=0.01)
    assert amplitude[~label].mean() == pytest.approx(1.0, abs=0.01)


def test_ejection_fraction_falls_with_the_motion_of_the_segments(many: list[Findings]) -> None:
    mean = [np.mean(list(found.amplitude.values())) for found in many]
    assert np.corrcoef(mean, [found.lvef_pct for found in many])[0, 1] > 0.95


@pytest.mark.parametrize(("difficulty", "auc"), [("clear", 0.95), ("medium", 0.70)])
def test_scar_can_be_told_as_far_as_is_set_and_no_further(difficulty: str, auc: float) -> None:
    rng = np.random.default_rng(5)
    found = [draw_findings(rng, difficulty) for _ in range(2500)]
    score, label = [f.lge_score for f in found], [bool(f.lge) for f in found]
    assert stats.bayes_auc([f.lge_probability for f in found]).value == pytest.approx(auc, abs=0.01)
    assert roc_auc_score(label, score) == pytest.approx(auc, abs=0.025)
    # Nothing else of what is known about motion adds to it.
    worst = [min(f.amplitude.values()) for f in found]
    assert roc_auc_score(label, -np.array(worst)) < auc
    assert np.mean(label) == pytest.approx(0.45, abs=0.03)


def test_nothing_can_be_told_from_the_impossible_phantom() -> None:
    rng = np.random.default_rng(6)
    found = [draw_findings(rng, "impossible") for _ in range(2000)]
    scar, motion = [bool(f.lge) for f in found], [bool(f.wma) for f in found]
    assert stats.bayes_auc([f.lge_probability for f in found]).value == 0.5
    assert roc_auc_score(scar, [f.lge_score for f in found]) == pytest.approx(0.5, abs=0.03)
    lowest = [-min(f.amplitude.values()) for f in found]
    assert roc_auc_score(motion, lowest) == pytest.approx(0.5, abs=0.03)
    assert roc_auc_score(motion, [-f.lvef_pct for f in found]) == pytest.approx(0.5, abs=0.03)


def test_scar_lies_in_thinned_wall_where_there_is_any(many: list[Findings]) -> None:
    for found in many:
        thinned = {s for s, share in found.thickness.items() if share < 0.85}
        if found.lge and thinned:
            assert set(found.lge) <= thinned


def test_t1_t2_and_ecv_are_as_published_and_independent_of_the_rest(many: list[Findings]) -> None:
    # 26.0 % of T1 at or above 1060 ms, 21.8 % of ECV at or above 33 %.
    for name, limit, share in (("t1_ms", 1060.0, 0.26), ("ecv_pct", 33.0, 0.218)):
        value = np.array([found.tissue[name] for found in many], float)
        known = np.isfinite(value)
        assert np.mean(value[known] >= limit) == pytest.approx(share, abs=0.025)
        for seen in ([f.lge_score for f in many], [f.lvef_pct for f in many]):
            assert abs(np.corrcoef(value[known], np.array(seen)[known])[0, 1]) < 0.06


def test_recordings_vary_as_asked_and_hold_a_clip_of_32_frames_at_30_a_second() -> None:
    n_studies = n_lacking = n_late = n_patients = 0
    rates, hearts = [], []
    for number in range(300):
        rng = np.random.default_rng(number)
        person = draw_person("p", rng, difficulty="medium")
        n_patients += 1
        for study in draw_studies(person, rng):
            n_studies += 1
            n_lacking += len(study.loops) < 4
            n_late += abs(study.days_echo_to_cmr) > 30
            for spec in study.loops.values():
                assert spec.sector.fits()
                assert spec.time_ms[-1] >= 31_000.0 / 30.0
                assert spec.n_frames >= 36
                rates.append(spec.rate_hz)
                hearts.append(spec.beat.hr_bpm)
    assert n_studies / n_patients == pytest.approx(1.4, abs=0.06)
    assert n_lacking / n_studies == pytest.approx(0.08, abs=0.035)
    assert 0 < n_late / n_studies < 0.08
    assert 30.0 <= min(rates) < 31.0
    assert 52.0 < max(rates) <= 60.0
    assert 53.0 < min(hearts) < max(hearts) < 103.0


def test_age_and_sex_tell_nothing() -> None:
    streams = np.random.default_rng(9).spawn(1200)
    drawn = [draw_person("p", stream, difficulty="clear") for stream in streams]
    label = [bool(person.findings.wma) for person in drawn]
    assert roc_auc_score(label, [p.age_y for p in drawn]) == pytest.approx(0.5, abs=0.04)
    assert roc_auc_score(label, [p.sex == "M" for p in drawn]) == pytest.approx(0.5, abs=0.04)
