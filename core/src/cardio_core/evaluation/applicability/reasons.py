"""Why a patient is not like those of training, in words."""

from __future__ import annotations

from collections.abc import Sequence

from cardio_core.evaluation.applicability.described import About

_NAMED = 3
"""So many reasons are named; the others are counted."""

_TIMES = 1.5
"""From here on a noise or a contrast is told as a multiple."""


def column_said(about: About, value: float, middle: float, limits: tuple[float, float]) -> str:
    """Say of one column how it differs.

    Examples
    --------
    >>> rate = About("Heart rate", "per min", "measured")
    >>> column_said(rate, 180.0, 70.0, (45.0, 120.0))
    'heart rate 180 per min, training 45 to 120 (1st to 99th percentile)'
    >>> column_said(About("noise of the beat", "mV", "input"), 0.31, 0.1, (0.05, 0.2))
    'noise of the beat 3.1 times the training median'
    """
    title = in_a_sentence(about.title)
    if about.kind == "input" and middle > 0 and value > 0:
        times = value / middle
        if times >= _TIMES:
            return f"{title} {times:.2g} times the training median"
        if times <= 1 / _TIMES:
            return f"{title} {times:.2g} of the training median"
    low, high = (number(limit) for limit in limits)
    unit = f" {about.unit}" if about.unit else ""
    return f"{title} {number(value)}{unit}, training {low} to {high} (1st to 99th percentile)"


def name_said(what: str, value: str) -> str:
    """Say that training never saw a hospital, a scanner or the like.

    Examples
    --------
    >>> name_said("scanner", "GE")
    "scanner not among the training's: GE"
    """
    return f"{what} not among the training's: {value}"


def together_said(columns: Sequence[tuple[About, float]]) -> str:
    """Say that nothing is unusual by itself, but all of it together is.

    Examples
    --------
    >>> together_said([(About("QRS duration", "ms", "measured"), 121.0)])
    'its measurements do not go together as in training (least: QRS duration 121 ms)'
    """
    said = ", ".join(
        f"{in_a_sentence(about.title)} {number(value)}{f' {about.unit}' if about.unit else ''}"
        for about, value in columns
    )
    least = f" (least: {said})" if said else ""
    return f"its measurements do not go together as in training{least}"


def network_said(title: str, ratio: float) -> str:
    """Say that a network makes something else of a patient than of those of training.

    `ratio` is the distance by the one that 9 in 10 of the patients left out do not exceed.

    Examples
    --------
    >>> network_said("Small network", 1.84)
    'what the network sees is unlike training (Small network, 1.8 times the usual distance)'
    """
    return (
        f"what the network sees is unlike training ({title}, {ratio:.2g} times the usual distance)"
    )


def listed(reasons: Sequence[str]) -> str:
    """Join reasons; those behind the third are counted.

    Examples
    --------
    >>> listed(["a", "b", "c", "d", "e"])
    'a; b; c; and 2 more'
    """
    more = len(reasons) - _NAMED
    return "; ".join([*reasons[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def number(value: float) -> str:
    """Return a number with three digits.

    Examples
    --------
    >>> number(180.0), number(0.1234), number(-0.001), number(12345.6)
    ('180', '0.123', '-0.001', '12346')
    """
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_a_sentence(title: str) -> str:
    """Return a title as it stands within a sentence: abbreviations keep their capitals.

    Examples
    --------
    >>> in_a_sentence("Heart rate"), in_a_sentence("QRS duration"), in_a_sentence("R amplitude")
    ('heart rate', 'QRS duration', 'R amplitude')
    """
    first = title.split(" ")[0]
    if len(first) < 2 or any(letter.isupper() for letter in first[1:]):
        return title
    return title[:1].lower() + title[1:]
