"""The models that are compared: how each one is fitted, and what its samples' targets are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, Target, Targets

_VALUE = "_value"

MEASURED = {"lvef": ("lvef_pct",), "age_sex": ("age_y", "sex_male")}
"""What a baseline looks at, by its name: columns of the block ``clinical``."""


@dataclass(frozen=True)
class Recipe:
    """How one model is fitted.

    Attributes
    ----------
    kind : {"view", "network", "regression"}
        The classifier of views, a video network on one view, or a regression without pictures.
    view : str
        The view that a network looks at; empty otherwise.
    measured : tuple of str
        What a regression looks at; empty otherwise.
    """

    kind: Literal["view", "network", "regression"]
    view: str = ""
    measured: tuple[str, ...] = ()


def recipe_of(ctx: Context) -> Recipe:
    """Return how the model that the context names is fitted."""
    if ctx.task.name == "view":
        return Recipe("view")
    name = str(ctx.model)
    if name in MEASURED:
        return Recipe("regression", measured=MEASURED[name])
    return Recipe("network", view=name.removesuffix(_VALUE))


def codes_of(features: FeatureSet, targets: Targets, target: Target) -> NDArray[np.float64]:
    """Return each sample's target as a number: place among the classes, or value; NaN if unknown.

    Binary targets may stand as 0 and 1 or by name.
    """
    values = np.asarray(targets.of(features.table, target.name), dtype=object)
    return np.array([_code(value, target.classes) for value in values], dtype=np.float64)


def _code(value: object, classes: tuple[str, ...]) -> float:
    if isinstance(value, str):
        return float(classes.index(value)) if value in classes else float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # None, and pandas' own NA
        return float("nan")
