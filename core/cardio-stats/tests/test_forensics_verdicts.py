"""How gravely a finding is judged: by what chance allows, by its cause, by the paper's words."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cardio_stats.forensics.checks import ACCUSING
from cardio_stats.forensics.papers import (
    PaperFinding,
    grouped,
    parse_published,
    read_published,
    run_checks,
)
from cardio_stats.forensics.performance import (
    fold_gap_probability,
    fold_spread_probability,
    tables_of_rates,
)

PAPERS = Path(__file__).parents[3] / "docs/forensics/papers.yaml"


@pytest.fixture(scope="module")
def findings() -> list[PaperFinding]:
    return run_checks(read_published(PAPERS))


def test_every_accusation_carries_its_arithmetic(findings: list[PaperFinding]) -> None:
    for found in findings:
        accused = found.finding.verdict in ACCUSING
        assert accused <= any(sign in found.finding.by_hand for sign in ("=", "≠", "<", ">"))
    # a mean of 26.3 from 46 and 25 patients: sqrt of within and between squares over 70
    [scar] = [f for f in findings if (f.paper, f.name, f.where) == ("He 2023", "scar", "Table 1")]
    squares = 45 * 11.2**2 + 24 * 11.8**2 + 46 * (23.2 - 26.30) ** 2 + 25 * (32 - 26.30) ** 2
    assert f"= {math.sqrt(squares / 70):.2f}" in scar.finding.by_hand


def test_one_cause_is_one_finding_with_the_gravest_of_its_verdicts(
    findings: list[PaperFinding],
) -> None:
    groups = [group for group in grouped(findings) if group.cause]
    table_2 = next(group for group in groups if group.cause.startswith("Table 2's univariable"))
    assert (len(table_2.findings), table_2.verdict) == (6, "not reproduced")
    assert sum(len(group.findings) for group in grouped(findings)) == len(findings)
    # the accusations that are left, of 49 findings that were called contradiction or doubt
    assert sum(group.verdict in ACCUSING for group in grouped(findings)) == 13


@pytest.mark.parametrize(("gap", "low", "high"), [(0.007, 0.5, 0.7), (0.020, 0.1, 0.25)])
def test_small_gaps_of_means_over_folds_are_chance(gap: float, low: float, high: float) -> None:
    """Methods page, statistics: .007 and .020 in 56 and 15 % of runs of 71 patients."""
    rates = {"sensitivity": 0.6, "specificity": 0.75, "n_events": 46, "n": 71, "folds": 5}
    assert low < fold_gap_probability(gap, **rates).value < high


def test_gap_and_spread_of_folds_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(11)
    gaps, spreads = [], []
    for _ in range(1500):
        truth = rng.permutation(np.repeat([1, 0], [12, 9]))
        right = rng.random(21) < np.where(truth == 1, 0.9, 0.4)
        parts = np.array_split(np.arange(21), 3)
        if any(len(set(truth[part])) < 2 for part in parts):
            continue
        accuracy = np.mean([right[part].mean() for part in parts])
        sens = np.mean([right[part][truth[part] == 1].mean() for part in parts])
        spec = np.mean([right[part][truth[part] == 0].mean() for part in parts])
        gaps.append(abs(accuracy - (12 * sens + 9 * spec) / 21))
        spreads.append(np.std(rng.random((3, 7)).__lt__(0.7).mean(axis=1)))
    found = fold_gap_probability(
        0.03, sensitivity=0.9, specificity=0.4, n_events=12, n=21, folds=3
    ).value
    assert found == pytest.approx(np.mean(np.array(gaps) >= 0.03), abs=0.05)
    spread = fold_spread_probability(0.1, value=0.7, n_per_fold=7, folds=3).value
    assert spread == pytest.approx(np.mean(np.array(spreads) <= 0.1 + 1e-12), abs=0.05)


def test_every_table_of_rates_is_found_again() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        events, others = (int(k) for k in rng.integers(2, 12, 2))
        hits, rejected = int(rng.integers(0, events + 1)), int(rng.integers(0, others + 1))
        shares = ((hits + rejected) / (events + others), hits / events, rejected / others)
        limits = [(round(share, 3) - 5e-4, round(share, 3) + 5e-4) for share in shares]
        n = events + others
        assert (n, events) in set(tables_of_rates(limits[0], limits[1], limits[2], n))


def test_what_a_paper_explains_is_in_order_and_a_cap_is_kept() -> None:
    def verdict(**words: str) -> tuple[str, str]:
        check = {"check": "same", "name": "n", "printed": {"a": 5, "b": 6}, **words}
        [found] = run_checks(parse_published({"papers": [{"id": "x", "checks": [check]}]}, "f"))
        return found.finding.verdict, found.sentence()

    assert verdict()[0] == "impossible"
    assert verdict(no_more_than="note", because="Two samples.")[0] == "note"
    assert verdict(because="Two samples.")[1].endswith("Our reading: Two samples.")
    assert verdict(explained="One was lost.")[0] == "agrees"
    assert "The paper explains it: One was lost." in verdict(explained="One was lost.")[1]
