"""The demo study: its patients, its optimum, its commands, and the numbers of its page."""

from __future__ import annotations

import json
import shlex

import click
import numpy as np
import pytest

from cardio_core.cli.main import cardio
from cardio_core.io.cohort_template import read_planned
from cardio_stats import bayes_auc


@pytest.fixture(scope="module")
def study(of_benchmarks):
    return of_benchmarks("demo_study")


def test_every_plugin_can_record_the_tables_that_the_study_writes(study, tmp_path):
    made = study.Study(tmp_path, 40, 20)
    made.patients()
    for site in study.SITES:
        file = tmp_path / "patients" / f"{site}.csv"
        everybody = set(study.draw_patients(site, made.n[site.partition("_")[0]])["patient_id"])
        for name, plugin in study.PLUGINS.items():
            planned = read_planned(file, plugin, study.EFFECTS[name])
            assert set(planned.requested["patient_id"]) <= everybody
            assert set(planned.requested["shift"]) == {float(site == "south")}
            assert (planned.carried["site_id"] == site.partition("_")[0]).all()
    shifted, usual = (
        read_planned(tmp_path / "patients" / f"{site}.csv", "echo_cmr", "z_motion").requested
        for site in ("south", "south_as_north")
    )
    assert shifted.drop(columns="shift").equals(usual.drop(columns="shift"))


def test_the_optimum_is_the_bayes_auc_of_the_chances_and_no_part_beats_the_whole(study):
    best = study.optimum(40_000, seed=3)
    _, _, chance = study.draw_effects(np.random.default_rng(8), 40_000)
    assert best["all"] == pytest.approx(bayes_auc(chance).value, abs=0.01)
    for name in study.PLUGINS:
        assert best["clinical"] < best[name] < best["recordings"] < best["all"]


def test_the_commands_of_the_study_are_those_of_the_command_line(study, tmp_path, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(
        study.Study, "cardio",
        lambda self, step, made, words: asked.append(f"{words} --out {made}"),
    )  # fmt: skip
    made = study.Study(tmp_path, 40, 20)
    for name in ("record", "run", "compare", "fuse", "external"):
        getattr(made, name)()
    assert len(asked) == 9 + 3 + 1 + 1 + 6
    for command in asked:
        name, *words = shlex.split(command)
        context = click.Context(cardio)
        one = cardio.get_command(context, name)
        if name == "data":
            one, words = one.get_command(context, words[0]), words[1:]
        one.make_context(name, words, resilient_parsing=False)  # parses, and runs nothing


def test_every_command_that_was_timed_names_its_commit(of_benchmarks):
    page = of_benchmarks("demo_study_page")
    stored = json.loads(page.STORED.read_text(encoding="utf-8"))
    text = page.PAGE.read_text(encoding="utf-8")
    assert stored["date"] in text
    commands = {one["command"] for one in stored["times"]}
    assert all(one["commit"] for one in stored["times"]) and len(commands) == len(stored["times"])
