"""Short formulas of our own give statsmodels' numbers; importing it costs more than most commands.

Kappa and McNemar are held against statsmodels in test_agreement.py and test_decisions.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from cardio_core.stats.classification.proportions import proportion
from cardio_core.stats.selection.multiplicity import benjamini_hochberg, holm


@pytest.mark.parametrize(("adjusted", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_are_those_of_statsmodels(adjusted, name) -> None:
    for seed in range(5):
        p = np.random.default_rng(seed).random(20) ** 3
        np.testing.assert_allclose(adjusted(p), multipletests(p, method=name)[1], rtol=1e-12)


@pytest.mark.parametrize(("method", "name"), [("wilson", "wilson"), ("clopper-pearson", "beta")])
@pytest.mark.parametrize(("k", "n"), [(0, 7), (24, 29), (500, 1000), (12, 12)])
def test_intervals_of_proportions_are_those_of_statsmodels(method, name, k, n) -> None:
    found = proportion(k, n, method=method)
    expected = proportion_confint(k, n, alpha=0.05, method=name)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-12)
