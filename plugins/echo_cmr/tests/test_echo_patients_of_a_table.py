"""Patients of a table: whose loops they are, and what an effect and a shift do to them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_echo_cmr.synthetic import synthesize
from cardio_echo_cmr.synthetic.findings import ABNORMAL_BELOW, N_WMA, draw_findings
from cardio_echo_cmr.synthetic.patients import draw_person, draw_studies
from cardio_ultrasound import Look, darker, read_loop

STREAMS = range(60)


@pytest.mark.parametrize("difficulty", ["clear", "medium", "subtle"])
def test_the_walls_of_the_same_person_move_better_the_larger_the_effect(difficulty):
    effects = (-2.0, -1.0, -0.2, 0.2, 1.0, 2.0)
    found = [
        [draw_findings(np.random.default_rng(n), difficulty, effect) for n in STREAMS]
        for effect in effects
    ]
    moves = np.array([[np.mean(list(one.amplitude.values())) for one in many] for many in found])
    assert (np.diff(moves.mean(axis=1)) > 0).all()
    # From the worst to the best in everybody, whatever else is drawn.
    assert (moves[-1] > moves[0] + 0.2).all()
    ejection = np.mean([[one.lvef_pct for one in many] for many in found], axis=1)
    assert (np.diff(ejection) > 0).all()
    for effect, many in zip(effects, found, strict=True):
        for one in many:
            assert one.wma == tuple(s for s in range(1, 18) if one.amplitude[s] < ABNORMAL_BELOW)
            assert (len(one.wma) > 0) == (effect < 0) and len(one.wma) <= N_WMA[1]


def test_a_shift_darkens_the_loop_and_nothing_else():
    spec = {}
    for shift in (0.0, 1.0):
        person = draw_person("K7", np.random.default_rng(5), difficulty="subtle", effect=0.3)
        (first, *_) = draw_studies(person, np.random.default_rng(6), clean=False, shift=shift)
        spec[shift] = next(iter(first.loops.values()))
    usual, moved = spec[0.0], spec[1.0]
    assert moved.look.white_db - usual.look.white_db == pytest.approx(6.0)
    assert moved.look.noise_db - usual.look.noise_db == pytest.approx(8.0)
    assert (moved.geometry, moved.beat) == (usual.geometry, usual.beat)
    assert darker(Look(), 0.0) == Look()


def test_a_table_is_refused_where_labels_have_nothing_to_do_with_the_loops(tmp_path):
    with refuses(DataError, "clear, medium, subtle", "impossible", code="unknown"):
        synthesize(tmp_path, patients=pd.DataFrame(), difficulty="impossible")


@pytest.mark.slow
def test_loops_and_responses_are_those_of_the_table(tmp_path):
    # 2026-11-23: 9 s on a shared core.
    asked = pd.DataFrame(
        {"patient_id": ["K7", "A-1"], "number": [7, 8], "outcome": [True, False],
         "effect": [1.5, -1.5], "shift": [0.0, 1.0]}
    )  # fmt: skip
    synthesize(tmp_path, patients=asked, difficulty="clear")
    table = pd.read_csv(tmp_path / "cohort.csv")
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert dict(zip(table["patient_id"], table["responder"], strict=True)) == {"K7": 1, "A-1": 0}
    assert set(truth["patients"]) == {"K7", "A-1"} and "responder" not in truth["bayes_auc"]
    assert truth["patients"]["K7"]["lvef_pct"] > truth["patients"]["A-1"]["lvef_pct"] + 20
    grey = {
        one: np.mean(
            [np.mean(list(read_loop(tmp_path / path).frames())) for path in rows["path_echo_a4c"]]
        )
        for one, rows in table.dropna(subset="path_echo_a4c").groupby("patient_id")
    }
    assert grey["A-1"] < grey["K7"]
