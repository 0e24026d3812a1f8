"""How stable and how strong codes are, fold by fold, from what `explain` brought along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Case
from cardio_spect_polar.published.parts import Added

SEGMENT = "segment:"


def code_tables(cases: Sequence[Case]) -> Added:
    """Return stability, screening and segments of the codes of every fold.

    Parameters
    ----------
    cases : sequence of Case
        Of `explain`; the first of a fold and model holds what was found for all codes.

    Returns
    -------
    Added
        ``stability``: a row a fold and model; ``screening``: a row a code that was tested in some
        fold; ``code-segments``: how much later each AHA segment contracts along each code that
        entered. The number of a code has meaning inside its fold only.
    """
    added = Added()
    stability, screening, segments = [], [], []
    for case in cases:
        place: dict[str, Any] = {"model": case.model, "fold": case.fold}
        if "all_code" in case.arrays:
            if "all_mean_r" in case.arrays:
                stability.append(place | _stability(case.arrays))
            names = [n for n in ("code", "r", "p", "p_max_t", "q") if f"all_{n}" in case.arrays]
            columns = {name: case.arrays[f"all_{name}"] for name in names}
            tested = pd.DataFrame(columns).assign(**place)
            screening.append(tested.assign(code=tested["code"].astype(int) + 1))
        found = {
            name.removeprefix(SEGMENT): value
            for name, value in case.scores.items()
            if name.startswith(SEGMENT)
        }
        if found:
            segments.append(
                place | {"code": int(case.scores["code"]), "r": case.scores["r"]} | found
            )
    if stability:
        added.tables["stability"] = pd.DataFrame(stability)
    if screening:
        rows = pd.concat(screening, ignore_index=True)
        added.tables["screening"] = rows[["model", "fold", *rows.columns.difference(
            ["model", "fold"], sort=False)]]  # fmt: skip
    if segments:
        added.tables["code-segments"] = pd.DataFrame(segments)
    return added


def _stability(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Say how many codes are found again from other weights, and whether their space is."""
    mean_r = arrays["all_mean_r"]
    return {
        "n_codes": len(mean_r),
        "n_stable": len(arrays["all_stable"]),
        "median_r": float(np.median(mean_r)),
        "least_r": float(mean_r.min()),
        "first_r": float(mean_r[0]),
        "subspace_r": float(arrays["subspace_r"][0]),
    }
