"""Whether a loop shows the apical four-chamber view, in which alone septal flash is defined."""

from __future__ import annotations

from dataclasses import dataclass

from cardio_ultrasound import VIEW_TITLES, ViewSeen

A4C = "a4c"
_SURE, _UNKNOWN, _CONTRADICTED = 0.95, 0.75, 0.3
SAY_SO = "if the sheet shows an apical four-chamber view, pass --view a4c"


@dataclass(frozen=True)
class JudgedView:
    """What a view means for a loop.

    Attributes
    ----------
    flags : tuple of str
        What a reader of the results should know.
    no_verdict : tuple of str
        Why nobody is told whether there is a flash.
    no_measures : bool
        Whether nothing is measured either: in another view the numbers are of something else.
    trust : float
        0 to 1: how far the view speaks for a line on the septum of a four-chamber view.
    """

    flags: tuple[str, ...] = ()
    no_verdict: tuple[str, ...] = ()
    no_measures: bool = False
    trust: float = 1.0


def judged_view(seen: ViewSeen, *, said: bool) -> JudgedView:
    """Return what the view that was seen means.

    Another view withholds the measurements and the verdict. An unknown one withholds the verdict
    alone: the numbers stand beside a sheet on which a person can see whether the line lies on the
    septum, an automatic answer does not. Where a person says another view than is seen, the
    loop is measured, for a person looks at more than a small network does, and gets no verdict.

    Parameters
    ----------
    seen : ViewSeen
        By `cardio_ultrasound.view_of`.
    said : bool
        Whether a person says that it is the apical four-chamber view.

    Examples
    --------
    >>> from cardio_ultrasound import ViewSeen
    >>> judged_view(ViewSeen("a4c", 0.97, ""), said=False)
    JudgedView(flags=(), no_verdict=(), no_measures=False, trust=1.0)
    >>> judged_view(ViewSeen("a2c", 0.97, ""), said=False).no_verdict[0]
    'apical two-chamber view (0.97), not four-chamber: septal flash is not defined here'
    """
    if seen.name == A4C:
        sure = 1.0 if seen.probability >= _SURE else seen.probability
        return JudgedView(trust=sure)
    if not seen.checked:
        return JudgedView(trust=_UNKNOWN) if said else JudgedView((seen.sentence,), trust=_UNKNOWN)
    if not seen.known:
        if said:
            return JudgedView((f"{seen.sentence}, stated as {VIEW_TITLES[A4C]}",), trust=_UNKNOWN)
        return JudgedView((), (f"{seen.sentence} ({SAY_SO})",), trust=_UNKNOWN)
    title = VIEW_TITLES[seen.name]
    other = f"{title if 'view' in title else title + ' view'} ({seen.probability:.2f})"
    if said:
        why = f"looks like {other}, and is said to be {VIEW_TITLES[A4C]}"
        return JudgedView((), (why,), trust=_CONTRADICTED)
    why = f"{other}, not four-chamber: septal flash is not defined here"
    return JudgedView((), (why,), no_measures=True, trust=_CONTRADICTED)
