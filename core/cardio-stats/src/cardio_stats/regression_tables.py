"""Tables of logistic regressions: one column at a time, and all together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cardio_stats._numerics.columns import (
    AS_THEY_STAND,
    Coding,
    Design,
    binary_outcome,
    collinear,
    design_of,
    reference_note,
    require_more_rows,
    require_varying,
    terms_of,
)
from cardio_stats._numerics.display import BLANK, ResultTable, number_text, p_text, ratio_text
from cardio_stats._numerics.intervals import two_sided_p, wald_limits
from cardio_stats._numerics.validate import Floats, checked_level, sample_count
from cardio_stats._numerics.watching import tell
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.logistic import IntervalKind, LogisticModel, Method, fit_scales
from cardio_stats.roc_curves import auc
from cardio_stats.splines import SplineFound

# Likelihood-ratio tests of nested logistic models, on identical rows only.


def likelihood_ratio_test(
    reduced: LogisticModel, full: LogisticModel, *, unit: str = "row"
) -> Estimate:
    """Ask whether the terms that `full` adds improve the fit.

    Parameters
    ----------
    reduced, full : LogisticModel
        Unpenalised fits of the same outcome on the same rows; the terms of the first are among
        those of the second.
    unit : str

    Returns
    -------
    Estimate
        Twice the gain in log-likelihood, with its chi-square p; ``extra["df"]`` counts the terms
        that were added.

    Raises
    ------
    DataError
        Different rows (as arise when each model drops its own missing values), models that are
        not nested, or a penalised fit.
    """
    if full.method == "firth" or reduced.method == "firth":
        raise DataError(
            "likelihood-ratio test: expected two unpenalised fits, found Firth's; penalised "
            "likelihoods of two models have two penalties, use the penalised p of one model",
            code="unsupported",
        )
    if not np.array_equal(reduced.rows, full.rows):
        raise DataError(
            f"likelihood-ratio test: expected two models of the same rows, found {reduced.n} and "
            f"{full.n}; drop the missing values of all columns first, as incremental does",
            code="mismatch",
        )
    same_outcome = (reduced.target, reduced.event) == (full.target, full.event)
    if not same_outcome or not set(reduced.terms) < set(full.terms):
        raise DataError(
            "likelihood-ratio test: expected nested models of one outcome, found "
            f"{reduced.target} on {', '.join(reduced.terms)} and {full.target} on "
            f"{', '.join(full.terms)}; compare them by cross-validated AUC",
            code="mismatch",
        )
    gain = full.log_likelihood - reduced.log_likelihood
    return _gain(gain, len(full.terms) - len(reduced.terms), full, unit)


def model_chi2(model: LogisticModel, *, unit: str = "row") -> Estimate:
    """Test a model against the intercept alone."""
    if model.method == "firth":
        raise DataError(
            "likelihood-ratio test: expected an unpenalised fit, found Firth's; read the "
            "penalised p of its terms",
            code="unsupported",
        )
    return _gain(model.log_likelihood - model.null_log_likelihood, len(model.terms), model, unit)


def _gain(gain: float, df: int, model: LogisticModel, unit: str) -> Estimate:
    statistic = max(0.0, 2 * gain)
    return Estimate(
        "likelihood_ratio_chi2",
        statistic,
        method=f"likelihood-ratio test, {df} df",
        **model.counted(unit),
        p_value=float(chdtrc(df, statistic)),
        extra={"df": float(df), "n_events": float(model.n_events)},
    )


def incremental(
    table: pd.DataFrame,
    outcome: str,
    base: Sequence[str],
    *additions: Sequence[str],
    event: str | None = None,
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Say what each addition gives beyond the columns before it.

    Parameters
    ----------
    table : DataFrame
    outcome : str
    base : sequence of str
        Columns of the first model.
    *additions : sequence of str
        Each gives the next model: all columns so far and these.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    level : float
    unit : str
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    ResultTable
        A row a model: its chi-square over the intercept, the chi-square, df and p of what was
        added, AIC and AUC. All models are fitted on the rows where every column is known.

    Notes
    -----
    The AUC is apparent: the model is scored on the patients it was fitted on, which favours the
    larger model even where the added column is noise. The p-value of a column that was chosen
    among many is not the p-value of a test; see
    :func:`~cardio_stats.screening.screening_noise`. DeLong's test does not apply
    to the AUCs of nested models (Demler 2012, Stat Med 31:2577); the likelihood-ratio test does.
    """
    if not additions or any(not added for added in additions):
        raise DataError("incremental: expected at least one column to add, found none")
    columns = [*base, *(name for added in additions for name in added)]
    design = design_of(table, outcome, columns, event=event, coding=coding)
    rows, estimates = [], []
    previous: LogisticModel | None = None
    features = list(base)
    for added in ([], *additions):
        features = features + list(added)
        (model,) = fit_scales(design.only(features), ("unit",), method="ml", level=level, unit=unit)
        label = ", ".join(base) if previous is None else "+ " + ", ".join(added)
        over_null = model_chi2(model, unit=unit).replace(name=f"model_chi2[{label}]")
        area = auc(design.outcome, model.fitted, level=level, unit=unit).replace(
            name=f"apparent_auc[{label}]", note="Apparent: scored on the rows that were fitted."
        )
        estimates += [over_null, area]
        cells = ["", "", ""]
        if previous is not None:
            gain = likelihood_ratio_test(previous, model, unit=unit)
            estimates.append(gain.replace(name=f"likelihood_ratio_chi2[{label}]"))
            cells = [f"{gain.value:.2f}", f"{gain.extra['df']:.0f}", p_text(gain.p_value)]
        rows.append(
            (
                label,
                f"{over_null.value:.2f}",
                p_text(over_null.p_value),
                *cells,
                f"{model.aic:.1f}",
                f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f})",
            )
        )
        previous = model
    splines = _splines(model, level, unit)
    estimates += [estimate for found in splines.values() for estimate in found.estimates]
    return ResultTable(
        f"Incremental value for {outcome} = {design.event}",
        ("Model", "chi2", "p", "added chi2", "df", "p added", "AIC",
         f"apparent AUC ({level * 100:g} % CI)"),
        tuple(rows),
        (
            f"{design.n} {unit}s with every column known, {design.n_events} events; "
            f"{design.n_dropped} dropped for missing values.",
            *reference_note(design.references),
            *(f"In the last model, {found.sentence()}" for found in splines.values()),
            "chi2: likelihood ratio against the intercept. Added chi2: against the row above.",
            "The AUC is apparent and favours the larger model; it is no evidence on new patients.",
        ),
        tuple(estimates),
    )  # fmt: skip


# Variance inflation: how much each predictor is told by the others.


def vif(table: pd.DataFrame, features: Sequence[str]) -> list[Estimate]:
    """Return the variance inflation factor of each predictor, on complete rows.

    Parameters
    ----------
    table : DataFrame
    features : sequence of str
        At least one column; text gives a factor per level.

    Returns
    -------
    list of Estimate
        Above 5 the coefficient's variance is five times what it would be alone, and its estimate
        says little.

    References
    ----------
    Marquardt DW. Technometrics 1970;12:591.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"a": [1, 2, 3, 4, 5.0], "b": [1, 2, 3, 5, 4.0]})
    >>> [round(e.value, 3) for e in vif(t, ["a", "b"])]
    [5.263, 5.263]
    """
    encoded = [terms_of(table, name) for name in features]
    matrix = np.column_stack([columns for columns, _ in encoded])
    terms = [term for _, names in encoded for term in names]
    known = ~np.isnan(matrix).any(axis=1)
    return inflation_factors(matrix[known], terms, int(np.count_nonzero(~known)), "row")


def inflation_factors(
    matrix: Floats, terms: Sequence[str], n_dropped: int, unit: str
) -> list[Estimate]:
    """Return 1/(1 - R²) of each column of `matrix`, without intercept, regressed on the others."""
    require_more_rows("variance inflation", len(matrix), terms, 0)
    centred = matrix - matrix.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    require_varying(terms, matrix)
    correlation = (centred / spread).T @ (centred / spread) / len(matrix)
    if np.linalg.matrix_rank(correlation, tol=1e-10) < len(terms):
        raise collinear("variance inflation", terms)
    return [
        Estimate(
            f"vif[{term}]",
            float(value),
            method="variance inflation factor",
            **sample_count(len(matrix), None, unit, n_dropped),
        )
        for term, value in zip(terms, np.diag(np.linalg.inv(correlation)), strict=True)
    ]


def univariable(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    method: Method = "auto",
    interval: IntervalKind = "profile",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Regress the outcome on one column at a time.

    Parameters
    ----------
    table : DataFrame
    outcome : str
    features : sequence of str
        Each is fitted on the rows where it and the target are known.
    event, method, interval, level, unit
        As for :func:`~cardio_stats.logistic.fit_logistic`.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    ResultTable
        A row a coefficient: rows and events, odds ratio per unit and per SD, Wald and
        likelihood-ratio p. The p-values are not corrected for the number of columns.
    """
    if not features:
        raise DataError("univariable: expected at least one column, found none")
    rows: list[tuple[str, ...]] = []
    estimates: list[Estimate] = []
    notes: dict[str, None] = {}
    coding.require(features)
    designs = [
        design_of(table, outcome, [feature], event=event, coding=coding.only([feature]))
        for feature in features
    ]  # all before any is fitted: one that is refused costs no time
    for place, (feature, design) in enumerate(zip(features, designs, strict=True)):
        tell("columns", place, len(features))
        per_unit, per_sd = fit_scales(
            design, ("unit", "sd"), method=method, interval=interval, level=level, unit=unit
        )
        splines = _splines(per_unit, level, unit)
        for model in (per_unit, per_sd):
            estimates += _plain(model.odds_ratios, design, splines)
        for found in splines.values():
            estimates += found.estimates
            notes[found.sentence()] = None
        rows += [
            (
                term,
                f"{design.n} ({design.n_events})",
                *cells,
                "Firth" if per_unit.method == "firth" else "",
            )
            for term, cells in _ratios(design, per_unit, per_sd, splines)
        ]
        if per_unit.note:
            text = per_unit.note
            notes[text if text.startswith(feature) else f"{feature}: {text}"] = None
    ci = f"({level * 100:g} % CI)"
    placed = binary_outcome(table, outcome, event)[1]
    return ResultTable(
        f"Univariable logistic regression of {outcome} = {placed.event}",
        ("Variable", "n (events)", f"OR per unit {ci}", "SD", f"OR per SD {ci}", "p Wald", "p LR",
         "method"),
        tuple(rows),
        (
            f"{interval.capitalize()} intervals; each row uses the {unit}s where its column is "
            "known. Two-valued columns have no SD.",
            "The p-values are not corrected for the number of columns that were tested "
            f"({len(features)}).",
            *reference_note([reference for design in designs for reference in design.references]),
            *notes,
        ),
        tuple(estimates),
    )  # fmt: skip


def _splines(model: LogisticModel, level: float, unit: str) -> dict[str, SplineFound]:
    about = Estimate("", 0.0, level=level, **model.counted(unit),
                     )  # fmt: skip
    return model.splines(about)


def _plain(ratios: Sequence[Estimate], design: Design, splines: Collection[str]) -> list[Estimate]:
    """Return the odds ratios of all but the parts of splines, which mean nothing alone."""
    pairs = zip(ratios, design.features, strict=True)
    return [ratio for ratio, feature in pairs if feature not in splines]


def _ratios(
    design: Design,
    per_unit: LogisticModel,
    per_sd: LogisticModel,
    splines: Mapping[str, SplineFound],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Print each term's odds ratio per unit, SD, odds ratio per SD, Wald and likelihood-ratio p.

    A spline comes first and has one row: its odds ratio between the quartiles.
    """
    for feature, found in splines.items():
        p = p_text(found.association.p_value)
        yield feature, (ratio_text(found.ratio), BLANK, BLANK, p, BLANK)
    ratios = zip(per_unit.odds_ratios, per_sd.odds_ratios, strict=True)
    shown = zip(design.features, design.terms, design.matrix.T, ratios, strict=True)
    for feature, term, column, (item, other) in shown:
        if feature in splines:
            continue
        by_sd = (BLANK, BLANK)
        if item.value != other.value:
            by_sd = (number_text(float(column.std(ddof=1))), ratio_text(other))
        # Firth's estimates are too skew for a Wald p
        p_wald = BLANK if per_unit.method == "firth" else p_text(item.extra["p_wald"])
        p = p_text(item.extra["p_likelihood_ratio"])
        yield term, (ratio_text(item), *by_sd, p_wald, p)


def multivariable(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    method: Method = "auto",
    interval: IntervalKind = "profile",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Regress the outcome on all columns together, on the rows where all are known.

    Parameters
    ----------
    table : DataFrame
    outcome : str
    features : sequence of str
    event, method, interval, level, unit
        As for :func:`~cardio_stats.logistic.fit_logistic`.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    ResultTable
        A row a coefficient with odds ratios per unit and per SD, p-values and variance inflation;
        the notes give AIC, the model's chi-square and its apparent AUC.
    """
    design = design_of(table, outcome, features, event=event, coding=coding)
    per_unit, per_sd = fit_scales(
        design, ("unit", "sd"), method=method, interval=interval, level=level, unit=unit
    )
    splines = _splines(per_unit, level, unit)
    factors = inflation_factors(design.matrix, design.terms, design.n_dropped, unit)
    inflation = {
        term: found
        for term, feature, found in zip(design.terms, design.features, factors, strict=True)
        if feature not in splines
    }
    summary, notes = _fit_notes(per_unit, design.outcome, level, unit)
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Multivariable logistic regression of {outcome} = {design.event}",
        ("Variable", f"OR per unit {ci}", "SD", f"OR per SD {ci}", "p Wald", "p LR", "VIF"),
        tuple(
            (term, *cells, f"{inflation[term].value:.2f}" if term in inflation else BLANK)
            for term, cells in _ratios(design, per_unit, per_sd, splines)
        ),
        (
            f"{design.n} {unit}s with every column known, {design.n_events} events; "
            f"{design.n_dropped} dropped for missing values. {interval.capitalize()} intervals.",
            *reference_note(design.references),
            *(found.sentence() for found in splines.values()),
            *notes,
        ),
        (
            *_plain(per_unit.odds_ratios, design, splines),
            *_plain(per_sd.odds_ratios, design, splines),
            *(estimate for found in splines.values() for estimate in found.estimates),
            *inflation.values(),
            *summary,
        ),
    )


def _fit_notes(
    model: LogisticModel, outcome: Floats, level: float, unit: str
) -> tuple[list[Estimate], list[str]]:
    area = auc(outcome, model.fitted, level=level, unit=unit).replace(
        name="apparent_auc", note="Apparent: scored on the rows that were fitted."
    )
    estimates, notes = [area], []
    if model.method == "ml":
        fit = model_chi2(model, unit=unit)
        estimates.append(fit)
        notes.append(
            f"Likelihood ratio chi2 {fit.value:.2f}, {fit.extra['df']:.0f} df, "
            f"p {p_text(fit.p_value)}; AIC {model.aic:.1f}."
        )
    else:
        notes.append("Firth's penalised likelihood; AIC and the model's chi2 do not apply.")
    notes.append(
        f"Apparent AUC {area.value:.3f} ({area.low:.3f} to {area.high:.3f}), scored on the "
        f"{unit}s that were fitted."
    )
    if model.note:
        notes.append(model.note)
    return estimates, notes


# Differences of risk from a linear probability model, which are not odds ratios.


def risk_difference(
    table: pd.DataFrame,
    outcome: str,
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
    outcome : str
        Column of 0 and 1, or of two values with `event` named.
    features : sequence of str
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
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

    design = design_of(table, outcome, features, event=event)
    require_more_rows("risk difference", design.n, design.terms)
    full = np.column_stack([design.matrix, np.ones(design.n)])
    if np.linalg.matrix_rank(full) < full.shape[1]:
        raise collinear("risk difference", design.terms)
    fit = OLS(design.outcome, full).fit()
    if fit.get_influence().hat_matrix_diag.max() > 1 - 1e-9:
        raise DataError(
            f"risk difference: expected rows that share their pattern of predictors, found one "
            f"that {', '.join(design.terms)} fit perfectly; use Firth's logistic regression"
        )
    values, errors, classical, df = fit.params, fit.HC3_se, fit.bse, fit.df_resid
    checked_level(level)
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
                *wald_limits(value, se, level, df=df),
                level,
                "linear probability model, HC3 standard errors, t",
                **design.counted(unit),
                p_value=two_sided_p(value / se, df),
                note="A difference of risks per unit, not an odds ratio.",
                extra={"se": se, "se_classical": float(classical[index]), "df": float(df)},
            )
        )
    return estimates
