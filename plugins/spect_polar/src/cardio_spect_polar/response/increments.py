"""Figure 3: bars of nested models, from a table of increments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cardio_spect_polar.drawing.increments import Increment, increments_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure


def increments_of(rows: pd.DataFrame, note: str) -> Callable[[Figure], None]:
    """Draw a bar a model, each joined to the one that it was tested against.

    Parameters
    ----------
    rows : DataFrame
        As `incremental_rows` gives them; several sequences below each other, told apart by
        ``over``. A first model that two sequences share is drawn once.
    note : str
    """
    bars: list[Increment] = []
    places: dict[tuple[str, float], int] = {}
    last: int | None = None
    for row in rows.to_dict("records"):
        first = pd.isna(row.get("p"))
        key = (str(row["model"]), round(float(row["chi2"]), 9))
        if first and key in places:
            last = places[key]
            continue
        p = None if first else float(row["p"])
        bars.append(
            Increment(
                str(row["model"]).replace(" + ", "\n+ "), float(row["chi2"]), float(row["auc"]),
                float(row["low"]), float(row["high"]), None if first else last, p,
            )
        )  # fmt: skip
        last = places[key] = len(bars) - 1
    return increments_figure(bars, note=note)
