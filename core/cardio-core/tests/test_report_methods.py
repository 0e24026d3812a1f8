"""Methods, limits, checklists and model card are true of the run, and say what they cannot know."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cardio_core.io.run_artifact import SPLITS as SPLITS_FILE
from cardio_core.io.run_artifact import read_artifact
from cardio_core.report.page import methods_parts, write_methods
from cardio_core.report.text.checklists import checklists
from cardio_core.report.text.methods import limits, methods, split_words

MANIFEST = {
    "status": "done", "task": "response", "task_title": "Response from an ECG",
    "plugin": "ecg", "plugin_version": "0.3", "core_version": "0.2", "seed": 11,
    "data": {"source": "real", "path_shown": "cohort.csv", "n_patients": 40, "n_recordings": 44},
    "outcome": "LVESV falls by 15 % or more.", "protocols": ["honest", "paper"],
    "models": ["net", "qrs"], "baselines": ["qrs"], "primary": "net",
    "model_titles": {"net": "ResNet", "qrs": "QRS duration"},
    "targets": [{"name": "response", "kind": "binary", "classes": ["no", "yes"]}],
    "packages": {"python": "3.11.9", "numpy": "2.1", "torch": "2.9", "monai": "1.6"},
    "papers": ["He et al. 2023"], "quarantined": [], "git_commit": "0123456789abcdef",
    "flow": {
        "stations": [
            {"station": "found", "entries": 44, "recordings": 44, "patients": 40},
            {"station": "left", "kind": "unreadable", "reason": "flat lead", "entries": 3,
             "recordings": 3, "patients": 2},
            {"station": "used", "entries": 41, "recordings": 41, "patients": 38},
        ],
        "unlabelled": {"patients": 0, "recordings": 0, "train": False},
    },
}  # fmt: skip
CONFIG = """
inner: {k: 3, validation_share: 0.2}
evaluate: {level: 0.95, n_resamples: 1500}
search: [{lr: 1}, {lr: 2}]
protocols:
  honest: {plan: nested, decision: inner}
  paper: {plan: beats, decision: fixed, overrides: {inner: {k: 0}}}
"""


def fold(name, train, test):
    return {"name": name, "train": list(train), "test": list(test)}


SPLITS = {
    "honest": {"plan": "nested", "unit": "patient",
               "folds": [fold("r0-f0", "abc", "de"), fold("r0-f1", "de", "abc")]},
    "paper": {"plan": "beats", "unit": "sample", "declared_overlap": "beats are drawn at random",
              "folds": [fold("r0-f0", "abc", "de")]},
}  # fmt: skip
ROW = {"protocol": "honest", "target": "response", "model": "net", "name": "auc", "value": 0.7,
       "low": 0.6, "high": 0.8, "level": 0.95, "method": "DeLong", "n": 38, "unit": "patient",
       "n_patients": 38, "extra": {"n_rows": 38, "n_positive": 20}}  # fmt: skip
METRICS = [ROW, ROW | {"model": "qrs", "value": 0.6}, ROW | {
    "name": "auc_difference", "versus": "qrs", "value": 0.1, "low": -0.1, "high": 0.3,
    "method": "DeLong, paired"}]  # fmt: skip


@pytest.fixture
def run(tmp_path):
    def make(manifest=None, splits=SPLITS, metrics=METRICS):
        (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST | (manifest or {})))
        (tmp_path / "metrics.json").write_text(json.dumps(metrics))
        (tmp_path / "splits.json").write_text(json.dumps({"protocols": splits}))
        (tmp_path / "config.yaml").write_text(CONFIG)
        return tmp_path

    return make


def split(plan, *folds, unit="patient"):
    return {"plan": plan, "unit": unit, "folds": [fold(*one) for one in folds]}


PLANS = [
    split("nested", ("r0-f0", "ab", "c"), ("r0-f1", "cb", "a"), ("r1-f0", "ab", "c"),
          ("r1-f1", "cb", "a")),
    split("apparent", ("r0-f0", "abc", "abc")),
    split("dechazal", ("r0-f0", "abc", "de")),
    split("sites", ("r0-f0", "abc", "d"), ("r0-f1", "abd", "c")),
]  # fmt: skip


def test_methods_limits_and_plans_read_as_stored(run, same_text):
    parts = []
    unlabelled = {"data": {"source": "synthetic"}, "flow": {"unlabelled": {"patients": 3}}}
    for more, splits in (({}, SPLITS), (unlabelled, SPLITS), ({}, {"honest": PLANS[-1]})):
        files = read_artifact(run(more, splits))
        parts += ["## methods", *methods(files).paragraphs, "## limits", *limits(files)]
    parts.append("## plans")
    for plan in PLANS:
        made = SPLITS_FILE.check({"protocols": {"honest": plan}}, Path("splits.json"))
        parts.append(split_words(made.protocols["honest"]))
    same_text("methods", "\n".join(parts) + "\n")


def test_networks_are_cited_where_their_weights_lie_in_the_run(run):
    place = run()
    assert "torch" not in " ".join(methods(read_artifact(place)).citations)
    (place / "models/r0").mkdir(parents=True)
    (place / "models/r0/weights.safetensors").write_bytes(b"x")
    found = methods(read_artifact(place))
    assert any(paper.startswith("torch: Paszke") for paper in found.citations)
    assert "torch 2.9" in found.paragraphs[-1]
    assert "monai" not in " ".join([*found.paragraphs, *found.citations])
    assert "He et al. 2023" in found.citations
    assert any(paper.startswith("DeLong ER") for paper in found.citations)


def test_what_is_cited_hangs_on_the_estimates_and_not_on_the_words_of_their_method(run):
    files = read_artifact(run())
    reworded = tuple(replace(row, method="otherwise") for row in files.metrics)
    assert methods(replace(files, metrics=reworded)).citations == methods(files).citations
    none = tuple(replace(row, low=None, high=None) for row in files.metrics)
    assert "DeLong" not in " ".join(methods(replace(files, metrics=none)).citations)


def test_the_checklists_answer_what_the_run_knows_and_flag_the_rest(run):
    tripod, claim = checklists(read_artifact(run()))
    assert [len(tripod.lines), len(claim.lines)] == [27, 44]
    assert [line.number for line in claim.lines] == [str(n) for n in range(1, 45)]
    by_number = {line.number: line for line in tripod.lines}
    assert by_number["17"].status == "for the authors"
    assert not by_number["17"].answer
    assert by_number["4"].status == "answered"
    assert by_number["5"].status == "in part"
    # Without an outcome in the manifest nothing is claimed of it.
    bare = checklists(read_artifact(run({"outcome": ""})))[0]
    assert {line.number: line.status for line in bare.lines}["8"] == "for the authors"


def test_an_empty_run_answers_next_to_nothing(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    files = read_artifact(tmp_path)
    parts = methods_parts(files)
    answered = [
        [line.number for line in one.lines if line.status == "answered"]
        for one in parts["checklists"]
    ]
    assert answered == [["26"], ["40"]], "limits there are always"
    assert parts["flow_told"] is None
    write_methods(tmp_path, files)


def test_what_stands_on_the_page_is_written_beside_it(run, same_text):
    place = run()
    (place / "models/final/net").mkdir(parents=True)
    (place / "models/final/net/model.json").write_text("{}")
    files = read_artifact(place)
    write_methods(place, files)
    with (place / "tables/claim.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 44
    card = (place / "model_card.md").read_text(encoding="utf-8")
    same_text("model_card", re.sub("[0-9a-f]{64}", "SHA256", card))
    before = card.split("models/final: ")[1][:64]
    (place / "models/final/net/model.json").write_text("{ }")
    write_methods(place, files)
    assert (place / "model_card.md").read_text().split("models/final: ")[1][:64] != before
    # The report reads its own checklists back as no table of the run.
    assert read_artifact(place).tables == ()
