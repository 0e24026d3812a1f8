"""Tasks that start from another task: of the same patients, or of others."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cardio_core.errors import LeakageError
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


@pytest.fixture(scope="module")
def second_run(run_toy, clinic, clinic_run, tmp_path_factory) -> Path:
    """`second`, from the clinic's run of `mean_class`."""
    out = tmp_path_factory.mktemp("runs") / "second"
    return run_toy(out, task="second", data=(clinic,), needs_from={"mean_class": clinic_run})


def test_the_same_patients_get_the_same_folds(clinic_run, second_run):
    assert read(second_run, "splits.json") == read(clinic_run, "splits.json")


def test_each_fold_receives_the_model_of_that_fold(clinic_run, second_run):
    for fold in ("honest-r0-f0", "honest-r0-f2", "paper-r0-f0", "final"):
        handed_over = read(second_run, f"models/{fold}/ridge/artifact/linear.json")["earlier"]
        theirs = read(clinic_run, f"models/{fold}/ridge/artifact/linear.json")
        assert handed_over == theirs


def test_the_manifest_says_where_the_earlier_task_came_from(second_run):
    (need,) = read(second_run, "manifest.json")["needs"]
    assert need["task"] == "mean_class"
    assert need["text"] == "mean_class comes from the run clinic"


def test_a_task_with_two_targets_reports_both(second_run):
    metrics = read(second_run, "metrics.json")
    honest = [m for m in metrics if m["protocol"] == "honest" and m["fold"] is None]
    names = {(m["target"], m["name"]) for m in honest}
    assert {("ill", "auc"), ("severity", "mae"), ("severity", "mae_constant")} <= names
    values = {m["name"]: m["value"] for m in honest if m["target"] == "severity"}
    assert values["mae"] < values["mae_constant"]


def test_a_run_with_another_seed_takes_the_folds_of_the_run_that_it_starts_from(
    run_toy, clinic, clinic_run, tmp_path
):
    run = run_toy(
        tmp_path / "run", task="second", data=(clinic,), needs_from={"mean_class": clinic_run},
        seed=5, protocol="honest",
    )  # fmt: skip
    theirs = read(clinic_run, "splits.json")["protocols"]["honest"]
    assert read(run, "splits.json")["protocols"]["honest"] == theirs


def test_patients_whom_the_earlier_run_never_split_are_refused(
    run_toy, write_cohort, clinic_run, tmp_path
):
    others = write_cohort(tmp_path / "more", "mean_class", n_patients=30)
    with refuses(LeakageError, "mean_class", clinic_run.name, 6):
        run_toy(
            tmp_path / "run", task="second", data=(others,), protocol="honest",
            needs_from={"mean_class": clinic_run},
        )  # fmt: skip


def test_a_protocol_that_the_earlier_run_lacks_is_named(run_toy, clinic, tmp_path):
    earlier = run_toy(tmp_path / "earlier", data=(clinic,), protocol="honest", sets=("inner.k=0",))
    with refuses(ConfigError, "honest", "--protocol", code="mismatch"):
        run_toy(tmp_path / "run", task="second", data=(clinic,), protocol="both",
                needs_from={"mean_class": earlier})  # fmt: skip


def test_without_a_run_the_needed_task_is_made_first_and_its_run_is_kept(
    run_toy, write_cohort, tmp_path
):
    data = write_cohort(tmp_path / "data", "mean_class")
    said: list[str] = []
    run = run_toy(
        tmp_path / "run", task="second", data=(data,), protocol="honest", said=said,
        sets=("inner.k=0", "protocols.honest.k=4"),
    )  # fmt: skip
    assert said[0] == "Earlier task: mean_class is made first, on the same patients and folds."
    assert read(run, "needs/mean_class/manifest.json")["status"] == "done"
    assert read(run, "needs/mean_class/splits.json") == read(run, "splits.json")
    # The earlier task lends its folds, so it must make as many as were asked for.
    assert len(read(run, "splits.json")["protocols"]["honest"]["folds"]) == 4


@pytest.fixture(scope="module")
def third_run(run_toy, clinic, beats_run, tmp_path_factory) -> Path:
    """`third`, from the run of `beats` on other people."""
    out = tmp_path_factory.mktemp("runs") / "third"
    return run_toy(
        out, task="third", data=(clinic,), protocol="honest", needs_from={"beats": beats_run},
        config="smoke",
    )  # fmt: skip


def test_other_patients_hand_over_their_final_model(beats_run, third_run):
    from safetensors.numpy import load_file

    ours = load_file(third_run / "models/honest-r0-f0/network/artifact/weights.safetensors")
    theirs = load_file(beats_run / "models/final/network/artifact/weights.safetensors")
    body = "body.1.weight"
    assert ours[body].shape == theirs[body].shape
    # Two epochs of fine-tuning leave the body close to where it came from.
    assert np.corrcoef(ours[body].ravel(), theirs[body].ravel())[0, 1] > 0.9


def test_protocols_that_split_alike_draw_alike(run_toy, clinic, beats_run, tmp_path):
    """The network's random streams are those of its fold, whichever protocol asks."""
    run = run_toy(tmp_path / "run", task="third", data=(clinic,), needs_from={"beats": beats_run})
    table = pd.read_csv(run / "predictions.csv")
    keys = ["sample_id", "fold", "model", "event"]
    honest, paper = (
        table[table["protocol"] == name].set_index(keys)["score"] for name in ("honest", "paper")
    )
    assert len(honest) == len(paper) > 0
    pd.testing.assert_series_equal(honest, paper)
    assert honest.nunique() > len(honest) / 4  # a network that scored everybody alike shows nothing


def test_scores_of_beats_become_scores_of_patients(third_run):
    import pandas as pd

    table = pd.read_csv(third_run / "predictions.csv")
    assert set(table["level"]) == {"patient"}
    assert len(table[table["event"] == "ill"]) == 24


def test_pretraining_on_a_patient_of_this_cohort_is_refused(run_toy, strip, beats_run, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(strip, data)
    with refuses(LeakageError, "beats"):
        run_toy(
            tmp_path / "run", task="third", data=(data,), protocol="honest",
            needs_from={"beats": beats_run},
        )  # fmt: skip


def test_what_is_stated_beside_recordings_may_be_the_same_in_both_cohorts(
    run_toy, clinic, beats_run, tmp_path
):
    stated = '{"frame_rate_hz": 50}'
    pretrained, data = tmp_path / "beats", tmp_path / "data"
    shutil.copytree(beats_run, pretrained)
    cohort = read(pretrained, "cohort.json")
    beside = hashlib.sha256(stated.encode()).hexdigest()
    cohort["files"].append(beside)
    (pretrained / "cohort.json").write_text(json.dumps(cohort))
    shutil.copytree(clinic, data)
    for recording in data.glob("C*.csv"):
        recording.with_suffix(".json").write_text(stated)
    out = run_toy(
        tmp_path / "run", task="third", data=(data,), protocol="honest",
        needs_from={"beats": pretrained}, config="smoke",
    )  # fmt: skip
    files = read(out, "cohort.json")["files"]
    assert beside not in files
    assert hashlib.sha256((data / "C04r0.csv").read_bytes()).hexdigest() in files


def test_a_run_of_another_task_cannot_stand_in(run_toy, clinic, clinic_run, tmp_path):
    with refuses(ConfigError, "toy mean_class", "toy beats", code="mismatch"):
        run_toy(tmp_path / "run", task="third", data=(clinic,), needs_from={"beats": clinic_run})


def test_a_run_that_is_not_finished_cannot_stand_in(run_toy, clinic, beats_run, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    manifest = read(beats_run, "manifest.json") | {"status": "running: training"}
    (half / "manifest.json").write_text(json.dumps(manifest))
    with refuses(ConfigError, "--from-run beats", code="unfinished"):
        run_toy(tmp_path / "run", task="third", data=(clinic,), needs_from={"beats": half})


def test_the_first_lines_say_that_pretraining_is_synthetic(cardio, clinic, tmp_path):
    said = cardio(
        "run", "--plugin", "toy", "--task", "third", "--data", clinic, "--out", tmp_path / "run",
        "--dry-run",
    )  # fmt: skip
    starting, need, *_ = said.stdout.splitlines()
    assert starting == f"starting: toy on {clinic.name}"
    assert "beats is made first, on its synthetic cohort" in need


def test_the_needed_task_is_made_with_the_settings_that_this_task_asks_for(third_made_run):
    made = yaml.safe_load((third_made_run / "needs/beats/config.yaml").read_text())
    assert made["train"]["fit"]["epochs"] == 1
    assert made["protocols"]["honest"]["plan"] == "holdout"


@pytest.fixture(scope="module")
def third_made_run(run_toy, clinic, tmp_path_factory) -> Path:
    """`third`, which makes `beats` first, on its synthetic cohort."""
    return run_toy(
        tmp_path_factory.mktemp("runs") / "made", task="third", data=(clinic,), protocol="honest",
        sets=(
            "inner.k=0",
            "protocols.honest.plan=holdout",
            "needs.beats.settings={train: {fit: {epochs: 1}}, "
            "protocols: {honest: {plan: holdout}}, inner: {k: 0}}",
        ),
    )  # fmt: skip


def test_a_file_of_weights_stands_in_and_the_manifest_names_it(
    run_toy, clinic, third_made_run, tmp_path
):
    weights = third_made_run / "needs/beats/models/final/network/artifact/weights.safetensors"
    said: list[str] = []
    run = run_toy(
        tmp_path / "run", task="third", data=(clinic,), protocol="honest", said=said,
        sets=("inner.k=0", "protocols.honest.plan=holdout", f"needs.beats.instead={weights}"),
    )  # fmt: skip
    assert said[0].startswith("Earlier task: weights.safetensors stands in for beats (sha256 ")
    (need,) = read(run, "manifest.json")["needs"]
    assert need["from"] == "weights.safetensors"
    assert not (run / "needs").exists()


def test_a_file_cannot_stand_in_for_a_task_on_the_same_patients(run_toy, clinic, tmp_path):
    file = tmp_path / "weights.safetensors"
    file.touch()
    with refuses(ConfigError, "needs.mean_class.instead", code="unsupported"):
        run_toy(
            tmp_path / "run", task="second", data=(clinic,), protocol="honest",
            sets=(f"needs.mean_class.instead={file}",),
        )  # fmt: skip


def test_equal_ids_of_other_people_are_refused_unless_the_user_says_so(
    run_toy, clinic, beats_run, tmp_path
):
    """Two data sets may both have a patient B05."""
    data = tmp_path / "data"
    shutil.copytree(clinic, data)
    table = data / "cohort.csv"
    table.write_text(table.read_text().replace("\nC05,", "\nB05,"))
    asked = {
        "task": "third", "data": (data,), "protocol": "honest", "config": "smoke",
        "needs_from": {"beats": beats_run},
    }  # fmt: skip
    with pytest.raises(LeakageError, match=r"needs\.beats\.other_people=true"):
        run_toy(tmp_path / "refused", **asked)
    run = run_toy(tmp_path / "run", **asked, sets=("needs.beats.other_people=true",))
    assert read(run, "manifest.json")["status"] == "done"


def test_a_run_is_not_resumed_from_another_earlier_run(
    run_toy, clinic, clinic_run, second_run, tmp_path
):
    other = run_toy(tmp_path / "other", data=(clinic,), seed=3)
    begun = tmp_path / "second"
    shutil.copytree(second_run, begun)
    asked = {"task": "second", "data": (clinic,), "resume": True}
    relabelled = tmp_path / "relabelled"  # the same recordings, folds and settings
    shutil.copytree(clinic_run, relabelled)
    manifest = read(relabelled, "manifest.json")
    manifest["stands_on"]["labels"] = "0" * 64
    (relabelled / "manifest.json").write_text(json.dumps(manifest))
    for earlier in (other, relabelled):
        with refuses(ConfigError, "mean_class", code="mismatch"):
            run_toy(begun, **asked, needs_from={"mean_class": earlier})
    run_toy(begun, **asked, needs_from={"mean_class": clinic_run})


def test_a_configuration_file_tells_the_needed_task_only_what_it_says_of_it(
    run_toy, clinic, tmp_path
):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "models: [ridge]\ninner: {k: 0}\n"
        "tasks: {mean_class: {train: {strength: 0.5}, search: [], inner: {k: 0}}}\n"
    )
    run = run_toy(tmp_path / "run", task="second", data=(clinic,), protocol="honest",
                  config=str(file))  # fmt: skip
    made = yaml.safe_load((run / "needs/mean_class/config.yaml").read_text())
    assert made["models"] == []
    assert made["train"]["strength"] == 0.5


VALUES = "models=[height_value, spread_value, both_value]"


def test_what_no_model_uses_is_not_made(run_toy, clinic, tmp_path):
    said: list[str] = []
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="honest", sets=(VALUES,),
        said=said,
    )  # fmt: skip
    assert "Earlier task: mean_class is not made: no model that is run uses it." in said
    assert read(run, "manifest.json")["needs"] == []
    assert not (run / "needs").exists()
    assert not (run / "models/needed").exists()


def test_a_run_that_no_model_uses_is_refused_before_anything_starts(
    run_toy, clinic, clinic_run, tmp_path
):
    with refuses(ConfigError, "--from-run mean_class"):
        run_toy(
            tmp_path / "run", task="joined", data=(clinic,), sets=(VALUES,),
            needs_from={"mean_class": clinic_run},
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_only_the_models_that_use_a_need_are_handed_its_artifact(
    run_toy, clinic, clinic_run, tmp_path
):
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="honest",
        needs_from={"mean_class": clinic_run}, sets=("models=[height, height_value]",),
    )  # fmt: skip
    models = run / "models/honest-r0-f0"
    used, unused = (
        json.loads((models / name / "artifact/joined.json").read_text())["earlier"]
        for name in ("height", "height_value")
    )
    assert len(used) > 0
    assert unused is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("needs.beats.data=nowhere", "needs.beats.data: nowhere: no such file or folder"),
        ("needs.beats.settings={train: {foo: 1}}", "needs.beats: "),
    ],
)
def test_what_was_typed_for_the_earlier_task_is_named_as_it_was_typed(
    cardio, clinic, tmp_path, typed, said
):
    answer = cardio(
        "run", "--plugin", "toy", "--task", "third", "--data", clinic, "--device", "cpu",
        "--executor", "local:1", "--out", tmp_path / "run", "--set", typed,
    )  # fmt: skip
    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"Error: {said}")
    assert answer.stderr.count("\n") == 1


def test_a_run_that_is_named_is_looked_for_before_anything_is_made(cardio, clinic, tmp_path):
    answer = cardio(
        "run", "--plugin", "toy", "--task", "third", "--data", clinic, "--device", "cpu",
        "--executor", "local:1", "--out", tmp_path / "run", "--from-run", "beats=nowhere",
    )  # fmt: skip
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: --from-run beats=nowhere: no run directory")
    assert not (tmp_path / "run").exists()
