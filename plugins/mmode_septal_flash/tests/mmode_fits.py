"""A task over one cohort whose features are made once, fitted and scored many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.api import Context, FeatureSet, ModelArtifact, Targets
from cardio_core.testing.driving import Bench
from cardio_mmode_septal_flash.flash.labels import known_labels
from cardio_mmode_septal_flash.flash.predict import predict
from cardio_mmode_septal_flash.flash.train import train

TARGET = "septal_flash"


@dataclass(frozen=True)
class Fit:
    """A fitted model, and the context of its fit."""

    model: ModelArtifact
    ctx: Context


@dataclass(frozen=True)
class Made:
    """A task over its cohort, with the features of everybody who has a label."""

    bench: Bench
    features: FeatureSet
    targets: Targets

    @classmethod
    def of(cls, bench: Bench) -> Made:
        cohort = bench.load()
        features, _ = known_labels(bench.together(cohort), cohort.targets, bench.ctx)
        return cls(bench, features, cohort.targets)

    @property
    def y(self) -> np.ndarray:
        return known_labels(self.features, self.targets, self.bench.ctx)[1]

    @property
    def patients(self) -> np.ndarray:
        return self.features.table["patient_id"].to_numpy(str)

    @property
    def original(self) -> np.ndarray:
        """Which pictures are no shifted copies."""
        return self.features.table["variant"].to_numpy() == 0

    def with_labels(self, by_study: Any) -> Made:
        table = by_study.rename(TARGET).to_frame()
        return replace(self, targets=Targets("study", table))

    def fit(self, model: str, chosen: np.ndarray, seed: int, out: Path, **more: Any) -> Fit:
        out.mkdir(parents=True)
        ctx = self.bench.ctx.replace(hook="train", model=model, seed=seed, _out=out, **more)
        features = self.features.view(np.flatnonzero(chosen))
        return Fit(train(features, None, self.targets, self.bench.config.train, ctx), ctx)

    def reopened(self, model: str, seed: int, out: Path, number: int) -> Fit:
        """Return a fit of `out_of_fold`."""
        path = out / f"{model}-{seed}-{number}"
        ctx = self.bench.ctx.replace(hook="explain", model=model, seed=seed, fold=f"r0-f{number}")
        return Fit(ModelArtifact(path), ctx)

    def scores(self, fit: Fit, chosen: np.ndarray) -> np.ndarray:
        features = self.features.view(np.flatnonzero(chosen))
        found = predict(fit.model, features, self.bench.config.predict, fit.ctx)
        return np.asarray(found.scores[TARGET])

    def out_of_fold(
        self, model: str, folds: Sequence[np.ndarray], seed: int, out: Path, **more: Any
    ) -> np.ndarray:
        """Return the scores of the originals, each by the fit that did not see its patient."""
        scores = np.full(len(self.features), np.nan)
        for number, tested in enumerate(folds):
            named = {"fold": f"r0-f{number}"} | more
            fit = self.fit(model, ~tested, seed, out / f"{model}-{seed}-{number}", **named)
            scores[tested & self.original] = self.scores(fit, tested & self.original)
        return scores[self.original]


def folds_of(made: Made, seed: int, n_folds: int) -> list[np.ndarray]:
    """Divide the patients, those with a flash and those without alike; return who is tested."""
    rng = np.random.default_rng(seed)
    patients, y = made.patients, made.y
    drawn = rng.permutation(np.unique(patients))
    drawn = sorted(drawn, key=lambda patient: float(y[patients == patient].mean()))
    return [np.isin(patients, drawn[number::n_folds]) for number in range(n_folds)]
