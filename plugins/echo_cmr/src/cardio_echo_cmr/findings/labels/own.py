"""An outcome of the user's own: what is known of it before the core makes it the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import ConfigError, Context, Target
from cardio_echo_cmr.findings.tasks import STAND_IN

TOLD_BY = {
    "lvef_bl_pct": ("lvef_pct",),
    "lvef_fu_pct": ("lvef_pct",),
    "age_y": ("age_y",),
    "sex": ("sex_male",),
}
"""What a model sees under another name, by the column of the cohort table that is predicted."""


def hidden(samples: pd.DataFrame, ctx: Context) -> pd.DataFrame:
    """Return the sample table without what is to be predicted: LVEF tells LVEF."""
    told = TOLD_BY.get(ctx.outcome or "", ())
    return samples.assign(**dict.fromkeys(told, float("nan")))


def known_outcome(clinical: pd.DataFrame | None, ctx: Context) -> pd.DataFrame:
    """Return the asked column as numbers, by study: places of classes, or values; NaN if unknown.

    It only says how many studies there are of each class; the targets are the core's.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from cardio_echo_cmr.findings.tasks import OUTCOME
    >>> task = OUTCOME.predicting(Target("arm", "binary", ("not CRT-P", "CRT-P")))
    >>> table = pd.DataFrame({"arm": ["CRT-P", "CRT-D", "none", None]})
    >>> known_outcome(table, Context(task, outcome="arm"))["arm"].tolist()
    [1.0, 0.0, 0.0, nan]
    """
    target = ctx.targets[0]
    if clinical is None or ctx.outcome is None:
        return pd.DataFrame({target.name: pd.Series(dtype=float)})
    column = clinical[ctx.outcome]
    if target.kind == "continuous":
        return pd.DataFrame({target.name: pd.to_numeric(column, errors="coerce").astype(float)})
    return pd.DataFrame({target.name: [_place(cell, target) for cell in column]}, column.index)


def stand_in(clinical: pd.DataFrame | None) -> pd.DataFrame:
    """Return the outcome of the synthetic cohort, as labels by study.

    Raises
    ------
    ConfigError
        If the table has no such column: then somebody forgot to say what is to be predicted.
    """
    column = None if clinical is None else clinical.get(STAND_IN)
    known = pd.Series(dtype=float) if column is None else pd.to_numeric(column, errors="coerce")
    if not known.notna().any() or not known.dropna().isin([0, 1]).all():
        raise ConfigError(
            "task outcome: expected a column of the cohort table that is to be predicted, found "
            "none; name one with --outcome COLUMN"
        )
    return pd.DataFrame({STAND_IN: known.astype(float)})


def _place(cell: Any, target: Target) -> float:
    if cell is None or pd.isna(cell):
        return float("nan")
    text = f"{cell:g}" if isinstance(cell, int | float | np.number) else str(cell)
    names = [name.strip().casefold() for name in target.classes]
    plain = text.strip().casefold()
    if plain in names:
        return float(names.index(plain))
    if target.kind == "binary":  # 1 is shown as yes; against one value stand all others
        return 1.0 if plain == "1" and names[1] == "yes" else 0.0
    return float("nan")
