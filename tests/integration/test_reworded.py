"""No number and no state of a run depends on the wording of a sentence, a title or a heading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cardio_core.evaluation.patients import TableOne
from cardio_core.testing import call_cardio
from cardio_core.types.features import FeatureBlock
from cardio_core.types.notes import Exclusion, Note, Verdict
from cardio_core.types.report import Case, Scope
from cardio_stats.errors import CardioError, DataError

MARK = "[another wording] "
SKIP = "needs.mean_class.skip=true"


def reword(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reword every note, exclusion, verdict, error, title, subgroup and heading that is made."""

    def marked(text: str) -> str:
        return text if not text or MARK in text else f"{MARK}{text}"

    def of(kind: type, field: str, change: Any) -> None:
        genuine = kind.__init__

        def made(self: Any, *given: Any, **named: Any) -> None:
            genuine(self, *given, **named)
            object.__setattr__(self, field, change(getattr(self, field)))

        monkeypatch.setattr(kind, "__init__", made)

    of(Note, "text", marked)
    of(Exclusion, "text", marked)
    of(Verdict, "reasons", lambda reasons: tuple(map(marked, reasons)))
    of(CardioError, "args", lambda args: tuple(marked(str(one)) for one in args))
    of(Case, "title", lambda title: MARK)
    of(Scope, "subgroup", lambda text: text and marked(text))
    of(FeatureBlock, "titles", lambda titles: titles and tuple(map(marked, titles)))
    of(TableOne, "frame", lambda frame: frame.rename(columns=lambda head: marked(head)
                                                     if "(n = " in head else head))  # fmt: skip
    of(TableOne, "sizes", lambda sizes: {marked(head): n for head, n in sizes.items()})


def fail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one model of one honest fold meet data that it cannot be fitted on."""
    from cardio_toy.clinic import one_feature

    genuine = one_feature.fit_one_feature

    def fails(*arguments: Any) -> Any:
        ctx = arguments[-1]
        if (ctx.model, ctx.protocol, ctx.fold) == ("spread", "honest", "r0-f1"):
            raise DataError("expected 3 patients with a spread, found 2; take more")
        return genuine(*arguments)

    monkeypatch.setattr(one_feature, "fit_one_feature", fails)


def states_of(run: Path) -> dict[str, Any]:
    """Return everything of a run that is no sentence."""
    manifest = json.loads((run / "manifest.json").read_text())
    tables = {
        path.name: pd.read_csv(path).select_dtypes("number").to_dict("list")
        for path in sorted((run / "tables").glob("*.csv"))
    }
    kept = ("status", "models", "primary", "protocols", "split_digest", "copied_signals")
    return {
        **{name: manifest[name] for name in kept if name in manifest},
        "notes": [[one[k] for k in ("kind", "model", "severity", "where")]
                  for one in manifest["notes"]],
        "quarantined": [[one[k] for k in ("recording_id", "hook", "code")]
                        for one in manifest["quarantined"]],
        "metrics": json.loads((run / "metrics.json").read_text().replace(MARK, "")),
        "shown": manifest["shown"],
        "predictions": (run / "predictions.csv").read_text(),
        "splits": json.loads((run / "splits.json").read_text()),
        "tables": str(tables).replace(MARK, ""),
    }  # fmt: skip


def test_a_run_whose_every_sentence_is_worded_otherwise_has_the_same_numbers_and_states(
    run_toy, clinic, tmp_path, monkeypatch
):
    asked = {"task": "joined", "data": (clinic,), "sets": (SKIP,)}
    with monkeypatch.context() as patch:
        fail_once(patch)
        plain = run_toy(tmp_path / "plain", **asked)
        reword(patch)
        reworded = run_toy(tmp_path / "reworded", **asked)
    before, after = states_of(plain), states_of(reworded)
    assert ["left_out_of_honest", "spread", "info", ""] in before["notes"]
    assert before["quarantined"]
    for name, value in before.items():
        assert after[name] == value, name
    notes = json.loads((reworded / "manifest.json").read_text())["notes"]
    assert all(MARK in one["text"] for one in notes)


def described(folder: Path) -> Path:
    """Add what Table 1 describes to a cohort of the toy, few of it in one class."""
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    table["patient_id"], table["subject_link"] = folder.name + table["patient_id"], ""
    table["age_y"] = [str(40 + 7 * n % 40) for n in range(len(table))]
    table["sex"] = ["F" if n == 5 else "M" for n in range(len(table))]
    table["site_id"] = ["AB"[n // 2 % 2] for n in range(len(table))]
    table.to_csv(folder / "cohort.csv", index=False)
    return folder


def read_by_others(run: Path, away: Path) -> dict[str, Any]:
    """Return what an export and an external validation make of a run."""
    export, external = run.with_name(f"{run.name}-export"), run.with_name(f"{run.name}-external")
    call_cardio("export", run, "--out", export)
    call_cardio("evaluate", run, "--data", away, "--out", external)
    card = json.loads((export / "model_card.json").read_text())
    beside = pd.read_csv(external / "tables" / "table1.csv", dtype=str)
    page = (external / "report.html").read_text()
    return {
        "exported": [list(row.values()) for row in card["table1"]],
        "beside": beside.iloc[:, :4].to_numpy().tolist(),
        "heads": [str(head).replace(MARK, "") for head in beside.columns],
        "sites": "Sites were not distinguished." in page,
        "evaluated": json.loads((external / "manifest.json").read_text())["evaluated"]["by_site"],
        "metrics": (external / "metrics.json").read_text().replace(MARK, ""),
    }


def test_what_reads_a_run_finds_the_same_in_one_with_other_titles_and_headings(
    run_toy, write_cohort, tmp_path, monkeypatch
):
    here = described(write_cohort(tmp_path / "here", "mean_class", n_patients=24))
    away = described(write_cohort(tmp_path / "away", "mean_class", n_patients=30, seed=5))
    sets = ("evaluate.n_resamples=100", "inner.k=1", "search=[]")
    asked = {"data": (here,), "protocol": "honest", "sets": sets}
    with monkeypatch.context() as patch:
        plain = read_by_others(run_toy(tmp_path / "plain", **asked), away)
        reword(patch)
        reworded = read_by_others(run_toy(tmp_path / "reworded", **asked), away)
    sex = next(row[1:4] for row in plain["exported"] if "sex" in row[0])
    assert sex == ["hidden (< 5)"] * 3
    assert plain["heads"][2] == "In the run (n = 24)"
    assert plain["evaluated"] and not plain["sites"]
    assert reworded == plain
