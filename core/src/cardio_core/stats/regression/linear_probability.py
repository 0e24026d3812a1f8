"""Differences of risk from a linear probability model, which are not odds ratios."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.design import design_of
from cardio_core.stats.foundation.intervals import t_quantile, two_sided_p
from cardio_core.stats.foundation.validate import checked_level, unit_count
from cardio_core.types.estimate import Estimate


def risk_difference(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> list[Estimate]:
    """Regress a binary outcome linearly on columns: risk differences per unit.

    Parameters
    ----------
    table : DataFrame
    target : str
        Column of 0 and 1, or of two values with `event` named.
    features : sequence of str
    event : str, optional
    level : float
    unit : str

    Returns
    -------
    list of Estimate
        One a term: the change in probability per unit, with standard errors that allow for the
        binomial variance (HC3). ``extra["se_classical"]`` is the homoscedastic one. Limits and p
        are those of t with ``extra["df"]``, rows less coefficients.

    Notes
    -----
    The exponential of such a coefficient is sometimes printed as an "odds ratio"; it is none. A
    gender coefficient of 0.148 is 14.8 percentage points, exp(0.148) = 1.16 is nothing.

    References
    ----------
    MacKinnon JG, White H. J Econometrics 1985;29:305 (HC3).

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"y": [1] * 54 + [0] * 21 + [1] * 15 + [0] * 13,
    ...                   "male": [1] * 75 + [0] * 28})
    >>> e = risk_difference(t, "y", ["male"])[0]
    >>> round(e.value, 4), round(54 / 75 - 15 / 28, 4)
    (0.1843, 0.1843)
    """
    from statsmodels.regression.linear_model import OLS

    design = design_of(table, target, features, event=event)
    if design.n <= len(design.terms) + 1:
        raise DataError(
            f"risk difference: expected more rows than the {len(design.terms) + 1} coefficients, "
            f"found {design.n}; take fewer predictors"
        )
    full = np.column_stack([design.matrix, np.ones(design.n)])
    if np.linalg.matrix_rank(full) < full.shape[1]:
        raise DataError(
            "risk difference: expected predictors that are not sums of each other, found "
            f"collinear ones among {', '.join(design.terms)}; leave one out"
        )
    fit = OLS(design.outcome, full).fit()
    if fit.get_influence().hat_matrix_diag.max() > 1 - 1e-9:
        raise DataError(
            f"risk difference: expected rows that share their pattern of predictors, found one "
            f"that {', '.join(design.terms)} fit perfectly; use Firth's logistic regression"
        )
    values, errors, classical, df = fit.params, fit.HC3_se, fit.bse, fit.df_resid
    reach = t_quantile(checked_level(level), df)
    estimates = []
    for index, term in enumerate(design.terms):
        value, se = float(values[index]), float(errors[index])
        if not se > 0:
            raise DataError(
                f"risk difference of {term!r}: expected an outcome that is not fitted perfectly, "
                "found one that is; use Firth's logistic regression"
            )
        estimates.append(
            Estimate(
                f"risk_difference[{term}]",
                value,
                value - reach * se,
                value + reach * se,
                level,
                "linear probability model, HC3 standard errors, t",
                **unit_count(design.n, None, unit),
                p_value=two_sided_p(value / se, df),
                n_dropped=design.n_dropped,
                note="A difference of risks per unit, not an odds ratio.",
                extra={"se": se, "se_classical": float(classical[index]), "df": float(df)},
            )
        )
    return estimates
