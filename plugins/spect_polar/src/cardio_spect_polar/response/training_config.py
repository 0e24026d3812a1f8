"""Settings of `train` for `crt_response`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block


class AutoencoderBlock(Block):
    """The codes of the phase map."""

    kind: Literal["rotated", "paper", "paper_relu"] = Field(
        "rotated",
        description="rotated: circular loss, several seeds, codes in their principal axes; paper: "
        "as published, raw codes; paper_relu: that with ReLU in the hidden layers",
    )
    hidden: int = Field(512, ge=1, description="width of layers 1 and 3; the paper does not say it")
    n_features: int = Field(64, ge=1, description="codes; also of the principal components")
    n_steps: int = Field(1000, ge=1, description="Adam steps of the published kinds")
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    weight_decay: float = Field(1e-2, ge=0, description="of rotated; the paper has none")
    n_seeds: int = Field(10, ge=1, description="fits of rotated, in one batch")
    max_epochs: int = Field(30, ge=1, description="of rotated; an epoch is ten full-batch steps")
    patience: int = Field(5, ge=1, description="epochs without a better validation loss")
    cells_per_step: int | None = Field(
        432, ge=1, description="cells of the map drawn for each step of rotated; null is all"
    )
    min_stability: float = Field(
        0.9, ge=0, le=1, description="mean |r| over the seeds below which a code is dropped"
    )


class ScreenBlock(Block):
    """Which codes enter the regression."""

    by: Literal["max_t", "bh", "p"] = Field(
        "max_t",
        description="max-T permutation p, Benjamini and Hochberg's q, or the plain p of a "
        "likelihood-ratio test, each on the training patients",
    )
    alpha: float = Field(0.1, gt=0, le=1)
    at_least: int = Field(1, ge=0, description="the best codes enter even where none passes")
    at_most: int | None = Field(None, ge=1, description="the best ones; null is no limit")
    n_permutations: int = Field(2000, ge=99)


class RegressionBlock(Block):
    """The regression of every row."""

    method: Literal["ridge", "firth", "ml"] = Field(
        "ridge",
        description="ridge: penalised, on standardised columns; firth: Firth's penalty, for few "
        "columns; ml: maximum likelihood, and Firth's method under separation",
    )
    ridge_c: float = Field(0.1, gt=0, description="inverse strength of the ridge penalty")
    screen_covariates: bool = Field(
        False, description="take only covariates whose univariable p is below screen.alpha"
    )
