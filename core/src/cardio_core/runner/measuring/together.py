"""One line a study: the median of what its recordings measured, and how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from cardio_core.report.measured.values import Measured
from cardio_core.runner.measuring.recording import Line


def by_study(lines: Iterable[Line]) -> Iterator[tuple[Line, tuple[Line, ...]]]:
    """Yield a line for each study, and the lines of the recordings that it stands on."""
    of_study: dict[str, list[Line]] = {}
    for line in lines:
        of_study.setdefault(line.study_id, []).append(line)
    for own in of_study.values():
        yield combined(own), tuple(own)


def combined(lines: Sequence[Line]) -> Line:
    """Return what a study's recordings say together.

    Those that cannot be judged do not count where another can. Each measurement is the median of
    the recordings' own, its quartiles are theirs; a flag that only some bear says how many.

    Parameters
    ----------
    lines : sequence of Line
        Of one study. A single one is returned as it is.

    Examples
    --------
    >>> made = [Line(f"1-{n}", "1", (), (Measured("Peak", "mm", float(n)),), study_id="1")
    ...         for n in (1, 2, 6)]
    >>> one = combined(made)
    >>> one.recording_id, one.measured[0].value, one.measured[0].quartiles, one.n_recordings
    ('1', 2.0, (1.5, 4.0), 3)
    """
    if len(lines) == 1 and lines[0].recording_id == lines[0].study_id:
        return lines[0]
    first = lines[0]
    files = tuple(file for one in lines for file in one.files)
    about = replace(first, recording_id=first.study_id, files=files, digests=())
    measured = [one for one in lines if not one.reason]
    if not measured:
        n = len(lines)
        many = f"none of its {n} recordings can be used; the first: " if n > 1 else ""
        return replace(about, reason=f"{many}{first.reason}", n_recordings=0)
    used = used_of(lines)
    shown = min(used, key=lambda one: len(one.flags))
    return replace(
        about,
        measured=used[0].measured if len(used) == 1 else tuple(_medians(used)),
        n_samples=sum(one.n_samples for one in used),
        flags=_flags(used),
        reason="",
        sheet=shown.sheet,
        verdict=used[0].verdict,
        n_recordings=len(used),
    )


def used_of(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that a study stands on: those that can be judged, else all measured."""
    measured = [one for one in lines if not one.reason]
    return [one for one in measured if not one.verdict.withheld] or measured


def _medians(lines: Sequence[Line]) -> Iterator[Measured]:
    heads = dict.fromkeys(one.head for line in lines for one in line.measured)
    for head in heads:
        own = [one for line in lines for one in line.measured if one.head == head]
        known = [one.value for one in own if one.value is not None]
        if not known:
            yield replace(own[0], quartiles=None)
            continue
        low, middle, high = (float(value) for value in np.percentile(known, (25, 50, 75)))
        differs = len(known) > 1 and min(known) < max(known) and not own[0].yes_no
        yield replace(own[0], value=middle, quartiles=(low, high) if differs else None)


def _flags(lines: Sequence[Line]) -> tuple[str, ...]:
    counts = Counter(flag for line in lines for flag in line.flags)
    n = len(lines)
    return tuple(
        flag if k == n else f"{flag} ({k} of {n} recordings)" for flag, k in counts.items()
    )
