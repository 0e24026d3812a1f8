"""Little is kept of patients outside of runs, where only its owner looks, and not for ever."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def below(folder):
    return {path for path in folder.rglob("*") if path.is_file()} if folder.exists() else set()


def test_of_predicted_patients_nothing_is_kept_unless_it_was_asked_for(
    cardio, clinic, clinic_run, own_cache, tmp_path
):
    run = shutil.copytree(clinic_run, tmp_path / "run")
    before = below(run)
    recording = next(clinic.glob("C*.csv"))
    assert cardio("predict", run, recording, "--device", "cpu").exit_code == 0
    assert below(run) == before
    assert below(own_cache) == set()
    kept = cardio("predict", run, recording, "--device", "cpu", "--keep-features", "--json")
    assert kept.exit_code == 0
    assert below(own_cache) == set()
    new = below(run) - before
    assert new
    assert all(path.is_relative_to(run / "predicted") for path in new)


def test_a_cohort_is_forgotten_as_a_whole_or_by_its_files(
    cardio, run_toy, write_cohort, own_cache, tmp_path
):
    data = write_cohort(tmp_path / "data", "mean_class", n_patients=24)
    run_toy(tmp_path / "run", data=(data,), protocol="honest", sets=("models=[ridge]",))
    assert own_cache.stat().st_mode & 0o077 == 0

    said = cardio("data", "forget").stdout
    assert said.startswith("Kept: 24 sets of one patient's features, 0 of what cohorts taught, ")
    one = tmp_path / "of another name.csv"
    shutil.copy(sorted(data.glob("C*r0.csv"))[0], one)
    assert "Forgotten: 1 kept of 1 file(s)" in cardio("data", "forget", one).stdout
    assert "Forgotten: 0 kept of 1 file(s)" in cardio("data", "forget", one).stdout
    assert "Forgotten: 23 sets of one patient's" in cardio("data", "forget", "--all").stdout
    assert not [path for path in below(own_cache) if "features" in path.parts]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nobody.csv"], "nobody.csv: no such file or folder"),
        ([".", "--all"], "--all: expected it alone"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(cardio, own_cache, words, why):
    done = cardio("data", "forget", *words)
    assert done.exit_code == 2
    assert why in done.stderr
