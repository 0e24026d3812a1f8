"""Which NIfTI volumes are the gates of one study, by their names.

A number is a gate's where a word says so (``p7_rest_gate3``, ``p7_g3``, ``p7-frame-3``), where it
follows stress or rest (``p7_rest_3``), or where the name holds nothing else (``3`` in the
patient's own folder). A bare number at the end may as well be a patient's; it is a gate's only
where exactly 8 or 16 volumes are numbered on from 0 or 1, and either their folder bears the rest
of the name (``p7/p7_3``), or others beside them are numbered alike (``p7_3`` and ``p8_3``), or
they are numbered as the channels of a network's input (``p7_0003``).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from cardio_spect_polar.readers.state import state_of_words, without_state

_GATE = re.compile(
    r"[ ._-]*(?<![a-z])(?:gate|g|frame|fr|f|slot|bin|phase|time|t)[ ._-]*(?P<gate>\d{1,3})(?!\d)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[ ._-]*(?P<gate>\d{1,3})[ ._-]*")
_LAST = re.compile(r"(?P<shared>.*?)[ ._-]*(?<!\d)(?P<gate>\d{1,4})")
_LAST_WORD = re.compile(r"[a-z]+$", re.IGNORECASE)
_USUAL = (8, 16)

Gates = tuple[tuple[int, "Path"], ...]
"""Numbers and files of the gates of one study, in order."""


def stem_of(path: Path) -> str:
    """Return a file's name without the suffix of its format."""
    name = path.name
    for suffix in (".nii.gz", ".nii", ".dcm", ".dicom"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def group_gates(
    volumes: Iterable[Path], *, chosen: bool = False
) -> tuple[dict[tuple[Path, str], Gates], list[Path]]:
    """Group volumes into the gates of studies.

    Parameters
    ----------
    volumes : iterable of Path
        Files of one volume each.
    chosen : bool
        Whether somebody put these files together, so that 8 or 16 bare numbers are gates' anyway.

    Returns
    -------
    dict
        From folder and shared name to the gates, in order.
    list of Path
        Volumes that are no gates.

    Examples
    --------
    >>> from pathlib import Path
    >>> names = ["p7_rest_gate2.nii", "p7_rest_gate1.nii", "p8.nii"]
    >>> groups, others = group_gates(Path(name) for name in names)
    >>> [(shared, [gate for gate, _ in gates]) for (_, shared), gates in groups.items()]
    [('p7_rest', [1, 2])]
    >>> [path.name for path in others]
    ['p8.nii']
    """
    sure: defaultdict[tuple[Path, str], list[tuple[int, Path]]] = defaultdict(list)
    doubtful: defaultdict[tuple[Path, str], list[tuple[int, Path]]] = defaultdict(list)
    others: list[Path] = []
    for path in volumes:
        stem = stem_of(path)
        if (named := _split_at_word(stem)) is not None:
            sure[path.parent, named[0]].append((named[1], path))
        elif (last := _LAST.fullmatch(stem)) is not None:
            doubtful[path.parent, last["shared"]].append((int(last["gate"]), path))
        else:
            others.append(path)
    complete = {key for key, found in doubtful.items() if _is_usual_set(found)}
    alike = Counter(folder for folder, _ in complete)
    for key, found in doubtful.items():
        folder, shared = key
        as_channels = all(stem_of(path).endswith(f"{gate:04d}") for gate, path in found)
        together = chosen or shared == folder.name or alike[folder] > 1 or as_channels
        if key in complete and together:
            sure[key] += found
        else:
            others += [path for _, path in found]
    return {key: tuple(sorted(found)) for key, found in sure.items()}, others


def _split_at_word(stem: str) -> tuple[str, int] | None:
    """Split a name at a number that a word, or the lack of any other, makes a gate's."""
    found = list(_GATE.finditer(stem))
    if found:
        last = found[-1]
        shared = stem[: last.start()] + stem[last.end() :]
        return shared.strip(" ._-"), int(last["gate"])
    number = _NUMBER.fullmatch(without_state(stem))
    if number:
        return stem.replace(number["gate"], "", 1).strip(" ._-"), int(number["gate"])
    end = _LAST.fullmatch(stem)
    word = _LAST_WORD.search(end["shared"]) if end else None
    if end and word and state_of_words(word[0]) is not None:
        return end["shared"], int(end["gate"])
    return None


def _is_usual_set(found: list[tuple[int, Path]]) -> bool:
    """Whether the numbers run on from 0 or 1, without a gap, to 8 or 16 in all."""
    numbers = sorted(gate for gate, _ in found)
    first = numbers[0]
    return (
        first in (0, 1)
        and len(numbers) in _USUAL
        and numbers == list(range(first, first + len(numbers)))
    )
