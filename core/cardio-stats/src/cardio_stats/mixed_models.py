"""Repeated measurements of the same patients: a linear mixed model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from cardio_stats._numerics.columns import (
    AS_THEY_STAND,
    Coding,
    column_named,
    numbers,
    reference_note,
    require_varying,
    terms_of,
)
from cardio_stats._numerics.display import BLANK, ResultTable, number_text, p_text
from cardio_stats._numerics.validate import Floats, Ints, checked_level, group_codes
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

# The restricted likelihood of a linear mixed model, of one grouping, profiled as lme4 does.
#
# statsmodels' MixedLM climbs the same likelihood, and the tests compare with it. On the rows that
# lme4 fitted for the tests its standard errors are .4 % off lme4's with a level of each patient
# and 6.8 % with a slope, those here 6e-7 and 2e-5; with its method lbfgs it does not converge on
# the latter. Here the effects and the residual variance are solved for, one to three numbers are
# left to search, and all patients are taken in one product.

MOST_STEPS = 100
SAME = 0.01
"""Searches that end as near in the deviance have found the same place."""


@dataclass(frozen=True, slots=True)
class MixedFit:
    """A fit: effects, their covariance, the covariance between patients, the residual variance."""

    effects: Floats
    errors: Floats
    between: Floats
    residual: float
    converged: bool


class RestrictedLikelihood:
    """Sums over each patient's rows, from which the likelihood follows for any variance.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    fixed : ndarray, shape (n, p)
        With the intercept's column.
    own : ndarray, shape (n, q)
        What each patient has a coefficient of their own for; q is 1 or 2.
    patient : ndarray of int, shape (n,)
        Numbered from 0.
    """

    def __init__(self, outcome: Floats, fixed: Floats, own: Floats, patient: Ints) -> None:
        self.n, self.p = fixed.shape
        self.q = own.shape[1]
        order = np.argsort(patient, kind="stable")
        starts = np.flatnonzero(np.diff(patient[order], prepend=-1))
        rows, z = np.column_stack([fixed, outcome])[order], own[order]
        self._whole = rows.T @ rows
        self._cross = np.add.reduceat(z[:, :, None] * rows[:, None, :], starts)
        self._squares = np.add.reduceat(z[:, :, None] * z[:, None, :], starts)

    def _factor(self, theta: Floats) -> Floats:
        factor = np.zeros((self.q, self.q))
        factor[np.tril_indices(self.q)] = theta
        return factor

    def _solved(self, theta: Floats) -> tuple[float, Floats, Floats, float]:
        """Return deviance, effects, inverse of their information, and residual variance."""
        factor = self._factor(theta)
        lower, explained = _explained(
            factor.T @ self._squares @ factor + np.eye(self.q), factor.T @ self._cross
        )
        flat = explained.reshape(-1, self.p + 1)
        left = self._whole - flat.T @ flat
        information, toward = left[: self.p, : self.p], left[: self.p, self.p]
        effects = np.linalg.solve(information, toward)
        residual = max(float(left[self.p, self.p] - toward @ effects), 1e-300) / (self.n - self.p)
        own = 2 * float(np.log(np.diagonal(lower, axis1=1, axis2=2)).sum())
        fixed = float(np.linalg.slogdet(information)[1])
        deviance = own + fixed + (self.n - self.p) * float(np.log(residual))
        return deviance, np.asarray(effects), np.asarray(np.linalg.inv(information)), residual

    def _deviance(self, theta: Floats) -> float:
        return self._solved(theta)[0]

    def fit(self) -> MixedFit:
        """Search the variances from two places, and say whether both end alike."""
        ends = []
        for size in (1.0, 0.2):
            start = (size * np.eye(self.q))[np.tril_indices(self.q)]
            ends.append(minimize(self._deviance, start, options={"maxiter": MOST_STEPS}))
        best = min(ends, key=lambda end: float(end.fun))
        # a simplex needs no derivative, which is poor where a variance is 0
        around = best.x + 0.01 * np.vstack([np.zeros(best.x.size), np.eye(best.x.size)])
        best = minimize(
            self._deviance, best.x, method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-9, "initial_simplex": around,
                     "maxfev": 20 * MOST_STEPS},
        )  # fmt: skip
        alike = max(float(end.fun) for end in ends) - float(best.fun) < SAME
        _, effects, inverse, residual = self._solved(best.x)
        factor = self._factor(best.x)
        return MixedFit(
            effects, residual * inverse, residual * factor @ factor.T, residual,
            bool(best.success and alike),
        )  # fmt: skip


def _explained(squares: Floats, cross: Floats) -> tuple[Floats, Floats]:
    """Return each patient's Cholesky factor L of `squares`, and the x of L x = `cross`.

    `squares` has the shape (n_patients, q, q), `cross` (n_patients, q, k). With a q of 1 or 2 this
    is many times faster than NumPy's loop over small matrices.
    """
    lower, solved = np.zeros_like(squares), np.empty_like(cross)
    for i in range(squares.shape[1]):
        for j in range(i + 1):
            rest = squares[:, i, j] - np.sum(lower[:, i, :j] * lower[:, j, :j], axis=1)
            lower[:, i, j] = np.sqrt(rest) if i == j else rest / lower[:, j, j]
        before = np.einsum("nk,nkc->nc", lower[:, i, :i], solved[:, :i])
        solved[:, i] = (cross[:, i] - before) / lower[:, i, i, np.newaxis]
    return lower, solved


FEWEST_PATIENTS = 5
FEW_PATIENTS = 20
NOTHING = 1e-4
"""A share of the variance below which it counts as none: the fit is at the edge of what it can."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A column of the model: where it comes from, and its values."""

    name: str
    columns: frozenset[str]
    values: Floats


@dataclass(frozen=True, slots=True)
class _Repeated:
    """Outcome and terms on complete rows; patients are numbered from 0."""

    outcome: Floats
    terms: tuple[_Term, ...]
    slope: Floats | None
    patient: Ints
    n_dropped: int

    @property
    def n_patients(self) -> int:
        return int(self.patient.max()) + 1

    def within(self, values: Floats) -> bool:
        """Say whether values differ between the rows of some patient."""
        by_patient = pd.Series(values).groupby(self.patient)
        return bool((by_patient.max() - by_patient.min()).max() > 0)


def mixed_model(
    table: pd.DataFrame,
    outcome: str,
    columns: Sequence[str],
    patient: str,
    *,
    slope: str | None = None,
    coding: Coding = AS_THEY_STAND,
    level: float = 0.95,
) -> ResultTable:
    """Regress a repeated measurement on columns, with a level of its own for each patient.

    Parameters
    ----------
    table : DataFrame
        A row a measurement; patients may have different numbers of rows.
    outcome : str
    columns : sequence of str
        Numbers or categories; ``month:arm`` is the product of two of them.
    patient : str
        Column that says whose row it is.
    slope : str, optional
        One of the columns, of numbers, whose slope may differ between patients as well.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.
    level : float

    Returns
    -------
    ResultTable
        The fixed effects, then the SDs between patients and of the residual, and the ICC: the
        share of the variance that lies between patients.

    Raises
    ------
    DataError
        No patient with several rows, fewer than 5 patients, columns that are constant or sums of
        each other, a slope in a column that never changes within a patient, no convergence.

    Notes
    -----
    Restricted maximum likelihood. The limits are those of Student's t with
    the degrees of freedom of a column that changes between patients (patients less their columns
    and 1) or within them (rows less patients and their columns), as nlme; the intercept, and the
    columns of a slope that differs between patients, have those of patients, which nlme counts as
    rows.

    References
    ----------
    Laird NM, Ware JH. Biometrics 1982;38:963. Pinheiro JC, Bates DM. Mixed-effects models in S and
    S-PLUS (2000), 2.4.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> own = np.repeat(rng.normal(30, 5, 12), 3)
    >>> visits = pd.DataFrame({"id": np.repeat(np.arange(12), 3), "month": [0, 3, 6] * 12})
    >>> visits["lvef"] = own + visits["month"] + rng.normal(0, 1, 36)
    >>> made = mixed_model(visits, "lvef", ["month"], "id")
    >>> [row[0] for row in made.rows]
    ['intercept', 'month', 'SD between patients', 'SD residual', 'ICC']
    """
    checked_level(level)
    found = _complete(table, outcome, columns, patient, slope, coding)
    fixed = np.column_stack([np.ones(found.outcome.size), *(t.values for t in found.terms)])
    effects, errors, between, residual = _fitted(found, fixed)
    names = ["intercept", *(term.name for term in found.terms)]
    freedom = _degrees(found, slope)
    common = Estimate(
        "", 0.0, level=level, n=found.n_patients, unit="patient", n_patients=found.n_patients,
        n_dropped=found.n_dropped,
    )  # fmt: skip
    estimates = [
        _effect(common, *item) for item in zip(names, effects, errors, freedom, strict=True)
    ]
    parts = _components(common, between, residual, slope)
    notes = _notes(found, between, residual, slope)
    categories = [n for n in columns if ":" not in n and n not in names]
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Mixed model of {outcome}, repeated in {patient}",
        ("", f"effect per unit {ci}", "df", "p"),
        (
            *((_stem(e), _effect_text(e), f"{e.extra['df']:.0f}", p_text(e.p_value))
              for e in estimates),
            *((words, number_text(e.value, spread=e.value / 10), "", BLANK) for words, e in parts),
        ),
        (
            f"{found.outcome.size} rows of {found.n_patients} patients."
            + (f" {found.n_dropped} rows dropped for missing values." if found.n_dropped else ""),
            "Restricted maximum likelihood, Student's t with degrees of freedom between or within "
            "patients.",
            *notes,
            *reference_note([f"{n}={coding.levels(table, n)[0]}" for n in categories]),
        ),
        (*estimates, *(e for _, e in parts)),
    )  # fmt: skip


def _complete(
    table: pd.DataFrame,
    outcome: str,
    columns: Sequence[str],
    patient: str,
    slope: str | None,
    coding: Coding,
) -> _Repeated:
    singles = [name for name in columns if ":" not in name or name in table.columns]
    if {outcome, patient} & set(singles) or outcome == patient:
        both = ({outcome, patient} & set(singles) or {patient}).pop()
        raise DataError(f"column {both!r}: is named twice; outcome, patient and columns differ")
    if slope is not None and slope not in singles:
        raise DataError(
            f"column {slope!r}: has a slope of each patient, but no effect; name it among the "
            f"columns too ({', '.join(singles) or 'none'})"
        )
    coding.require(singles)
    measured = numbers(table, outcome)
    coded = {name: terms_of(table, name, coding) for name in singles}
    terms = [_Term(label, frozenset([name]), coded[name][0][:, i])
             for name in singles for i, label in enumerate(coded[name][1])]  # fmt: skip
    terms += [made for name in columns if name not in singles for made in _products(name, coded)]
    patients = group_codes(column_named(table, patient), patient)
    matrix = np.column_stack([measured, *(term.values for term in terms)])
    known = ~np.isnan(matrix).any(axis=1) & (patients >= 0)
    codes = np.unique(patients[known], return_inverse=True)[1].astype(np.int64)
    _require_repeats(codes, patient)
    retained = tuple(_Term(t.name, t.columns, t.values[known]) for t in terms)
    own: Floats | None = None
    if slope is not None:
        if coded[slope][1] != (slope,):
            raise DataError(f"column {slope!r}: expected numbers for a slope, found categories")
        own = coded[slope][0][known, 0]
    found = _Repeated(measured[known], retained, own, codes, int((~known).sum()))
    if own is not None and not found.within(own):
        raise DataError(
            f"column {slope!r}: expected values that change within patients, found one value each; "
            "a slope of each patient needs them"
        )
    _require_columns(found)
    return found


def _products(name: str, coded: dict[str, tuple[Floats, tuple[str, ...]]]) -> list[_Term]:
    first, _, second = name.partition(":")
    for value in (first, second):
        if value not in coded:
            raise DataError(
                f"product {name!r}: expected its columns among the others, {value!r} is not; name "
                f"it too: {value},{name}"
            )
    return [
        _Term(
            f"{a}:{b}", frozenset([first, second]), coded[first][0][:, i] * coded[second][0][:, j]
        )
        for i, a in enumerate(coded[first][1])
        for j, b in enumerate(coded[second][1])
    ]


def _require_repeats(codes: Ints, patient: str) -> None:
    n_patients = int(codes.max()) + 1 if codes.size else 0
    if n_patients < FEWEST_PATIENTS:
        raise DataError(
            f"column {patient!r}: expected at least {FEWEST_PATIENTS} patients with complete rows, "
            f"found {n_patients}; the variance between them cannot be estimated"
        )
    if n_patients == codes.size:
        raise DataError(
            f"column {patient!r}: expected patients with several rows, found one each "
            f"({n_patients}); there is nothing repeated, compare groups with table1 or agreement",
            code="too_few",
        )


def _require_columns(found: _Repeated) -> None:
    fixed = np.ones((found.outcome.size, 1))
    for term in found.terms:
        require_varying([term.name], term.values[:, np.newaxis])
        scaled = (term.values - term.values.mean()) / term.values.std()
        fixed = np.column_stack([fixed, scaled])
        if np.linalg.matrix_rank(fixed) < fixed.shape[1]:
            raise DataError(
                f"predictor {term.name!r}: expected an independent column, found a sum of the ones "
                "before it; leave it out"
            )
    if np.ptp(found.outcome) == 0:
        raise DataError("outcome: expected values that vary, found one value in every row")


def _fitted(found: _Repeated, fixed: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Return effects, their errors, the covariance between patients, and the residual variance.

    Columns are fitted with mean 0 and SD 1, so that units do not decide about convergence.
    """
    unit = float(found.outcome.std())
    centre = np.concatenate([[0.0], fixed[:, 1:].mean(axis=0)])
    spread = np.concatenate([[1.0], fixed[:, 1:].std(axis=0)])
    standard = (fixed - centre) / spread
    own, turn = np.ones((found.outcome.size, 1)), np.ones((1, 1))
    if found.slope is not None:
        middle, width = float(found.slope.mean()), float(found.slope.std())
        own = np.column_stack([own, (found.slope - middle) / width])
        turn = np.array([[1.0, -middle / width], [0.0, 1 / width]])
    fit = RestrictedLikelihood(found.outcome / unit, standard, own, found.patient).fit()
    if not fit.converged:
        raise DataError(_no_fit(found), code="degenerate")
    back = np.diag(1 / spread)
    back[0, 1:] = -centre[1:] / spread[1:]
    return (
        unit * back @ fit.effects,
        unit * np.sqrt(np.diag(back @ fit.errors @ back.T)),
        unit**2 * turn @ fit.between @ turn.T,
        unit**2 * fit.residual,
    )


def _no_fit(found: _Repeated) -> str:
    advice = (
        "leave the slope of each patient out" if found.slope is not None else "take fewer columns"
    )
    return (
        f"mixed model: expected a fit that converges, found none with {found.outcome.size} rows of "
        f"{found.n_patients} patients; {advice}"
    )


def _degrees(found: _Repeated, slope: str | None) -> list[int]:
    changing = [found.within(term.values) for term in found.terms]
    sloped = [slope in term.columns for term in found.terms]
    n_between = len(changing) - sum(changing)
    between = found.n_patients - 1 - n_between
    within = found.outcome.size - found.n_patients - sum(changing)
    with_slope = found.n_patients - sum(sloped)
    kinds = [
        with_slope if own else within if moves else between
        for own, moves in zip(sloped, changing, strict=True)
    ]
    if min([between, *kinds]) < 1:
        raise DataError(
            f"mixed model: expected more patients and rows than columns, found {found.n_patients} "
            f"patients, {found.outcome.size} rows and {len(changing)} columns; take fewer columns"
        )
    return [between, *kinds]


def _effect(common: Estimate, name: str, value: float, se: float, df: int) -> Estimate:
    from scipy.stats import t as student

    reach = float(student.ppf(0.5 + (common.level or 0.95) / 2, df)) * se
    return common.replace(
        name=f"effect[{name}]", value=float(value), low=float(value - reach),
        high=float(value + reach), p_value=float(2 * student.sf(abs(value / se), df)),
        method=f"linear mixed model, REML, Student's t with {df} df",
        extra={"se": float(se), "df": float(df), "t": float(value / se)},
    )  # fmt: skip


def _components(
    common: Estimate, between: Floats, residual: float, slope: str | None
) -> list[tuple[str, Estimate]]:
    plain = common.replace(level=None, method="linear mixed model, REML")
    sd = np.sqrt(np.maximum(np.diag(between), 0.0))
    found = [("SD between patients", plain.replace(name="sd_between", value=float(sd[0])))]
    if slope is not None:
        found[0] = (f"SD between patients at {slope} 0", found[0][1])
        named = f"SD between patients of the slope of {slope}"
        found.append((named, plain.replace(name=f"sd_slope[{slope}]", value=float(sd[1]))))
        if sd.min() > 0:
            together = float(between[0, 1] / (sd[0] * sd[1]))
            found.append(("correlation of the two", plain.replace(
                name=f"correlation[{slope}]", value=together)))  # fmt: skip
    found.append(("SD residual", plain.replace(name="sd_residual", value=residual**0.5)))
    if slope is None:
        share = float(between[0, 0]) / (float(between[0, 0]) + residual)
        found.append(("ICC", plain.replace(name="icc", value=share)))
    return found


def _notes(found: _Repeated, between: Floats, residual: float, slope: str | None) -> list[str]:
    notes = []
    if between[0, 0] < NOTHING * (between[0, 0] + residual) and slope is None:
        notes.append(
            "The variance between patients is 0: rows of one patient are no more alike than "
            "those of others (a fit at the edge; the effects are those of a plain regression)."
        )
    if slope is not None:
        sd = np.sqrt(np.maximum(np.diag(between), 0))
        edge = min(sd) == 0 or abs(between[0, 1]) > 0.999 * sd[0] * sd[1]
        notes.append(f"No ICC: with a slope of each patient it depends on {slope}.")
        if edge:
            notes.append(
                "The fit is at the edge (a variance of 0, or a correlation of 1): leave the slope "
                "of each patient out."
            )
    if found.n_patients < FEW_PATIENTS:
        notes.append(
            f"{found.n_patients} patients are few for a variance between patients: its SD is "
            "uncertain, and the limits are approximate."
        )
    return notes


def _stem(estimate: Estimate) -> str:
    return estimate.name.removeprefix("effect[").removesuffix("]")


def _effect_text(e: Estimate) -> str:
    low, high = e.low or 0.0, e.high or 0.0
    width = (high - low) / 2
    cells = [number_text(value, spread=width) for value in (e.value, low, high)]
    return f"{cells[0]} ({cells[1]} to {cells[2]})"
