"""Which tested studies are drawn with their heat maps, and what stands above each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Target

Titles = tuple[str, str]
"""Above a case of the report, and above its picture."""

NO_VERDICT = (
    "no verdict; the septum, its M-mode and the map are shown to be checked",
    "no verdict",
)


def chosen_studies(
    scores: NDArray[np.float64], judged: NDArray[np.bool_], n_cases: int, target: Target
) -> dict[int, Titles]:
    """Return the studies that a network is surest of, for and against, with their titles.

    Chosen without looking at the label. Of a number they are the highest and the lowest, of more
    than two classes those of the highest probability of any.

    Parameters
    ----------
    scores : ndarray, shape (n,) or (n, n_classes)
        Probabilities of the second class, numbers, or probabilities of all classes.
    judged : ndarray of bool, shape (n,)
        Studies that can be judged; no other is drawn.
    n_cases : int
        For, and as many against.
    target : Target
        What is predicted.

    Examples
    --------
    >>> flash = Target("septal_flash", "binary", ("no", "yes"))
    >>> chosen_studies(np.array([0.2, 0.9, 0.5]), np.ones(3, bool), 1, flash)[1]
    ('surest for flash; its probability 0.90', 'for flash: 0.90')
    >>> ml = Target("x_lvesv_change", "continuous", unit="ml")
    >>> chosen_studies(np.array([2.0, -31.0]), np.ones(2, bool), 1, ml)[1]
    ('lowest lvesv change; predicted -31 ml', 'lowest: -31 ml')
    """
    several = scores.ndim == 2
    sureness = scores.max(axis=1) if several else scores
    ranked = np.argsort(sureness, kind="stable")
    ranked = ranked[judged[ranked]]
    if several:
        surest = ranked[::-1][: 2 * n_cases]
        return {int(i): _titles("for", scores[i], target) for i in surest}
    n = min(n_cases, len(ranked) // 2)
    high, low = ranked[::-1][:n], ranked[:n]
    return {int(i): _titles("for", scores[i], target) for i in high} | {
        int(i): _titles("against", scores[i], target) for i in low
    }


def said_of_new(score: NDArray[np.float64], judged: bool, target: Target) -> Titles:
    """Return the titles of a new recording's picture.

    Parameters
    ----------
    score : ndarray, shape () or (n_classes,)
        As of `chosen_studies`.
    judged : bool
        Whether an answer can be given at all.
    target : Target
        What is predicted.
    """
    if not judged:
        return NO_VERDICT
    name, value, unit = _told(score, target)
    if target.kind == "continuous":
        return f"predicted {_plain(target)} {value}{unit}", f"{value}{unit}"
    return f"probability of {_article(target)}{name} {value}", f"{name}: {value}"


def _titles(word: str, score: NDArray[np.float64], target: Target) -> Titles:
    name, value, unit = _told(score, target)
    if target.kind == "continuous":
        end = "highest" if word == "for" else "lowest"
        return f"{end} {_plain(target)}; predicted {value}{unit}", f"{end}: {value}{unit}"
    return f"surest {word} {name}; its probability {value}", f"{word} {name}: {value}"


def _told(score: NDArray[np.float64], target: Target) -> tuple[str, str, str]:
    """Return what is scored, the score, and its unit with a space before it."""
    if target.kind == "continuous":
        return _plain(target), f"{float(score):.3g}", f" {target.unit}" if target.unit else ""
    if target.kind == "multiclass":
        place = int(np.argmax(score))
        return f"{_plain(target)} {target.classes[place]}", f"{score[place]:.2f}", ""
    positive = target.classes[1]
    name = _plain(target) if positive == "yes" else f"{_plain(target)} {positive}"
    return name, f"{float(score):.2f}", ""


def _plain(target: Target) -> str:
    name = target.name.removeprefix("x_").replace("_", " ")
    return "flash" if name == "septal flash" else name


def _article(target: Target) -> str:
    return "a " if target.name == "septal_flash" else ""
