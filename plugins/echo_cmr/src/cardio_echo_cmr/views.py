"""Which view a loop shows: as the cohort table says, or as the task ``view`` found it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from cardio_echo_cmr.tasks import OTHER, VIEWS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cardio_core.api import Context, FeatureSet

UNKNOWN = "unknown"
"""No view is probable enough."""

LEAST_PROBABILITY = 0.8
"""Below it a view is unknown, where nothing else is said."""

_TASK = "view"
_SCORE = "score:"


def views_of(
    features: FeatureSet,
    ctx: Context,
    *,
    least_probability: float = LEAST_PROBABILITY,
    batch_size: int = 64,
) -> NDArray[np.str_]:
    """Return the view of every video, shape (n,): one of the classes of the task, or unknown.

    Parameters
    ----------
    features : FeatureSet
        Where its table names the view of any video (``view_given``), that is taken, and a video
        without one is unknown.
    ctx : Context
        Otherwise the probabilities of the task ``view`` are asked for: those out of the fold in
        training and testing, those of its final model for new patients.
    least_probability : float
        The most probable view must reach it.
    batch_size : int
        Videos at once, for new patients.
    """
    given = features.table.get("view_given")
    if given is not None:
        named = given.fillna("").to_numpy(str)
        if (named != "").any():
            return np.where(np.isin(named, (*VIEWS, OTHER)), named, UNKNOWN)
    if ctx.mode == "fit":
        found = ctx.out_of_fold(_TASK).reindex(features.table["recording_id"])
        return most_probable(found, least_probability)
    return most_probable(_scored(features, ctx, batch_size), least_probability)


def most_probable(table: pd.DataFrame, least_probability: float) -> NDArray[np.str_]:
    """Return the class of the highest probability in each row, or unknown.

    Parameters
    ----------
    table : DataFrame
        Columns ``score:CLASS``; a row of NaN is unknown.
    least_probability : float
        Itself included.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"score:a4c": [0.8, 0.5], "score:plax": [0.2, 0.5]})
    >>> most_probable(table, 0.8).tolist()
    ['a4c', 'unknown']
    """
    columns = [name for name in table.columns if name.startswith(_SCORE)]
    scores = np.nan_to_num(table[columns].to_numpy(np.float64), nan=0.0)
    names = np.array([name.removeprefix(_SCORE) for name in columns])
    return np.where(scores.max(axis=1) >= least_probability, names[scores.argmax(axis=1)], UNKNOWN)


def counted(views: NDArray[np.str_]) -> str:
    """Return how many videos show each view, as a clause.

    Examples
    --------
    >>> counted(np.array(["a4c", "unknown", "a4c", "plax"]))
    'a4c 2, a2c 0, plax 1, other 0, unknown 1'
    """
    found = Counter(views.tolist())
    return ", ".join(f"{name} {found[name]}" for name in (*VIEWS, OTHER, UNKNOWN))


def _scored(features: FeatureSet, ctx: Context, batch_size: int) -> pd.DataFrame:
    import pandas as pd

    from cardio_echo_cmr.view_task import score_views

    classes = [f"{_SCORE}{name}" for name in (*VIEWS, OTHER)]
    return pd.DataFrame(
        score_views(ctx.need(_TASK), features, ctx, batch_size=batch_size), columns=classes
    )
