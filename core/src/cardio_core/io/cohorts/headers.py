"""The header of a cohort table: names as people write them, and what they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from cardio_core.io.tables.raw import plain_name

_MEANT = {
    "patient_id": ("patient", "id", "subject", "subject_id", "case", "case_id", "pid", "mrn"),
    "age_y": ("age", "age_years", "alter"),
    "sex": ("gender", "male", "female"),
    "lvef_bl_pct": ("ef", "lvef", "ejection_fraction"),
    "dm": ("diabetes", "diabetes_mellitus"),
    "htn": ("hypertension",),
    "qrs_ms": ("qrs", "qrs_duration"),
    "hr_bpm": ("hr", "heart_rate"),
    "study_date": ("date",),
}
"""Words that stand for a column although they are spelt otherwise."""

_FILE = ("file", "path", "filename")
"""Words for the one column of recordings, where a table has no other."""


def near(name: str, known: Collection[str]) -> str:
    """Return the known column that a name may have meant, or nothing.

    Examples
    --------
    >>> near("lvesv_bl", {"lvesv_bl_ml", "dm"}), near("Diabetes", {"dm"}), near("ward", {"dm"})
    ('lvesv_bl_ml', 'dm', '')
    """
    plain = plain_name(name.removeprefix("x_"))
    for column, words in _MEANT.items():
        if plain in words and column in known:
            return column
    files = [one for one in known if one.startswith("path_")]
    for column in files:
        named = plain == plain_name(column.removeprefix("path_"))
        if named or (plain in _FILE and len(files) == 1):
            return column
    spelt = {plain_name(one): one for one in known}
    found = difflib.get_close_matches(plain, spelt, n=1, cutoff=0.75)
    return spelt[found[0]] if found else ""


def told_of(names: Iterable[str], known: Collection[str], *, named: bool = True) -> str:
    """Return one sentence about columns that no rule knows, or nothing where there is none.

    Parameters
    ----------
    names : iterable of str
        Of the columns.
    known : collection of str
        The columns of the schema.
    named : bool
        Without it only those are named that are nearly a known one: the others can hold anything.

    Examples
    --------
    >>> told_of(["ward", "lvesv_bl"], {"lvesv_bl_ml"}).partition(". ")[0]
    "2 columns are the cohort's own: ward, lvesv_bl (did you mean lvesv_bl_ml?)"
    >>> told_of(["Ward B", "lvesv_bl"], {"lvesv_bl_ml"}, named=False).partition(". ")[0]
    "2 columns are the cohort's own: lvesv_bl (did you mean lvesv_bl_ml?) and 1 that cardio data \
check names"
    """
    own = list(names)
    if not own:
        return ""
    meant = {name: near(name, known) for name in own}
    listed = [f"{name} (did you mean {meant[name]}?)" if meant[name] else name
              for name in own if named or meant[name]]  # fmt: skip
    one = len(own) == 1
    if unnamed := len(own) - len(listed):
        more = f"{unnamed} that cardio data check names"
        listed = [f"{', '.join(listed)} and {more}" if listed else "cardio data check names "
                  f"{'it' if one else 'them'}"]  # fmt: skip
    return (
        f"{len(own)} column{' is' if one else 's are'} the cohort's own: {', '.join(listed)}. "
        f"Nothing reads {'it' if one else 'them'} unless --outcome or --covariate names "
        f"{'it' if one else 'them'}."
    )
