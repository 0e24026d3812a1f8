"""No number and no state of a run depends on the wording of a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cardio_core.types.notes import Exclusion, Note, Verdict
from cardio_stats.errors import CardioError, DataError

MARK = "[another wording] "
SKIP = "needs.mean_class.skip=true"


def reword(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a mark before the text of every note, exclusion, verdict and error that is made."""

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
        "metrics": json.loads((run / "metrics.json").read_text()),
        "predictions": (run / "predictions.csv").read_text(),
        "splits": json.loads((run / "splits.json").read_text()),
        "tables": str(tables),
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
