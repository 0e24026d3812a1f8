"""A run made again: equal where nothing changed, and named what changed where not."""

from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from cardio_core.io.store import cache_dir
from cardio_core.testing import call_cardio, names


@pytest.fixture(scope="module")
def made(installed, write_cohort, tmp_path_factory):
    """A run of two models on 24 patients and its data, which lie beside each other."""
    place = tmp_path_factory.mktemp("made")
    data = write_cohort(place / "data", "mean_class")
    said = call_cardio("run", "--plugin", "toy", "--data", data, "--protocol=honest", "--device",
                       "cpu", "--executor", "local:1", "--set", "search=[]", "--out", "run",
                       "--set", "inner.k=1", folder=place)  # fmt: skip
    assert said.exit_code == 0, said.stderr
    return place


@pytest.fixture
def copies(made, tmp_path):
    """Two copies of one run: what came of it then, and what came of it again."""
    for name in ("then", "again"):
        shutil.copytree(made / "run", tmp_path / name)
    return tmp_path / "then", tmp_path / "again"


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


def change(run: Path, name: str, **changes) -> None:
    (run / name).write_text(json.dumps(read(run, name) | changes))


def n_numbers(rows) -> int:
    """Count the numbers of a metrics.json, its levels and seeds apart."""
    kept = [{k: v for k, v in (row | row["extra"]).items() if k not in _TOLD} for row in rows]
    return sum(isinstance(v, int | float) for row in kept for v in row.values())


_TOLD = {"level", "seed", "repeat", "fold", "extra"}


def test_a_run_that_is_made_again_has_the_same_numbers_whatever_the_threads(
    made, tmp_path, same_text
):
    with threadpool_limits(2):
        said = call_cardio("reproduce", made / "run", "--out", tmp_path / "again", "--json")
    assert said.exit_code == 0, said.stderr
    metrics, predictions = said.json["numbers"]
    assert said.json["verdict"] == "equal"
    assert metrics["equal"] == metrics["n"] == n_numbers(read(made / "run", "metrics.json"))
    # Score, decision, truth and fold of 24 patients and 2 models.
    assert predictions["equal"] == predictions["n"] == 24 * 2 * 4
    assert said.json["differs_from_then"] == []
    assert said.json == read(tmp_path / "again", "reproduce.json")
    text = (tmp_path / "again" / "reproduce.txt").read_text()
    same_text("reproduced", text.replace(str(made), "MADE"), numbers=False)
    assert "features: 24 patients" in said.stderr  # made anew: the cache has them
    assert not list(cache_dir().glob("again/*"))  # and nothing of them stays


@pytest.fixture
def moved(made, tmp_path):
    """The data in another folder, with three labels changed."""
    shutil.copytree(made / "data", tmp_path / "data")
    table = tmp_path / "data" / "cohort.csv"
    text = table.read_text()
    for patient in ("C02", "C04", "C08"):
        line = next(line for line in text.splitlines() if line.startswith(patient))
        cells = line.split(",")
        text = text.replace(line, ",".join([*cells[:4], str(1 - int(cells[4])), cells[5]]))
    table.write_text(text)
    return tmp_path / "data"


def test_changed_labels_are_refused_in_one_line(made, moved, tmp_path):
    said = call_cardio("reproduce", made / "run", "--data", moved, "--out", tmp_path / "again")
    assert (said.exit_code, said.code, said.stderr.count("\n")) == (2, "mismatch", 1)
    assert names(said.stderr, "3 of 32", "C02r0", "C04r0", "C08r0", "x_ill", "--allow")
    assert not (tmp_path / "again").exists()


@pytest.mark.slow
def test_labels_that_were_changed_on_purpose_are_named_beside_the_numbers(made, moved, tmp_path):
    said = call_cardio("reproduce", made / "run", "--data", moved, "--out", tmp_path / "again",
                       "--allow", "changes", "--json")  # fmt: skip
    assert said.exit_code == 1, said.stderr
    assert said.json["verdict"] == "differs"
    why = [part["words"] for part in said.json["differs_from_then"] if part["kind"] == "data"]
    assert names(why[0], "3 of 32", "C02r0", "C04r0", "C08r0")
    # The truth of three patients, of 2 models and in 2 rows each, is another.
    others = said.json["numbers"][1]["others"]
    truths = [one for one in others if one["where"].endswith(", y_true")]
    assert len(truths) == 3 * 2 * 2
    assert {one["where"].split()[3] for one in truths} >= {"healthy", "ill"}


def test_rounding_is_told_from_a_difference_and_from_equality(copies):
    then, again = copies
    rows = read(again, "metrics.json")
    place = next(
        i for i, row in enumerate(rows) if row["name"] == "auc" and row["model"] == "ridge"
    )
    rows[place]["value"] += 4e-7
    (again / "metrics.json").write_text(json.dumps(rows))
    said = call_cardio("reproduce", then, "--against", again, "--json")
    assert (said.exit_code, said.json["verdict"]) == (0, "within rounding")
    assert [said.json["numbers"][0][key] for key in ("within", "differ")] == [1, 0]
    assert said.json["numbers"][0]["largest"] == pytest.approx(4e-7, rel=1e-3)
    rows[place]["value"] -= 0.01
    del rows[-1]
    (again / "metrics.json").write_text(json.dumps(rows))
    said = call_cardio("reproduce", then, "--against", again)
    assert said.exit_code == 1
    lost = n_numbers(read(then, "metrics.json")) - n_numbers(rows)
    assert f"  {1 + lost}  " in said.stdout.split("metrics.json")[1].splitlines()[0]


def test_what_differs_is_said_first_with_what_would_have_to_be_installed(copies):
    then, _ = copies
    ground = read(then, "manifest.json")["stands_on"]
    here = ground["packages"]["numpy"]
    ground["packages"]["numpy"] = "1.26.1"
    ground["plugin"] |= {"version": "0.1.9", "commit": "0123456789abcdef"}
    ground["machine"]["processor"] = "a slower one"
    change(then, "manifest.json", stands_on=ground)
    said = call_cardio("reproduce", then, "--dry-run")
    assert said.exit_code == 0
    assert names(said.stdout, here, "numpy==1.26.1", "0.3.0", "0.1.9", "0123456789", "a slower one")
    assert not list(then.parent.glob("*-again"))


def test_the_environment_names_everything_with_its_version(copies):
    then, again = copies
    answer = call_cardio("reproduce", then, "--against", again, "--json").json
    named = dict(one.split("==") for one in answer["environment"]["pip"])
    assert {"numpy", "scipy", "torch", "lightning", "click"} <= set(named)
    assert not [name for name in named if name.startswith("cardio")]
    ours = {one["name"]: one["version"] for one in answer["environment"]["ours"]}
    assert ours == {"cardio-core": metadata.version("cardio-core"), "plugin toy": "0.3.0"}


def as_judged(run):
    change(run, "manifest.json", kind="judged")


def as_stopped(run):
    change(run, "manifest.json", status="interrupted")


def typed(run, command):
    """Let a run be of another command: without the private file the manifest's own counts."""
    (run / "places.json").unlink()
    change(run, "manifest.json", command=command)


def as_from_python(run):
    typed(run, "")


def as_from_elsewhere(run):
    typed(run, "cardio run --plugin toy --data ../gone/cohort.csv")


def as_of_another_core(run):
    typed(run, "cardio run --plugin toy --fancy 3")


def as_of_a_need(run):
    typed(run, "cardio run --plugin toy --task second")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (as_judged, "judged"),
        (as_stopped, "interrupted"),
        (as_from_python, "--against"),
        (as_from_elsewhere, "../gone/cohort.csv"),
        (as_of_another_core, "--fancy"),
        (as_of_a_need, "second"),
    ],
)
def test_what_cannot_be_repeated_is_refused_in_one_line(copies, spoil, named):
    then, _ = copies
    spoil(then)
    said = call_cardio("reproduce", then)
    assert (said.exit_code, names(said.stderr, named)) == (2, True), said.stderr
    assert said.stderr.count("\n") == 1
    assert not list(then.parent.glob("*-again"))


def test_nothing_is_overwritten(copies, made):
    _, again = copies
    before = (again / "manifest.json").read_bytes()
    said = call_cardio("reproduce", made / "run", "--out", again)
    assert (said.exit_code, said.code, names(said.stderr, again)) == (2, "exists", True)
    assert (again / "manifest.json").read_bytes() == before
