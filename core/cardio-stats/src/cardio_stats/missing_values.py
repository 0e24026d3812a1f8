"""Which values are missing, which of them together, and whether the outcome has to do with it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from cardio_stats._numerics.columns import (
    AS_THEY_STAND,
    Coding,
    binary_outcome,
    column_named,
    design_of,
    reference_note,
    terms_of,
)
from cardio_stats._numerics.display import BLANK, ResultTable, p_text, ratio_text
from cardio_stats._numerics.spline_basis import spline_requested
from cardio_stats._numerics.validate import Bools, Floats, Ints, checked_level, sample_count
from cardio_stats.baseline_table import Groups, groups_of
from cardio_stats.contingency import categorical_test, chi2_2x2, chi2_rxc
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.logistic import Method, fit_logistic
from cardio_stats.proportions import proportion

MOST_PATTERNS = 10


def missing_report(
    table: pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    outcome: str | None = None,
    unit: str = "row",
) -> ResultTable:
    """Count missing values by column, by pattern and by outcome.

    Parameters
    ----------
    table : DataFrame
    columns : sequence of str, optional
        All by default, but for the target.
    outcome : str, optional
        Column of two to 20 values; whether a value is missing is tested against it, on the rows
        where it is known.
    unit : str
        What a row is.

    Returns
    -------
    ResultTable
        A row a column with a missing value, then the patterns: the sets of columns missing
        together, the most frequent first. An estimate a column: the share missing with Wilson's
        interval and, with a target, the test.

    Raises
    ------
    DataError
        A column that is missing, no column, or a target of other than 2 to 20 values.

    Notes
    -----
    A small p says that values are not missing completely at random. A large one says nothing: what
    is missing may depend on the value itself, which no test of a table can show.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"a": [1, None, 3, None], "b": [1, None, 3, 4], "c": [1, 2, 3, 4]})
    >>> [row[:2] for row in missing_report(t).rows]
    [('a', '2 (50.0)'), ('b', '1 (25.0)'), ('Patterns', ''), ('  complete', '2 (50.0)'), \
('  a, b', '1 (25.0)'), ('  a', '1 (25.0)')]
    """
    names = [str(c) for c in table.columns if c != outcome] if columns is None else list(columns)
    if not names or outcome in names:
        raise DataError("missing: expected one or more columns other than the target; name them")
    groups = None if outcome is None else groups_of(table, outcome)
    absent = np.column_stack([column_named(table, name).isna().to_numpy(bool) for name in names])
    rows: list[tuple[str, ...]] = []
    estimates: list[Estimate] = []
    for name, gone in zip(names, absent.T, strict=True):
        if not gone.any():
            continue
        share = proportion(int(gone.sum()), gone.size, name=f"missing[{name}]", unit=unit)
        estimates.append(share)
        cells = _by_group(gone, groups)
        if groups is not None:
            tested = _tested(gone, groups, unit)
            estimates += [tested.replace(name=f"missing_by_group[{name}]")] if tested else []
            test = categorical_test(tested) if tested else BLANK
            cells += [p_text(tested.p_value if tested else None), test]
        rows.append((name, *_counted(gone), *cells))
    whole = [name for name, gone in zip(names, absent.T, strict=True) if not gone.any()]
    patterns, n_rarer = _patterns(absent, names, groups)
    heads: list[str] = []
    if groups is not None:
        of_groups = zip(groups.labels, groups.members, strict=True)
        heads = [*(f"{outcome} = {label} (n = {len(m)})" for label, m in of_groups), "p", "test"]
    return ResultTable(
        "Missing values" if outcome is None else f"Missing values by {outcome}",
        ("Column", f"all (n = {len(table)})", *heads),
        (*rows, *patterns),
        tuple(_notes(absent, whole, groups, outcome, n_rarer, estimates)),
        tuple(estimates),
    )


def _counted(gone: Bools) -> list[str]:
    return [f"{int(gone.sum())} ({100 * gone.mean():.1f})"]


def _by_group(gone: Bools, groups: Groups | None) -> list[str]:
    members = () if groups is None else groups.members
    return [cell for rows in members for cell in _counted(gone[rows])]


def _tested(gone: Bools, groups: Groups, unit: str) -> Estimate | None:
    """Test whether a value is missing more often in one group, if it is missing in any."""
    counts = np.array(
        [[int(gone[rows].sum()), int((~gone[rows]).sum())] for rows in groups.members]
    )
    if (counts.sum(axis=0) == 0).any():
        return None
    two = counts.shape == (2, 2)
    return chi2_2x2(counts, yates=False, unit=unit) if two else chi2_rxc(counts, unit=unit)


def _patterns(
    absent: Bools, names: Sequence[str], groups: Groups | None
) -> tuple[list[tuple[str, ...]], int]:
    """Return a row a pattern, the complete rows first, and how many rarer patterns there are."""
    if not absent.any():
        return [], 0
    codes = pd.factorize(pd.Series(map(bytes, absent.astype(np.uint8))))[0]
    ranked = [code for code, _ in Counter(codes.tolist()).most_common()]
    kinds = {code: absent[codes == code][0] for code in ranked[: MOST_PATTERNS + 1]}
    kinds = dict(sorted(kinds.items(), key=lambda item: bool(item[1].any())))
    blank = [""] * (0 if groups is None else len(groups.labels) + 2)
    rows: list[tuple[str, ...]] = [("Patterns", "", *blank)]
    for code, kind in kinds.items():
        which = codes == code
        missing = [name for name, gone in zip(names, kind, strict=True) if gone]
        text = ", ".join(missing) if missing else "complete"
        tail = ["", ""] if groups is not None else []
        rows.append((f"  {text}", *_counted(which), *_by_group(which, groups), *tail))
    return rows, len(ranked) - len(kinds)


def _notes(
    absent: Bools, whole: Sequence[str], groups: Groups | None, target: str | None, n_rarer: int,
    estimates: Sequence[Estimate],
) -> list[str]:  # fmt: skip
    notes = [f"{int((~absent.any(axis=1)).sum())} of {len(absent)} rows have every value."]
    if n_rarer:
        notes.append(f"{n_rarer} rarer pattern{'s' if n_rarer > 1 else ''} not shown.")
    if whole:
        notes.append(f"No value missing: {', '.join(whole)}.")
    if groups is not None:
        n_tests = sum(estimate.p_value is not None for estimate in estimates)
        notes.append(
            "Tests: chi-square, Fisher's where an expected count is below 5. "
            f"{n_tests} p-values, not corrected for their number. A small p speaks against values "
            "missing completely at random; a large one for nothing."
        )
        if groups.n_dropped:
            notes.append(f"{groups.n_dropped} rows without {target} are in the first column only.")
    return notes


# Chained equations: missing values drawn from what the other columns say, several times.

N_DONORS = 5
N_ROUNDS = 10
MIN_KNOWN = 10
"""Fewer known values than this tell too little to draw the others from."""


def imputed_tables(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    m: int = 20,
    event: str | None = None,
    coding: Coding = AS_THEY_STAND,
    seed: int = 0,
) -> Iterator[pd.DataFrame]:
    """Yield the table m times, each with the missing values of `features` drawn anew.

    Parameters
    ----------
    table : DataFrame
        One row a patient. Rows without the outcome are left out: they say nothing of it.
    outcome, features, event, coding
        As for :func:`~cardio_stats.logistic.fit_logistic`. The outcome is among
        what values are drawn from: without it, what is imputed would know nothing of it, and
        every association be too weak.
    m : int
        Number of completed tables, at least 2.
    seed : int

    Raises
    ------
    DataError
        A column with fewer than ten known values, or none; m below 2.

    Notes
    -----
    Chained equations with predictive mean matching, ten rounds: each incomplete column is regressed
    on all others and the outcome where it is known, coefficients are drawn from their posterior,
    and a missing value is copied from one of the five rows whose predictions come closest. Levels
    of a category are copied in the same way, by the predictions of all its levels. Only values that
    occur are ever drawn. Values are taken as missing at random given the columns.

    References
    ----------
    van Buuren S, Groothuis-Oudshoorn K. J Stat Softw 2011;45(3). White IR, Royston P, Wood AM.
    Stat Med 2011;30:377. Little RJA. J Bus Econ Stat 1988;6:287 (predictive mean matching).

    Examples
    --------
    >>> t = pd.DataFrame({"y": [0, 1] * 20, "a": [None, *range(39)], "b": range(40)})
    >>> first, second = imputed_tables(t, "y", ["a", "b"], m=2)
    >>> bool(first["a"].notna().all()), first["a"][0] in range(39)
    (True, True)
    """
    if m < 2:
        raise DataError(f"imputation: expected at least 2 completed tables, found {m}; give 20")
    for name in features:
        if name not in table.columns and spline_requested(name):
            raise DataError(
                f"imputation: expected columns, found the spline {name}; take the column as it "
                "stands, or the rows where all columns are known",
                code="unsupported",
            )
    values, _ = binary_outcome(table, outcome, event)
    known = table[~np.isnan(values)].reset_index(drop=True)
    truth = values[~np.isnan(values)]
    blocks = {name: terms_of(known, name, coding)[0] for name in features}
    missing: dict[str, Bools] = {
        name: np.asarray(np.isnan(block).any(axis=1)) for name, block in blocks.items()
    }
    for name, own in missing.items():
        if own.any() and (~own).sum() < MIN_KNOWN:
            raise DataError(
                f"column {name!r}: expected at least {MIN_KNOWN} known values to draw the others "
                f"from, found {int((~own).sum())} of {len(own)}; leave it out",
                code="too_few",
            )
    rng = np.random.default_rng(seed)
    for _ in range(m):
        donors = _chained(blocks, missing, truth, rng)
        made = known.copy()
        for name, rows in donors.items():
            made[name] = known[name].to_numpy()[rows]
        yield made


def _chained(
    blocks: dict[str, Floats], missing: dict[str, Bools], truth: Floats, rng: np.random.Generator
) -> dict[str, Ints]:
    """Return, for each incomplete column, the row that every row's value is taken from."""
    some = [name for name, own in missing.items() if own.any()]
    incomplete = sorted(some, key=lambda name: int(missing[name].sum()))
    donors: dict[str, Ints] = {}
    filled: dict[str, Floats] = {}
    for name, block in blocks.items():
        rows = np.arange(len(truth))
        if missing[name].any():
            rows[missing[name]] = rng.choice(np.flatnonzero(~missing[name]), missing[name].sum())
            donors[name] = rows
        filled[name] = block[rows]
    for _ in range(N_ROUNDS):
        for name in incomplete:
            others = [filled[other] for other in blocks if other != name]
            x = np.column_stack([np.ones(len(truth)), truth, *others])
            taken = _matched(x, blocks[name], missing[name], rng)
            donors[name][missing[name]] = taken
            filled[name] = blocks[name][donors[name]]
    return donors


def _matched(x: Floats, block: Floats, missing: Bools, rng: np.random.Generator) -> Ints:
    """Return a row to copy for each missing one: one of those whose predictions are closest."""
    spread = x.std(axis=0)
    scaled = x / np.where(spread > 0, spread, 1.0)
    own, wanted = scaled[~missing], scaled[missing]
    gram = own.T @ own
    covariance = np.linalg.inv(gram + 1e-5 * np.diag(np.diag(gram)))
    values = block[~missing]
    beta = covariance @ own.T @ values
    df = max(len(own) - own.shape[1], 1)
    root = np.linalg.cholesky((covariance + covariance.T) / 2)
    here, there = np.empty((len(own), values.shape[1])), np.empty((len(wanted), values.shape[1]))
    for k in range(values.shape[1]):
        residual = values[:, k] - own @ beta[:, k]
        sigma = np.sqrt(residual @ residual / rng.chisquare(df))
        drawn = beta[:, k] + sigma * (root @ rng.normal(size=len(beta)))
        predicted = own @ beta[:, k]
        scale = predicted.std() or 1.0
        here[:, k], there[:, k] = predicted / scale, wanted @ drawn / scale
    donors: Ints = np.flatnonzero(~missing)[_near(here, there, rng)].astype(np.int64)
    return donors


def _near(here: Floats, there: Floats, rng: np.random.Generator) -> Ints:
    """Return one of the five rows of `here` closest to each of `there`.

    Rows that are predicted alike are equally close: chance says which of them count.
    """
    alike, group, n_alike = np.unique(
        here.round(9), axis=0, return_inverse=True, return_counts=True
    )
    n_groups = min(N_DONORS, len(alike))
    _, near = cKDTree(alike).query(there, k=np.arange(1, n_groups + 1))
    place = rng.integers(min(N_DONORS, len(here)), size=len(there))
    which = (place[:, None] >= n_alike[near].cumsum(axis=1)).sum(axis=1)
    chosen = near[np.arange(len(there)), which]
    members = np.argsort(group.ravel(), kind="stable")
    first = np.cumsum(n_alike) - n_alike
    own = (rng.random(len(there)) * n_alike[chosen]).astype(np.int64)
    return np.asarray(members[first[chosen] + own], dtype=np.int64)


# Rubin's rules: one estimate from several completed data sets.


@dataclass(frozen=True, slots=True)
class Pooled:
    """Estimates from m completed sets as one, each array of shape (k,).

    Attributes
    ----------
    estimate : ndarray
        Mean over the sets.
    within, between, total : ndarray
        Variances: mean of the sets' own, between the sets' estimates, and both together.
    df : ndarray
        Degrees of freedom after Barnard and Rubin; infinite where nothing is missing and the
        complete data have infinitely many.
    fmi : ndarray
        Fraction of the information that is missing.
    m : int
    """

    estimate: Floats
    within: Floats
    between: Floats
    total: Floats
    df: Floats
    fmi: Floats
    m: int

    @property
    def se(self) -> Floats:
        """Standard errors."""
        return np.sqrt(self.total)

    def limits(self, level: float) -> tuple[Floats, Floats]:
        """Return limits of the t distribution."""
        from scipy.special import stdtrit

        half = stdtrit(self.df, 0.5 + level / 2) * self.se
        return self.estimate - half, self.estimate + half

    def p_values(self) -> Floats:
        """Return two-sided p-values against 0."""
        from scipy.special import stdtr

        return np.asarray(2 * stdtr(self.df, -np.abs(self.estimate / self.se)))


def pool_rubin(
    estimates: ArrayLike, variances: ArrayLike, *, df_complete: float = math.inf
) -> Pooled:
    """Pool estimates from multiply imputed data sets.

    Parameters
    ----------
    estimates, variances : array-like, shape (m, k)
        Of k quantities in each of m completed sets, on a scale on which they are near normal (log
        odds, not odds ratios).
    df_complete : float
        Degrees of freedom if nothing had been missing: rows less coefficients.

    Returns
    -------
    Pooled

    Raises
    ------
    DataError
        Fewer than two sets, numbers that are not finite, or variances below 0.

    References
    ----------
    Rubin DB. Multiple imputation for nonresponse in surveys. Wiley 1987. Barnard J, Rubin DB.
    Biometrika 1999;86:948 (degrees of freedom).

    Examples
    --------
    >>> found = pool_rubin([[1.0], [1.2], [0.8]], [[0.04], [0.05], [0.06]], df_complete=50)
    >>> print(found.estimate.round(2), found.total.round(4), found.df.round(1))
    [1.] [0.1033] [5.7]
    """
    each, own = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if each.ndim != 2 or each.shape != own.shape or len(each) < 2:
        raise DataError(
            "Rubin's rules: expected estimates and variances of at least 2 completed sets, a row "
            f"each, found shapes {each.shape} and {own.shape}; pool what was fitted on all sets",
            code="mismatch",
        )
    if not (np.isfinite(each).all() and np.isfinite(own).all() and (own >= 0).all()):
        raise DataError(
            "Rubin's rules: expected finite estimates, and variances of 0 or more, found others",
            code="out_of_range",
        )
    m = len(each)
    within, between = own.mean(axis=0), each.var(axis=0, ddof=1)
    added = (1 + 1 / m) * between
    total = within + added
    share = np.divide(added, total, out=np.zeros_like(total), where=total > 0)
    with np.errstate(divide="ignore"):
        old = (m - 1) / share**2
    if math.isinf(df_complete):
        df = old
    else:
        observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
        with np.errstate(divide="ignore"):
            df = 1 / (1 / old + 1 / observed)
    with np.errstate(divide="ignore", invalid="ignore"):
        increase = np.where(within > 0, added / within, np.inf)
        fmi = np.where(np.isinf(increase), 1.0, (increase + 2 / (df + 3)) / (increase + 1)) * (
            share > 0
        )
    return Pooled(each.mean(axis=0), within, between, total, df, fmi, m)


# A logistic regression on all patients: missing values imputed, estimates pooled.


def multivariable_imputed(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    m: int = 20,
    seed: int = 0,
    event: str | None = None,
    method: Method = "auto",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Regress the outcome on all columns together, with missing predictors imputed m times.

    Parameters
    ----------
    table : DataFrame
        One row a patient; rows without the outcome are dropped.
    outcome, features, event, method, level, unit, coding
        As for :func:`~cardio_stats.regression_tables.multivariable`. Where one completed
        table is separated, all are fitted by Firth's method.
    m, seed : int
        Of :func:`~cardio_stats.missing_values.imputed_tables`.

    Returns
    -------
    ResultTable
        A row a coefficient: odds ratios per unit and per SD (of the known values) pooled by
        Rubin's rules, p of Barnard and Rubin's t, missing values of its column, and the fraction of
        missing information.

    Raises
    ------
    DataError
        As `multivariable` and `imputed_tables`.
    """
    checked_level(level)
    tables = list(
        imputed_tables(table, outcome, features, m=m, event=event, coding=coding, seed=seed)
    )
    used = method
    models = [fit_logistic(t, outcome, features, event=event, method=used, coding=coding)
              for t in tables]  # fmt: skip
    if any(model.method == "firth" for model in models) and used == "auto":
        used = "firth"
        models = [fit_logistic(t, outcome, features, event=event, method=used, coding=coding)
                  for t in tables]  # fmt: skip
    first = models[0]
    pooled = pool_rubin(
        [model.coefficients for model in models],
        [model.se**2 for model in models],
        df_complete=first.n - len(first.terms) - 1,
    )
    encoded = np.column_stack([terms_of(table, name, coding)[0] for name in features])
    two_valued = [np.unique(column[~np.isnan(column)]).size == 2 for column in encoded.T]
    spreads = np.where(two_valued, 1.0, np.nanstd(encoded, axis=0, ddof=1))
    design = design_of(tables[0], outcome, features, event=event, coding=coding)
    with_outcome = table[table[outcome].notna()]
    n_missing = {name: int(with_outcome[name].isna().sum()) for name in features}
    n_dropped = len(table) - first.n
    label = "Firth's penalised logistic regression" if used == "firth" else "logistic regression"
    how = f"{label}, {m} imputations pooled by Rubin's rules"
    low, high = pooled.limits(level)
    p_values = pooled.p_values()

    def ratio(index: int, name: str, step: float) -> Estimate:
        value, lower, upper = np.exp(step * np.array([pooled.estimate, low, high])[:, index])
        return Estimate(
            f"{name}[{first.terms[index]}]",
            float(value),
            float(lower),
            float(upper),
            level,
            how,
            p_value=float(p_values[index]),
            seed=seed,
            extra={
                "coefficient": float(step * pooled.estimate[index]),
                "se": float(step * pooled.se[index]),
                "df": float(pooled.df[index]),
                "fmi": float(pooled.fmi[index]),
                "n_missing": float(n_missing[first.features[index]]),
                "n_events": float(first.n_events),
            },
            **sample_count(first.n, None, unit, n_dropped),
        )

    terms = range(len(first.terms))
    by_unit = [ratio(index, "odds_ratio", 1.0) for index in terms]
    by_sd = [ratio(index, "odds_ratio_per_sd", float(spreads[index])) for index in terms]
    n_complete = int(table[[outcome, *features]].notna().all(axis=1).sum())
    worst = max(pooled.fmi)
    notes = [
        f"{first.n} {unit}s with the outcome known, {first.n_events} events, of whom {n_complete} "
        f"have every column; {n_dropped} dropped for a missing outcome.",
        f"Missing values drawn {m} times by chained equations (predictive mean matching, the "
        f"outcome among the predictors, seed {seed}) and pooled by Rubin's rules; t limits with "
        "Barnard and Rubin's degrees of freedom. Taken as missing at random given these columns.",
        *reference_note(design.references),
    ]
    if 100 * worst > m:
        notes.append(
            f"{100 * worst:.0f} % of the information on one coefficient is missing: give about as "
            f"many imputations, --impute {int(np.ceil(100 * worst / 10) * 10)}."
        )
    if used == "firth" and method == "auto":
        notes.append("A completed table is separated: all are fitted by Firth's method.")
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Multivariable logistic regression of {outcome} = {first.event}, missing values imputed",
        ("Variable", f"OR per unit {ci}", "SD", f"OR per SD {ci}", "p", "missing",
         "missing information"),
        tuple(
            (term, ratio_text(item), f"{spread:.3g}" if spread != 1.0 else BLANK,
             ratio_text(other) if spread != 1.0 else BLANK, p_text(item.p_value),
             f"{n_missing[feature]}", f"{100 * item.extra['fmi']:.0f} %")
            for term, feature, item, other, spread in zip(
                first.terms, first.features, by_unit, by_sd, spreads, strict=True)
        ),
        tuple(notes),
        (*by_unit, *by_sd),
    )  # fmt: skip
