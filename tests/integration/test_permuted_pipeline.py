"""p of `cardio stability --permute` where nothing is to be found, and where something is.

With ``CARDIO_STORE=1`` the slow test of this file makes the stored result anew.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from cardio_core.testing import call_cardio

pytestmark = pytest.mark.slow  # of the stored study

STORED = Path(__file__).parent / "stored" / "permuted_pipeline.json"
N_PATIENTS, N_PERMUTATIONS = 24, 19
COHORTS = {"0.0": 40, "2.0": 6}
"""Seeds by the effect: severity of the ill less that of the healthy, in SD."""
SETTINGS = (
    "inner.k=2", "search=[{strength: 0.01}, {strength: 1.0}]", "models=[ridge]",
    "protocols.honest.k=2", "evaluate.n_resamples=100",
)  # fmt: skip


def p_of(run_toy, write_cohort, folder: Path, effect: float, seed: int) -> float:
    made = write_cohort(
        folder / "made", "mean_class", n_patients=N_PATIENTS, seed=seed, effect=effect
    )
    run = run_toy(folder / "run", data=(made,), protocol="honest", seed=seed, sets=SETTINGS)
    said = call_cardio("stability", run, "--permute", N_PERMUTATIONS, "--data", made,
                       "--executor", "local:1", "--out", folder / "out")  # fmt: skip
    assert said.exit_code == 0, said.stderr
    return float(pd.read_csv(folder / "out/tables/permutations.csv")["p"].iloc[0])


def require_uniform(p: list[float]) -> None:
    """Of n values of 1/20 to 1, each as likely, so many may be as small as chance allows."""
    n = len(p)
    for limit in (0.05, 0.1, 0.25, 0.5, 0.75):
        low, high = binom.ppf([0.0005, 0.9995], n, limit)
        assert low <= np.count_nonzero(np.array(p) <= limit + 1e-9) <= high, limit


def test_without_a_signal_the_stored_p_values_are_uniform():
    stored = json.loads(STORED.read_text())["p"]["0.0"]
    assert len(stored) == COHORTS["0.0"]
    require_uniform(stored)


def test_with_a_signal_the_stored_p_values_are_the_smallest_there_can_be():
    stored = json.loads(STORED.read_text())["p"]["2.0"]
    assert len(stored) == COHORTS["2.0"]
    assert sum(p <= 0.05 for p in stored) >= 5


@pytest.mark.parametrize("effect", COHORTS)
def test_p_values_over_seeds(run_toy, write_cohort, tmp_path, effect):
    p = [
        p_of(run_toy, write_cohort, tmp_path / str(seed), float(effect), seed)
        for seed in range(COHORTS[effect])
    ]
    if os.environ.get("CARDIO_STORE"):
        kept = json.loads(STORED.read_text()) if STORED.exists() else {"p": {}}
        kept |= {
            "made": datetime.now(UTC).date().isoformat(), "n_patients": N_PATIENTS,
            "n_permutations": N_PERMUTATIONS, "settings": list(SETTINGS),
            "p": kept["p"] | {effect: p},
        }  # fmt: skip
        STORED.write_text(json.dumps(kept) + "\n")
    assert p == json.loads(STORED.read_text())["p"][effect]
