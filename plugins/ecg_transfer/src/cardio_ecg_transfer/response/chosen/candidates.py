"""What a fit chooses from: kinds of trees, strengths of a penalty."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardio_ecg_transfer.response.config import ClassicalBlock

STRENGTHS = tuple(float(value) for value in np.logspace(-5, -1, 9))
"""Inverse L2 penalties of the standardised outputs of random kernels."""

TREES_TO_CHOOSE_BY = 100
"""Of a forest, at most, where kinds are compared: more make it steadier, hardly better."""

_FEATURES_TRIED = 0.4  # of all measurements, at a split: a few leads tell, and many say nothing
_BOOSTING = {"n_estimators": 200, "learning_rate": 0.05, "max_depth": 3, "subsample": 0.7}


def trees(config: ClassicalBlock, seed: int, *, regression: bool) -> dict[str, Any]:
    """Return the kinds of trees that `config.trees` names, unfitted.

    Forests take a missing value as it is: each split learns on which side it belongs. Boosting
    gets the training patients' median and, beside it, that the value was missing.
    """
    from sklearn import ensemble
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    kind = "Regressor" if regression else "Classifier"
    grown = {"min_samples_leaf": config.min_leaf, "max_features": _FEATURES_TRIED}

    def made(name: str) -> Any:
        if name == "boosting":
            boosted = getattr(ensemble, f"GradientBoosting{kind}")
            imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
            last = boosted(**_BOOSTING, max_features=_FEATURES_TRIED / 2, random_state=seed)
            return make_pipeline(imputer, last)
        forest = getattr(ensemble, f"{'RandomForest' if name == 'forest' else 'ExtraTrees'}{kind}")
        return forest(config.n_trees, **grown, random_state=seed)

    return {name: made(name) for name in config.trees}


def rotation() -> Any:
    """Return what standardises features and turns them to their principal components, unfitted.

    There are no more components than patients, and an L2 penalty on them is one on the features:
    thousands of features cost no more than hundreds, and nothing is lost.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), PCA(svd_solver="full"))


def penalties(*, regression: bool) -> dict[str, Any]:
    """Return logistic or ridge regressions of the strengths `STRENGTHS`, unfitted."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    def made(strength: float) -> Any:
        if not regression:
            return LogisticRegression(C=strength, max_iter=2000)
        ridge = Ridge(alpha=1 / strength)
        return TransformedTargetRegressor(ridge, transformer=StandardScaler())

    return {f"{strength:.1e}": made(strength) for strength in STRENGTHS}
