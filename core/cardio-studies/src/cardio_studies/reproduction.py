"""`cardio reproduce`: a finished run, made again from its recordings on, and compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.runs import (
    Repetition,
    Run,
    RunKind,
    differences_between,
    finished,
)
from cardio_stats.errors import ConfigError
from cardio_stats.files import write_json, write_text

# What would have to be installed to have what a run was made with.

_COMMIT = 10


def environment_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run was made with, as names with versions.

    Returns
    -------
    dict
        ``python``, ``pip`` (``NAME==VERSION`` of everything that the core and the plugin require)
        and ``ours``: distributions of this project, which no index has, with version and commit.
    """
    then = manifest["stands_on"]
    packages = {**then.get("packages", {}), **then.get("aside", {})}
    ours = [{"name": "cardio-core", **_ours(then["core"], manifest.get("git_commit"))}]
    plugin = then["plugin"]
    ours.append({"name": f"plugin {plugin['name']}", **_ours(plugin, None)})
    return {
        "python": then.get("python"),
        "pip": [
            _pinned(name, packages[name])
            for name in sorted(packages, key=str.lower)
            if not name.startswith("cardio-")
        ],
        "ours": ours,
    }


def to_install(manifest: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the lines that bring back what is here in another version.

    None of our distributions is published: they are named with the commit to check out.

    Examples
    --------
    >>> ground = {"core": {"version": "0.1.0"}, "plugin": {"name": "toy", "version": "0.2.0"}}
    >>> then = {"stands_on": ground | {"packages": {"numpy": "2.4.6"}}}
    >>> to_install(then, ground | {"packages": {"numpy": "2.5.0"}})
    ['pip install "numpy==2.4.6"']
    """
    then = manifest["stands_on"]
    lines = []
    if then.get("python", now.get("python")) != now.get("python"):
        lines.append(f"Python {then['python']}")
    wanted = {**then.get("packages", {}), **then.get("aside", {})}
    here = {**now.get("packages", {}), **now.get("aside", {})}
    other = [n for n in sorted(wanted, key=str.lower) if here.get(n, wanted[n]) != wanted[n]]
    if other:
        lines.append("pip install " + " ".join(f'"{_pinned(n, wanted[n])}"' for n in other))
    for part, title in (("core", "cardio-core"), ("plugin", f"plugin {then['plugin']['name']}")):
        before, after = then[part], now[part]
        keys = [key for key in ("version", "code") if key in before]
        if any(before[key] != after[key] for key in keys):
            commit = before.get("commit") or (manifest.get("git_commit") if part == "core" else "")
            lines.append(_checkout(title, before["version"], commit, after.get("commit")))
    return lines


def _checkout(title: str, version: str, commit: str | None, here: str | None) -> str:
    what = f"{title} {version}"
    if not commit:
        return f"{what}: from its folder or wheel; no commit is known"
    if commit == here:
        return (
            f"{what}: commit {commit[:_COMMIT]} is checked out, so one of the two had changes that "
            "were not committed"
        )
    return f"{what}: git checkout {commit[:_COMMIT]} in its repository, installed from there"


def _ours(about: Mapping[str, Any], commit: str | None) -> dict[str, Any]:
    found = {"version": about["version"], "commit": about.get("commit") or commit}
    return found | ({"code": about["code"]} if "code" in about else {})


def _pinned(name: str, version: str) -> str:
    """Return ``NAME==VERSION``; a build's own mark (``+cpu``) is on no index.

    Examples
    --------
    >>> _pinned("torch", "2.13.0+cpu")
    'torch==2.13.0'
    """
    return f"{name}=={version.partition('+')[0]}"


# The numbers of two runs beside each other: which are equal, within rounding, or differ.

TOLERANCE = 1e-6
"""Of the number, or of 1 where the number is smaller: scores are written with seven digits."""

_ESTIMATES = ("value", "low", "high", "p_value", "n", "n_patients", "n_dropped")
_PLACE = ("protocol", "target", "model", "versus", "name", "class_name", "subgroup", "repeat",
          "fold")  # fmt: skip
_UNITS = ("protocol", "repeat", "model", "target", "event", "level", "patient_id", "study_id",
          "recording_id", "sample_id")  # fmt: skip
_PREDICTED = ("score", "predicted", "y_true", "fold", "time_s")
_LISTED = 1000
_NEITHER = (None, None)


@dataclass(frozen=True)
class Other:
    """One number, or one word, that is not the same.

    Attributes
    ----------
    where : str
        Its place, in the words of the file.
    then, now : float, str or None
        None where it is missing.
    """

    where: str
    then: float | str | None
    now: float | str | None

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return vars(self)


@dataclass
class Counts:
    """How many numbers of a file are equal.

    Attributes
    ----------
    file : str
    n, equal, within, differ : int
        Numbers: all, equal to the last digit, within `TOLERANCE`, and others. What only one of the
        two has differs.
    largest : float
        Of the differences within rounding and beyond, as a share of the number (or of 1).
    others : list of Other
        The first thousand that differ.
    """

    file: str
    n: int = 0
    equal: int = 0
    within: int = 0
    differ: int = 0
    largest: float = 0.0
    others: list[Other] = field(default_factory=list)

    def add(
        self, where: Sequence[str] | pd.Series, then: Sequence[Any], now: Sequence[Any]
    ) -> None:
        """Count numbers, or words, in pairs."""
        for place, first, other in zip(where, then, now, strict=True):
            self.n += 1
            if _same(first, other):
                self.equal += 1
                continue
            apart = _apart(first, other)
            if apart is not None:
                self.largest = max(self.largest, apart)
            if apart is not None and apart <= TOLERANCE:
                self.within += 1
                continue
            self.differ += 1
            if len(self.others) < _LISTED:
                self.others.append(Other(str(place), _plain(first), _plain(other)))

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return vars(self) | {"others": [other_number.to_dict() for other_number in self.others]}


def compare_numbers(then: Path, now: Path) -> list[Counts]:
    """Compare `metrics.json` and `predictions.csv` of two runs, whatever the order of their rows.

    Parameters
    ----------
    then, now : Path
        Run directories.

    Returns
    -------
    list of Counts
        One a file.
    """
    return [_metrics(then, now), _predictions(then, now)]


def _metrics(then: Path, now: Path) -> Counts:
    counts = Counts("metrics.json")
    before, after = (_by_place(Run(run).artifact.metrics) for run in (then, now))
    for place in dict.fromkeys([*before, *after]):
        then_row, other = before.get(place, {}), after.get(place, {})
        names = [
            n
            for n in dict.fromkeys([*then_row, *other])
            if (then_row.get(n), other.get(n)) != _NEITHER
        ]
        where = [f"{place}{'' if name == 'value' else f', {name}'}" for name in names]
        counts.add(where, [then_row.get(n) for n in names], [other.get(n) for n in names])
    return counts


def _by_place(rows: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return the numbers of estimates by their place in words."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        words = [str(part) for key in _PLACE if (part := getattr(row, key)) not in (None, "")]
        place, again = " ".join(words), 2
        while place in found:
            place, again = f"{' '.join(words)} ({again})", again + 1
        found[place] = {name: getattr(row, name) for name in _ESTIMATES} | row.extra
    return found


def _predictions(then: Path, now: Path) -> Counts:
    counts = Counts("predictions.csv")
    before, after = (_read(run) for run in (then, now))
    both = before.merge(
        after, on=[*_UNITS, "again"], how="outer", suffixes=(" then", " now"), sort=False
    )
    if both.empty:
        return counts
    where = both["protocol"]
    for name in ("target", "model", "event", "sample_id"):
        where = where + " " + both[name]
    for name in _PREDICTED:
        first, other = _numbers(both[f"{name} then"]), _numbers(both[f"{name} now"])
        present = [not (_missing(a) and _missing(b)) for a, b in zip(first, other, strict=True)]
        counts.add(
            (where + ("" if name == "score" else f", {name}"))[present],
            [a for a, ask in zip(first, present, strict=True) if ask],
            [b for b, ask in zip(other, present, strict=True) if ask],
        )
    return counts


def _read(run: Path) -> pd.DataFrame:
    table = Run(run).predictions
    table = table.reindex(columns=[*_UNITS, *_PREDICTED]).astype({"repeat": str})
    table[list(_UNITS)] = table[list(_UNITS)].fillna("")
    table["again"] = table.groupby(list(_UNITS)).cumcount()
    return table


def _numbers(column: pd.Series) -> list[Any]:
    values = pd.to_numeric(column, errors="coerce")
    return [
        text if number != number else number for text, number in zip(column, values, strict=True)
    ]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) or (_missing(value) and _missing(other))


def _apart(value: Any, other: Any) -> float | None:
    """Return how far two numbers lie apart, None where that is not known."""
    if isinstance(value, str) or isinstance(other, str) or _missing(value) or _missing(other):
        return None
    apart = abs(float(value) - float(other)) / max(1.0, abs(float(value)), abs(float(other)))
    return apart if np.isfinite(apart) else None


def _plain(value: Any) -> float | str | None:
    if _missing(value):
        return None
    return value if isinstance(value, str) else float(value)


# What became of the numbers of a run that was made again, as a short page of text.

_SHOWN = 20

_VERDICT = {
    "equal": "Every number is equal, to the last digit.",
    "within rounding": "Every number is equal or within rounding.",
    "differs": "Numbers differ.",
}


def text_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the page.

    Parameters
    ----------
    answer : mapping
        As `reproduce.json` holds it.
    """
    yield f"{answer['run']}, made again as {answer['again']}: {_VERDICT[answer['verdict']]}"
    yield ""
    yield f"{'':<18}{'numbers':>9}{'equal':>9}{'within rounding':>17}{'differ':>9}  largest apart"
    for counts in answer["numbers"]:
        largest = f"{counts['largest']:.1e}" if counts["largest"] else "-"
        yield (
            f"{counts['file']:<18}{counts['n']:>9}{counts['equal']:>9}{counts['within']:>17}"
            f"{counts['differ']:>9}  {largest}"
        )
    yield ""
    yield (
        f"Within rounding: apart by at most {answer['tolerance']:.0e} of the number, or of 1 where "
        "the number is smaller."
    )
    yield from _others(answer)
    yield from _why(answer)


def _others(answer: Mapping[str, Any]) -> Iterator[str]:
    for counts in answer["numbers"]:
        if not counts["others"]:
            continue
        yield ""
        yield f"In {counts['file']} (then, now):"
        for other in counts["others"][:_SHOWN]:
            yield f"  {other['where']}: {_said(other['then'])}, {_said(other['now'])}"
        if counts["differ"] > _SHOWN:
            yield f"  and {counts['differ'] - _SHOWN} more; reproduce.json lists up to a thousand"


def _why(answer: Mapping[str, Any]) -> Iterator[str]:
    found = answer["differs_from_then"]
    yield ""
    if not found and answer["verdict"] != "differs":
        yield "Data, settings, code, packages, device and machine are those of then."
        return
    if not found:
        yield (
            "Nothing that a manifest keeps differs: data, settings, code, packages, device and "
            "machine are those of then. The computation itself is not the same twice."
        )
        return
    yield "Differs from then:" if answer["verdict"] == "equal" else "Why, or what else differs:"
    for column in found:
        yield f"  {column['words']}"
    if answer["to_install"]:
        yield "To have what it was made with:"
        yield from (f"  {line}" for line in answer["to_install"])


def _said(value: Any) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else f"{value:.10g}"


JSON, TEXT = "reproduce.json", "reproduce.txt"


def foretold(repetition: Repetition) -> list[str]:
    """Return what differs from then before anything is made, and what would bring it back."""
    found, now = repetition.differences()
    if not found:
        return ["Code, packages, device and machine are those of then."]
    cures = to_install(repetition.manifest, now)
    return [
        *(f"Now differs: {column.words}." for column in found),
        *(f"To have what it was made with: {line}" for line in cures),
    ]


def compared(run: Path, again: Path) -> dict[str, Any]:
    """Compare two finished runs number by number, and write the answer into the second's folder.

    Returns
    -------
    dict
        ``verdict`` (equal, within rounding, differs), ``tolerance``, ``numbers`` (a file each),
        ``differs_from_then`` (what may explain it), ``environment`` (of then).
    """
    before, after = (finished(folder, RunKind.RUN) for folder in (run, again))
    for name in ("plugin", "task"):
        if before[name] != after[name]:
            raise ConfigError(
                f"{again}: is a run of {name} {after[name]}, {run} of {before[name]}; name two "
                "runs of one command"
            )
    numbers = compare_numbers(run, again)
    answer = {
        "run": before["name"],
        "again": after["name"],
        "plugin": before["plugin"],
        "task": before["task"],
        "command": before["command"],
        "finished": [before["finished"], after["finished"]],
        "verdict": _verdict(
            [counts.differ for counts in numbers], [counts.within for counts in numbers]
        ),
        "tolerance": TOLERANCE,
        "numbers": [counts.to_dict() for counts in numbers],
        "differs_from_then": [vars(difference) for difference in differences_between(run, again)],
        "environment": environment_of(before),
        "to_install": to_install(before, after["stands_on"]),
    }
    write_json(again / JSON, answer)
    write_text(again / TEXT, "\n".join(text_lines(answer)) + "\n")
    return answer


def _verdict(differ: list[int], within: list[int]) -> str:
    if any(differ):
        return "differs"
    return "within rounding" if any(within) else "equal"
