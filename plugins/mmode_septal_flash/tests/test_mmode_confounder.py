"""The confounder switch: a lead tells the timepoint and the timepoint the label; there is no flash.

Slow where nothing is stored yet. To make it:
``python plugins/mmode_septal_flash/tests/test_mmode_confounder.py``.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cardio_core.testing import run_plugin
from cardio_mmode_septal_flash.synthetic import synthesize

pytestmark = pytest.mark.slow
STORED = Path(__file__).parent / "stored" / "mmode_confounder.json"
N_PATIENTS = 100
SIZES = ("preprocess.n_pixels=250", "preprocess.max_shift=1", "featurize.size=64")
FIT = "train.fit={epochs: 8, batch_size: 16, draw: 128, learning_rate: 5.0e-3}"
EARLIER = (*SIZES, "models=[densenet_crop]", "explain={n_cases: 0, n_random: 0}")
SETTINGS = (
    *SIZES,
    "models=[densenet_crop,excursion]",
    "protocols.honest={plan: nested, k: 2, decision: fixed}",
    "inner.k=0",
    FIT,
    "evaluate.n_resamples=500",
    "explain={n_cases: 0, n_random: 0, methods: [layer_cam]}",
)


def make() -> None:
    """Run once on a cohort without any flash, whose labels go with the timepoint, and store it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["CARDIO_CACHE"] = str(folder / "cache")
        synthesize(folder / "phantoms", n_patients=12, task="phantom_flash")
        earlier = run_plugin(
            "mmode_septal_flash", "phantom_flash", folder / "phantoms", folder / "earlier",
            sets=EARLIER,
        )  # fmt: skip
        synthesize(
            folder / "cohort", n_patients=N_PATIENTS, difficulty="impossible", confounder=True
        )
        truth = json.loads((folder / "cohort" / "truth.json").read_text())
        run = run_plugin(
            "mmode_septal_flash", "septal_flash", folder / "cohort", folder / "run", sets=SETTINGS,
            needs_from={"phantom_flash": earlier},
        )  # fmt: skip
        table = pd.read_csv(run / "tables" / "honest-within-timepoint.csv")
        notes = json.loads((run / "manifest.json").read_text())["notes"]
    content = {
        "made": datetime.now(UTC).date().isoformat(),
        "command": f"python plugins/mmode_septal_flash/tests/{Path(__file__).name}",
        "n_patients": N_PATIENTS,
        "cohort": {"difficulty": "impossible", "confounder": True, "seed": 0},
        "settings": ["config=smoke", *SETTINGS],
        "bayes_auc": truth["bayes_auc"]["septal_flash"],
        "bayes_auc_within": truth["bayes_auc_within"],
        "auc": json.loads(table.to_json(orient="records")),
        "notes": [note["text"] for note in notes if note["kind"] == "confounded_by_time"],
    }
    STORED.write_text(json.dumps(content, indent=1) + "\n")


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    if not STORED.exists():
        make()
    content: dict[str, Any] = json.loads(STORED.read_text())
    return content


def row(stored: dict[str, Any], model: str, among: str) -> dict[str, Any]:
    (found,) = [one for one in stored["auc"] if (one["model"], one["among"]) == (model, among)]
    return found


def test_the_network_looks_good_over_all_studies_where_only_the_lead_tells_the_label(stored):
    assert row(stored, "densenet_crop", "all studies")["low"] > 0.6
    # Labels of 85 in 100 baselines and of 6 in 50 follow-ups: (85 · 44 + (85 · 15 + 6 · 44) / 2) of
    # 91 · 59 pairs are ranked rightly by the time.
    assert stored["bayes_auc"] == pytest.approx(0.84, abs=0.05)


def test_the_auc_within_a_timepoint_exposes_it_and_the_report_says_so(stored):
    pooled, within = (
        row(stored, "densenet_crop", among) for among in ("all studies", "within a timepoint")
    )
    # Pooled scores of fits that found only the time run a little against the labels within it.
    assert within["low"] < 0.5 and within["high"] < pooled["low"]
    assert stored["bayes_auc_within"] == {"baseline": 0.5, "follow-up": 0.5}
    assert any("DenseNet121 on the crop" in note for note in stored["notes"])


if __name__ == "__main__":
    make()
