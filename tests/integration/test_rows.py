"""Rows that a cohort cannot support are left out, and the report says why."""

from __future__ import annotations

import json

from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError


def test_a_row_without_support_is_left_out_with_its_reason(run_toy, clinic, tmp_path):
    said: list[str] = []
    run = run_toy(
        tmp_path / "run", data=(clinic,), protocol="honest", said=said,
        sets=("load.without=[constant]", "inner.k=0"),
    )  # fmt: skip
    manifest = json.loads((run / "manifest.json").read_text())
    reason = "Model Prevalence, whoever it is is left out: the configuration says so."
    assert manifest["models"] == ["ridge"]
    assert reason in said
    assert reason in [one["text"] for one in manifest["notes"]]
    assert reason in (run / "report.html").read_text()
    assert {m["model"] for m in json.loads((run / "metrics.json").read_text())} == {"ridge"}


def test_a_cohort_that_supports_no_row_is_refused(run_toy, clinic, tmp_path):
    with refuses(ConfigError, "models"):
        run_toy(
            tmp_path / "run", data=(clinic,), protocol="honest",
            sets=("load.without=[constant]", "models=[constant]"),
        )  # fmt: skip
