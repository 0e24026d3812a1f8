"""What became of every file of the inputs: one line a file, and all of them in one sentence."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cardio_core.io.atomic import replacing
from cardio_core.io.tables.formula import named_texts, texts
from cardio_core.runner.progress.words import several
from cardio_core.types.notes import Exclusion, ExclusionReason
from cardio_core.types.samples import Cohort

FILES = "files.csv"
COLUMNS = ("file", "kind", "study", "recording", "view", "used", "why not")

_COLOURED = "colour Doppler loop"
_SEVERAL = {
    "still": "stills",
    "2D loop": "2D loops",
    _COLOURED: "colour Doppler loops",
    "contrast loop": "contrast loops",
    "loop under stress": "loops under stress",
    "transoesophageal or intracardiac loop": "transoesophageal or intracardiac loops",
    "3D volume": "3D volumes",
    "screen capture": "screen captures",
    "other DICOM object": "other DICOM objects",
    "other modality": "of another modality",
    "video": "videos",
    "array": "arrays",
    "picture": "pictures",
    "table": "tables",
    "archive": "archives",
    "hidden file": "hidden files",
    "empty file": "empty files",
}


@dataclass(frozen=True)
class FileLine:
    """One file.

    Attributes
    ----------
    number : int
        Its place among all, from 1: names of files can hold the names of people.
    kind, study, recording, view : str
        What it is, and where it belongs; empty where nothing says so.
    used : bool
        Whether an answer stands on it.
    why : str
        Why not, where the kind does not say so already.
    path : Path
        For ``--mapping`` alone.
    """

    number: int
    kind: str
    study: str
    recording: str
    view: str
    used: bool
    why: str
    path: Path = field(repr=False)

    def cells(self) -> dict[str, str]:
        """Return the line by the columns of `files.csv`."""
        used = "yes" if self.used else "no"
        told = (self.kind, self.study, self.recording, self.view, used, self.why)
        return dict(zip(COLUMNS, (str(self.number), *told), strict=True))


def account(
    cohort: Cohort, refused: Mapping[str, Exclusion], views: Mapping[str, str] | None = None
) -> tuple[FileLine, ...]:
    """Say of every file of a cohort what became of it.

    Parameters
    ----------
    cohort : Cohort
        With the files that `load` has `seen`.
    refused : mapping of str to Exclusion
        By recording, why no answer stands on it.
    views : mapping of str to str, optional
        By recording, what it shows.
    """
    known = views or {}
    lines = []
    for number, one in enumerate(cohort.seen, start=1):
        refusal = refused.get(one.recording_id, Exclusion())
        why = one.why or refusal.text
        used = bool(one.recording_id) and not why
        coloured = bool(one.recording_id) and refusal.reason == ExclusionReason.COLOUR_DOPPLER
        kind = _COLOURED if coloured else one.kind
        view = known.get(one.recording_id, "")
        lines.append(
            FileLine(number, kind, one.study_id, one.recording_id, view, used, why, one.path)
        )
    return tuple(lines)


def summed(lines: Sequence[FileLine], recording: str, *, used_is: str = "used") -> str:
    """Return all files in one sentence; empty where each is a study of its own that is used.

    `recording` is what the plugin calls one (`PluginInfo.recording`), `used_is` the word for its
    use, where files are only read.

    Examples
    --------
    >>> loop = FileLine(1, "2D loop", "1", "1-1", "", True, "", Path("a"))
    >>> still = FileLine(2, "still", "", "", "", False, "", Path("b"))
    >>> summed([loop, still, still, loop], "loop")
    '4 files: 2 loops used in 1 study, 2 stills.'
    """
    used = [one for one in lines if one.used]
    studies = {one.study for one in used}
    if len(used) == len(lines) == len(studies):
        return ""
    said = (
        [f"{several(len(used), recording)} {used_is} in {_studies(len(studies))}"] if used else []
    )
    kinds = Counter((one.kind, _is_unused_loop(one)) for one in lines if not one.used)
    said += [
        _counted(n, kind, used_is if unused_loop else "")
        for (kind, unused_loop), n in sorted(kinds.items(), key=_in_order)
    ]
    return f"{several(len(lines), 'file')}: {', '.join(said)}."


def write_files(path: Path, lines: Iterable[FileLine]) -> None:
    """Write one line a file, as CSV; no name of a file is in it."""
    write_cells(path, (one.cells() for one in lines))


def write_cells(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write lines that are cells already; columns beside those of each file stand behind them."""
    lines = list(rows)
    more = [name for name in (lines[0] if lines else ()) if name not in COLUMNS]
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.DictWriter(file, texts((*COLUMNS, *more)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(named_texts, lines))


def _in_order(counted: tuple[tuple[str, bool], int]) -> tuple[bool, int, str]:
    """What somebody may have to look at comes first; the rest by number."""
    (kind, unused_loop), n = counted
    return not (unused_loop or kind == "damaged"), -n, kind.lower()


def _is_unused_loop(line: FileLine) -> bool:
    """Whether a recording could not be used for another reason than its kind."""
    return bool(line.recording) and line.kind != _COLOURED


def _counted(n: int, kind: str, not_used: str) -> str:
    """Return a number of files of a kind; `not_used` is what recordings of it should have been."""
    words = f"{n} {_SEVERAL.get(kind, kind) if n > 1 else kind}"
    return f"{words} not {not_used}" if not_used else words


def _studies(n: int) -> str:
    return "1 study" if n == 1 else f"{n} studies"
