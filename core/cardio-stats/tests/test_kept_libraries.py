"""Intervals of proportions, a short formula of our own, are those of statsmodels.

McNemar's test is held against statsmodels in test_decisions.py.
"""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from cardio_stats.proportions import proportion


@pytest.mark.parametrize(("method", "name"), [("wilson", "wilson"), ("clopper-pearson", "beta")])
@pytest.mark.parametrize(("k", "n"), [(0, 7), (24, 29), (500, 1000), (12, 12)])
def test_intervals_of_proportions_are_those_of_statsmodels(method, name, k, n) -> None:
    found = proportion(k, n, method=method)
    expected = proportion_confint(k, n, alpha=0.05, method=name)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-12)
