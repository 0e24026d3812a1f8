"""Which view a loop shows: as the cohort table says, or as the task ``view`` found it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet
from cardio_echo_cmr.clips import n_recorded
from cardio_echo_cmr.findings.tasks import VIEW
from cardio_echo_cmr.views.names import LEAST_PROBABILITY, OTHER, UNKNOWN, VIEWS
from cardio_ultrasound import view_of_frames

_SCORE = "score:"


_CLASSES = [f"{_SCORE}{name}" for name in (*VIEWS, OTHER)]


_N_LOOKED_AT = 6


def views_of(
    features: FeatureSet, ctx: Context, *, least_probability: float = LEAST_PROBABILITY
) -> NDArray[np.str_]:
    """Return the view of every video, shape (n,): one of the classes of the task, or unknown.

    Parameters
    ----------
    features : FeatureSet
        Where its table says a video's view (``view_given``), that is taken; a word that is no view
        of a network, nor ``other``, stands for unknown.
    ctx : Context
        For the others the probabilities of the task ``view`` are asked for: those out of the fold
        in training and testing, those of its final model for new patients; where the run did
        without that task, the core's view gate names the views of new patients, or none.
    least_probability : float
        The most probable view must reach it.

    Raises
    ------
    DataError
        New videos of which nobody says the view, where the run did without the task ``view`` and
        the core's view gate cannot look either.
    """
    return views_by(view_scores(features, ctx), features, least_probability)


def view_scores(features: FeatureSet, ctx: Context, *, batch_size: int = 64) -> pd.DataFrame:
    """Return the probability of every view for every video that the table names no view of.

    Parameters
    ----------
    features, ctx
        As for `views_of`, and what is raised.
    batch_size : int
        Videos at once, for new patients.

    Returns
    -------
    DataFrame, indexed by sample_id
        Columns ``score:VIEW``; NaN where the view is named, or nobody predicted it.
    """
    found = np.full((len(features), len(_CLASSES)), np.nan)
    # Each video for itself: its view must not depend on who else is asked about.
    unnamed = np.flatnonzero(_named(features) == "")
    if unnamed.size:
        wanted = features.view(unnamed)
        if ctx.mode == "fit":
            table = ctx.out_of_fold(VIEW.name).reindex(wanted.table["recording_id"])
        else:
            table = _scored(wanted, ctx, batch_size)
        found[unnamed] = table.reindex(columns=_CLASSES).to_numpy(np.float64)
    return pd.DataFrame(found, index=features.table.index, columns=_CLASSES)


def views_by(
    table: pd.DataFrame, features: FeatureSet, least_probability: float
) -> NDArray[np.str_]:
    """Return the view of every video: as it is named, else the most probable one.

    Parameters
    ----------
    table : DataFrame
        Of `view_scores`.
    features, least_probability
        As for `views_of`.
    """
    named = _named(features)
    known = np.where(np.isin(named, (*VIEWS, OTHER)), named, UNKNOWN)
    return np.where(named == "", most_probable(table, least_probability), known)


def _named(features: FeatureSet) -> NDArray[np.str_]:
    given = features.table.get("view_given", pd.Series("", features.table.index))
    return given.fillna("").to_numpy(str)


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
    'A4C 2, A2C 0, PLAX 1, other 0, unknown 1'
    """
    found = Counter(views.tolist())
    names = {name: name.upper() for name in VIEWS} | {OTHER: OTHER, UNKNOWN: UNKNOWN}
    return ", ".join(f"{title} {found[name]}" for name, title in names.items())


def _scored(features: FeatureSet, ctx: Context, batch_size: int) -> pd.DataFrame:
    if not ctx.has_need(VIEW.name):
        return _seen_by_the_core(features)

    from cardio_echo_cmr.findings.view_classifier import score_views  # torch only where needed

    scores = score_views(ctx.need(VIEW.name), features, ctx, batch_size=batch_size)
    return pd.DataFrame(scores, columns=_CLASSES)


def _seen_by_the_core(features: FeatureSet) -> pd.DataFrame:
    """Return the views of new videos as the core's own gate sees them.

    For runs that did without the task ``view``. What it does not know for sure is NaN.
    """
    scores = np.full((len(features), len(_CLASSES)), np.nan)
    videos, lengths = features["video"].values, n_recorded(np.asarray(features["times"].values))
    for place, n_frames in enumerate(lengths):
        frames = np.asarray(videos[place])[: int(n_frames) : max(int(n_frames) // _N_LOOKED_AT, 1)]
        seen = view_of_frames(frames, frames.max(axis=0) > 0)
        if seen.known:
            name = seen.name if seen.name in VIEWS else OTHER
            scores[place] = (1.0 - seen.probability) / (len(_CLASSES) - 1)
            scores[place, _CLASSES.index(f"{_SCORE}{name}")] = seen.probability
    return pd.DataFrame(scores, index=features.table.index, columns=_CLASSES)
