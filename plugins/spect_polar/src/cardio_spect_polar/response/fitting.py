"""What is fitted on training patients: codes, their screening, and regressions."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import Context, DataError, Target
from cardio_spect_polar.codes import (
    Channels,
    Codes,
    PaperCodes,
    canonical,
    known_cells,
    open_codes,
    principal_components,
    save_codes,
    stability_of,
    vectors_of,
)
from cardio_spect_polar.response.config import AutoencoderBlock, RegressionBlock, ScreenBlock

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]

ABOUT = "codes.json"


@dataclass(frozen=True)
class FittedCodes:
    """Codes with what is known of them.

    Attributes
    ----------
    codes : Codes or PaperCodes
    stable : tuple of int
        Codes that may be screened.
    mean_r : tuple of float
        Mean |r| of each code over the seeds; empty where there was one fit.
    subspace_r : float or None
    share : tuple of float
        Of the variance of the reconstructed training maps that each code carries; empty for raw
        codes, which are correlated.
    best_epoch : int or None
    notes : tuple of str
    """

    codes: Codes | PaperCodes
    stable: tuple[int, ...]
    mean_r: tuple[float, ...] = ()
    subspace_r: float | None = None
    share: tuple[float, ...] = ()
    best_epoch: int | None = None
    notes: tuple[str, ...] = field(default=())

    def save(self, folder: Path) -> None:
        """Write codes and what is known of them into a folder."""
        about = {
            "codes": save_codes(self.codes, folder),
            "stable": list(self.stable),
            "mean_r": list(self.mean_r),
            "subspace_r": self.subspace_r,
            "share": list(self.share),
            "best_epoch": self.best_epoch,
            "notes": list(self.notes),
        }
        (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> FittedCodes:
        """Read what `save` wrote."""
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        codes = open_codes(folder, about["codes"])
        stable, mean_r, share, notes = (
            tuple(about[name]) for name in ("stable", "mean_r", "share", "notes")
        )
        return cls(codes, stable, mean_r, about["subspace_r"], share, about["best_epoch"], notes)


def fit_codes(
    kind: str, training: Maps, validation: Maps | None, settings: AutoencoderBlock, ctx: Context
) -> FittedCodes:
    """Fit the codes of one model on its training maps, labelled or not.

    Parameters
    ----------
    kind : {"autoencoder", "pca"}
    training, validation : ndarray, shape (n, ...)
        Phase maps in degrees. Validation maps stop the autoencoder early and enter nothing else.
    settings : AutoencoderBlock
    ctx : Context
        Its seed, fold, device and epochs count; its model does not, so that every model of a fold
        stands on the same codes.

    Notes
    -----
    Two models of a fold fit the same autoencoder on the same maps. It is kept in the cache under a
    digest of those maps, the settings and the seed, and found again by the second model.
    """
    if kind == "pca":
        return _principal(training, settings)
    seed = ctx.replace(model=None).seed_of("autoencoder")
    if ctx.cache is None:
        return _autoencoder(training, validation, settings, ctx, seed)
    device = ctx.device.torch_name if ctx.device else "cpu"
    key = _key(training, validation, settings.model_dump(), ctx.epochs, seed, device)
    folder = ctx.cache / "spect_polar_codes" / key
    if not folder.is_dir():
        fitted = _autoencoder(training, validation, settings, ctx, seed)
        _keep(fitted, folder)
    return FittedCodes.open(folder)


def _keep(fitted: FittedCodes, folder: Path) -> None:
    """Write a folder that appears when it is complete; whoever comes second leaves the first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    fitted.save(temporary)
    try:
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)


def _key(training: Maps, validation: Maps | None, *others: Any) -> str:
    found = hashlib.sha256()
    for maps in (training, validation):
        shape = None if maps is None else maps.shape
        found.update(repr(shape).encode())
        if maps is not None:
            found.update(np.ascontiguousarray(maps, np.float32).tobytes())
    found.update(json.dumps(others, sort_keys=True).encode())
    # Codes rest on the histogram and the angles of other rooms, too.
    for file in sorted(Path(__file__).parent.parent.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()[:32]


def _principal(training: Maps, settings: AutoencoderBlock) -> FittedCodes:
    cells = known_cells(training)
    channels: Channels = "circle" if settings.kind == "rotated" else "degrees"
    vectors = vectors_of(training, cells, channels)
    codes = principal_components(vectors, settings.n_features, cells, channels)
    return FittedCodes(codes, tuple(range(codes.n)), share=_shares(codes))


def _autoencoder(
    training: Maps, validation: Maps | None, settings: AutoencoderBlock, ctx: Context, seed: int
) -> FittedCodes:
    if settings.kind == "rotated":
        return _rotated(training, validation, settings, ctx, seed)
    # torch only where needed
    from cardio_spect_polar.networks.autoencoders import fit_as_published

    cells = known_cells(training)
    maps = vectors_of(training, cells, "degrees")
    network, found = fit_as_published(
        maps,
        hidden=settings.hidden,
        n_features=settings.n_features,
        n_steps=settings.n_steps,
        learning_rate=settings.learning_rate,
        relu=settings.kind == "paper_relu",
        seed=seed,
        device=ctx.device.torch_name if ctx.device else "cpu",
        progress=lambda step: ctx.log(f"autoencoder: {step} of {settings.n_steps} steps"),
    )
    k = settings.n_features
    raw = PaperCodes(cells, network, np.zeros(k), np.ones(k)).encode(training)
    codes = PaperCodes(cells, network, raw.mean(axis=0), raw.std(axis=0))
    return FittedCodes(codes, tuple(range(k)), notes=(f"autoencoder: {found.sentence()}.",))


def _rotated(
    training: Maps, validation: Maps | None, settings: AutoencoderBlock, ctx: Context, seed: int
) -> FittedCodes:
    from cardio_spect_polar.networks.autoencoders import fit_seeds

    cells = known_cells(training)
    vectors = vectors_of(training, cells, "circle")
    fits = fit_seeds(
        vectors,
        None if validation is None else vectors_of(validation, cells, "circle"),
        hidden=settings.hidden,
        n_features=settings.n_features,
        n_seeds=settings.n_seeds,
        max_epochs=settings.max_epochs
        if validation is not None
        else ctx.epochs or settings.max_epochs,
        patience=settings.patience,
        cells_per_step=settings.cells_per_step,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        seed=seed,
        device=ctx.device.torch_name if ctx.device else "cpu",
    )
    made = [
        canonical(vectors, encoder, decoder, settings.n_features, cells, "circle")
        for encoder, decoder in zip(fits.encoders, fits.decoders, strict=True)
    ]
    best = int(np.argmin(fits.losses))
    order = [best, *(i for i in range(len(made)) if i != best)]
    found = stability_of([made[i].encode(training) for i in order])
    stable = tuple(int(i) for i in np.flatnonzero(found.mean_r >= settings.min_stability))
    codes = made[best]
    return FittedCodes(
        codes,
        stable,
        tuple(float(r) for r in found.mean_r),
        found.subspace_r,
        _shares(codes),
        fits.best_epoch,
    )


def _shares(codes: Codes) -> tuple[float, ...]:
    variance = (codes.decoder**2).sum(axis=1)
    return tuple(float(share) for share in variance / variance.sum())


Kind = Literal["binary", "multiclass", "continuous"]


@dataclass(frozen=True)
class Screen:
    """What a screen found.

    Attributes
    ----------
    table : DataFrame, one row a code that was tested
        Columns code (its number from 0), r (correlation with the outcome), p (of one test),
        p_max_t (adjusted for all of them), q (Benjamini and Hochberg).
    entered : tuple of int
        Numbers of the codes that enter, best first.
    passed : int
        How many of them are below the threshold; the others enter because some had to.
    """

    table: pd.DataFrame
    entered: tuple[int, ...]
    passed: int


def screen_codes(
    codes: Floats,
    outcome: Floats,
    candidates: Sequence[int],
    settings: ScreenBlock,
    *,
    seed: int = 0,
    kind: Kind = "binary",
) -> Screen:
    """Test each candidate against the outcome and choose.

    Parameters
    ----------
    codes : ndarray, shape (n, k)
        Of labelled training patients.
    outcome : ndarray, shape (n,)
        0 and 1, numbers of classes, or values: see `kind`.
    candidates : sequence of int
        Which codes are tested; constant ones are left out.
    settings : ScreenBlock
    seed : int
        Of the permutations.
    kind : {"binary", "multiclass", "continuous"}
        Of the outcome. Several classes are each tested against the others, and p-values of a code's
        best one are multiplied by their number.

    Returns
    -------
    Screen
        `p` is a permutation p under ``max_t`` and ``bh``, and that of a likelihood-ratio test of
        a univariable logistic regression under ``p``, as published.

    Notes
    -----
    Under ``max_t`` the chance that any code of a meaningless map enters by passing is `alpha`;
    under ``p`` about ``alpha`` times the number of codes enter.
    """
    varying = [i for i in candidates if np.ptp(codes[:, i]) > 1e-9 * np.abs(codes[:, i]).max()]
    if not varying:
        return Screen(pd.DataFrame(columns=["code", "r", "p", "p_max_t", "q"]), (), 0)
    classes = sorted(set(outcome)) if kind == "multiclass" else []
    indicators = [(outcome == code).astype(np.float64) for code in classes] or [outcome]
    tested = [_tested(codes[:, varying], indicator, settings, seed) for indicator in indicators]
    best = np.argmin([part["p"] for part in tested], axis=0)
    table = pd.DataFrame({"code": varying})
    for name in ("r", "p", "p_max_t"):
        each = np.array([part[name] for part in tested])[best, np.arange(len(varying))]
        table[name] = each if name == "r" else np.minimum(1.0, each * len(indicators))
    if settings.by == "p":
        alone = [univariable_p(codes[:, i], outcome, kind) for i in varying]
        table["p"] = [1.0 if p is None else p for p in alone]
    table["q"] = stats.benjamini_hochberg(table["p"].tolist())
    column = {"max_t": "p_max_t", "bh": "q", "p": "p"}[settings.by]
    ranked = table.assign(size=table["r"].abs()).sort_values(
        [column, "size"], ascending=[True, False], kind="stable"
    )
    passed = int((ranked[column] < settings.alpha).sum())
    n_entered = max(passed, settings.at_least)
    if settings.at_most is not None:
        n_entered = min(n_entered, settings.at_most)
    entered = tuple(int(i) for i in ranked["code"][:n_entered])
    return Screen(table, entered, min(passed, n_entered))


def _tested(
    codes: Floats, outcome: Floats, settings: ScreenBlock, seed: int
) -> dict[str, list[float]]:
    found = stats.max_t_screen(codes, outcome, n_permutations=settings.n_permutations, seed=seed)
    return {
        "r": [float(estimate.value) for estimate in found],
        "p": [float(estimate.extra["p_unadjusted"]) for estimate in found],
        "p_max_t": [float(estimate.p_value or 0.0) for estimate in found],
    }


def univariable_p(values: Floats, outcome: Floats, kind: Kind = "binary") -> float | None:
    """Return the p of one column, shape (n,); None where it cannot be fitted.

    Of the likelihood-ratio test of a logistic regression, of one-way analysis of variance where
    there are several classes, of Pearson's correlation with a number.
    """
    if kind != "binary":
        from scipy.stats import f_oneway, pearsonr

        known = np.isfinite(values)
        groups = [values[known & (outcome == code)] for code in sorted(set(outcome))]
        enough = known.sum() > 2 and np.ptp(values[known]) > 0
        if kind == "continuous":
            return float(pearsonr(values[known], outcome[known]).pvalue) if enough else None
        p = float(f_oneway(*groups).pvalue) if enough and min(map(len, groups)) > 1 else np.nan
        return p if np.isfinite(p) else None
    table = pd.DataFrame({"value": values, "outcome": outcome})
    try:
        model = stats.fit_logistic(table, "outcome", ["value"])
    except DataError:
        return None
    return float(model.odds_ratios[0].extra["p_likelihood_ratio"])


LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""
OUTCOME = "response"


@dataclass(frozen=True)
class Regression:
    """A fitted logistic regression.

    Attributes
    ----------
    columns : tuple of str
    medians : tuple of float
        What stands in for a missing value: the training patients' median.
    coefficients : tuple of float
        Log odds per unit.
    intercept : float
    method : str
    left_out : dict of str to str
        Columns that could not enter, with the reason.
    """

    columns: tuple[str, ...]
    medians: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    method: str
    left_out: dict[str, str]

    def probabilities(self, table: pd.DataFrame) -> Floats:
        """Return the probability of response of each row, shape (n,)."""
        values = table[list(self.columns)].to_numpy(np.float64)
        filled = np.where(np.isfinite(values), values, np.array(self.medians))
        logit = filled @ np.array(self.coefficients) + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT))))

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Regression:
        """Read what `dataclasses.asdict` made of it, through JSON."""
        lists = {name: tuple(stored[name]) for name in ("columns", "medians", "coefficients")}
        return cls(**(stored | lists))


def fit_regression(table: pd.DataFrame, outcome: Floats, settings: RegressionBlock) -> Regression:
    """Regress the outcome on the columns of a table.

    Parameters
    ----------
    table : DataFrame, shape (n, k)
        Numbers; a missing one becomes the median. Columns that are empty or constant are left out
        and named.
    outcome : ndarray of 0 and 1, shape (n,)
    settings : RegressionBlock

    Raises
    ------
    DataError
        If no column is left, or fewer than two patients of either class.
    """
    counts = [int((outcome == label).sum()) for label in (1, 0)]
    if min(counts) < 2:
        raise DataError(
            f"regression: expected two or more training patients with and without response, found "
            f"{counts[0]} and {counts[1]}; take fewer folds (protocols.honest.k, inner.k=0) or "
            "more patients"
        )
    used, medians, left_out = enterable(table)
    if settings.method == "ridge":
        coefficients, intercept, method = _ridge(used, outcome, settings.ridge_c)
    else:
        coefficients, intercept, method = _likelihood(used, outcome, settings.method)
    return Regression(
        tuple(map(str, used.columns)),
        tuple(float(value) for value in medians),
        tuple(float(value) for value in coefficients),
        float(intercept),
        method,
        left_out,
    )


def enterable(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any], dict[str, str]]:
    """Return the columns that can enter, filled, their medians, and why others cannot.

    Raises
    ------
    DataError
        If none can.
    """
    left_out = {str(name): reason for name in table if (reason := _unusable(table[name]))}
    used = table.drop(columns=list(left_out)).astype(np.float64)
    if used.empty:
        reasons = ", ".join(f"{name} ({reason})" for name, reason in left_out.items())
        raise DataError(
            f"regression: expected a column that varies between training patients, found none of "
            f"{reasons}; leave this model out with --set models=[...]"
        )
    medians = used.median()
    return used.fillna(medians), medians, left_out


def _unusable(column: pd.Series[Any]) -> str:
    known = column.dropna()
    if known.empty:
        return "empty"
    filled = column.fillna(known.median())
    return "constant" if np.ptp(filled.to_numpy(np.float64)) == 0 else ""


def _ridge(used: pd.DataFrame, outcome: Floats, strength: float) -> tuple[Floats, float, str]:
    from sklearn.linear_model import LogisticRegression

    centre, spread = used.mean().to_numpy(), used.std(ddof=0).to_numpy()
    fitted = LogisticRegression(C=strength, max_iter=5000).fit((used - centre) / spread, outcome)
    coefficients = fitted.coef_[0] / spread
    return coefficients, float(fitted.intercept_[0] - coefficients @ centre), "ridge"


def _likelihood(used: pd.DataFrame, outcome: Floats, method: str) -> tuple[Floats, float, str]:
    """Fit by maximum likelihood or Firth's method; columns that are sums of others are refused."""
    model = stats.fit_logistic(
        used.assign(**{OUTCOME: outcome}),
        OUTCOME,
        list(used.columns),
        method="firth" if method == "firth" else "auto",
    )
    return model.coefficients, model.intercept, model.method


@dataclass(frozen=True)
class Ridge:
    """A fitted ridge regression, linear for a number and multinomial for classes.

    Attributes
    ----------
    kind : {"multiclass", "continuous"}
    columns : tuple of str
    medians : tuple of float
        What stands in for a missing value: the training patients' median.
    coefficients : tuple of tuple of float
        Per unit of each column: one row a class, or one row for a number.
    intercepts : tuple of float
    left_out : dict of str to str
        Columns that could not enter, with the reason.
    """

    kind: str
    columns: tuple[str, ...]
    medians: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    left_out: dict[str, str]

    def scores(self, table: pd.DataFrame) -> Floats:
        """Return probabilities, shape (n, n_classes), or numbers, shape (n,)."""
        values = table[list(self.columns)].to_numpy(np.float64)
        filled = np.where(np.isfinite(values), values, np.array(self.medians))
        found = filled @ np.array(self.coefficients).T + np.array(self.intercepts)
        if self.kind == "continuous":
            return np.asarray(found[:, 0])
        powers = np.exp(np.clip(found - found.max(axis=1, keepdims=True), -LARGEST_LOGIT, 0))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Ridge:
        """Read what `dataclasses.asdict` made of it, through JSON."""
        lists = {name: tuple(stored[name]) for name in ("columns", "medians", "intercepts")}
        rows = tuple(map(tuple, stored["coefficients"]))
        return cls(**(stored | lists | {"coefficients": rows}))


def fit_ridge(table: pd.DataFrame, outcome: Floats, target: Target, strength: float) -> Ridge:
    """Regress several classes or a number on the columns of a table.

    Parameters
    ----------
    table : DataFrame, shape (n, k)
        See `response.regression.fit_regression`.
    outcome : ndarray, shape (n,)
        Numbers of classes, or values.
    target : Target
        Of what.
    strength : float
        Inverse strength of the penalty, on standardised columns; a number is standardised, too.

    Raises
    ------
    DataError
        If no column is left, fewer than two patients of a class, or values that are all equal.
    """
    columns, medians, left_out = enterable(table)
    centre, spread = columns.mean().to_numpy(), columns.std(ddof=0).to_numpy()
    x = np.asarray((columns - centre) / spread, np.float64)
    slopes, intercepts = (
        _linear(x, outcome, strength)
        if target.kind == "continuous"
        else _multinomial(x, outcome, target, strength)
    )
    slopes = slopes / spread
    return Ridge(
        target.kind,
        tuple(map(str, columns.columns)),
        tuple(float(value) for value in medians),
        tuple(tuple(float(value) for value in row) for row in slopes),
        tuple(float(value) for value in intercepts - slopes @ centre),
        left_out,
    )


def _linear(x: Floats, outcome: Floats, strength: float) -> tuple[Floats, Floats]:
    from sklearn.linear_model import Ridge as LinearRidge

    spread = outcome.std()
    if spread == 0:
        raise DataError(
            "regression: expected training patients with different values, found one value in all; "
            "take more patients"
        )
    fitted = LinearRidge(alpha=1 / strength).fit(x, outcome / spread)
    return np.atleast_2d(fitted.coef_) * spread, np.atleast_1d(fitted.intercept_) * spread


def _multinomial(
    x: Floats, outcome: Floats, target: Target, strength: float
) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    counts = {name: int((outcome == code).sum()) for code, name in enumerate(target.classes)}
    if min(counts.values()) < 2:
        found = ", ".join(f"{n} {name}" for name, n in counts.items())
        raise DataError(
            f"regression: expected two or more training patients of each class, found {found}; "
            "take fewer folds (protocols.honest.k, inner.k=0) or more patients"
        )
    fitted = LogisticRegression(C=strength, max_iter=5000).fit(x, outcome)
    return np.asarray(fitted.coef_, np.float64), np.asarray(fitted.intercept_, np.float64)
