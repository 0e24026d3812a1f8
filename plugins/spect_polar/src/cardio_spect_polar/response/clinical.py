"""Clinical variables of a patient as numbers, in the order of the paper's Table 1."""

from __future__ import annotations

from typing import Any

import pandas as pd

CLINICAL: tuple[tuple[str, str], ...] = (
    ("age_y", "y"), ("male", "1"), ("smoking", "1"), ("nyha_bl", "1"), ("ischemic_aetiology", "1"),
    ("cad", "1"), ("htn", "1"), ("dm", "1"), ("ckd", "1"), ("acei_arb", "1"),
    ("betablocker", "1"), ("spironolactone", "1"), ("digoxin", "1"), ("diuretic", "1"),
    ("qrs_ms", "ms"), ("lbbb", "1"), ("lvef_bl_pct", "%"), ("lvesv_bl_ml", "mL"),
    ("lvedv_bl_ml", "mL"),
)  # fmt: skip
"""Name and unit; ``male`` and ``lbbb`` are read off the columns `sex` and `qrs_morph`."""


def clinical_values(row: pd.Series[Any]) -> dict[str, float]:
    """Return the clinical variables of one row of a cohort table, NaN where missing.

    Examples
    --------
    >>> import pandas as pd
    >>> found = clinical_values(pd.Series({"sex": "M", "qrs_ms": 150.0}))
    >>> found["male"], found["qrs_ms"], found["age_y"]
    (1.0, 150.0, nan)
    """
    special = {"male": ("sex", "M"), "lbbb": ("qrs_morph", "LBBB")}
    found = {}
    for name, _ in CLINICAL:
        column, one = special.get(name, (name, None))
        value = row.get(column)
        if pd.isna(value):
            found[name] = float("nan")
        else:
            found[name] = float(value) if one is None else float(str(value) == one)
    return found
