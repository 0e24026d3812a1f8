"""`cardio reproduce`: a finished run, made again from its recordings on, and compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core import runs
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

Values = Mapping[tuple[str, ...], float | str | None]
"""By place: its words, and what else tells it apart."""


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
    others : list of dict
        The first thousand that differ: where, in the words of the file, then and now; None where
        a number is missing.
    """

    file: str
    n: int = 0
    equal: int = 0
    within: int = 0
    differ: int = 0
    largest: float = 0.0
    others: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, file: str, before: Values, after: Values) -> Counts:
        """Compare values place by place."""
        counts = cls(file)
        for place in dict.fromkeys([*before, *after]):
            then, now = before.get(place), after.get(place)
            if then is None and now is None:
                continue
            counts.n += 1
            apart = 0.0 if then == now else math.inf
            if apart and isinstance(then, float) and isinstance(now, float):
                apart = abs(then - now) / max(1.0, abs(then), abs(now))
                apart = apart if math.isfinite(apart) else math.inf
                counts.largest = max(counts.largest, apart if apart < math.inf else 0.0)
            counts.equal += apart == 0
            counts.within += 0 < apart <= TOLERANCE
            counts.differ += apart > TOLERANCE
            if apart > TOLERANCE and len(counts.others) < _LISTED:
                counts.others.append({"where": place[0], "then": then, "now": now})
        return counts


def compare_numbers(then: Path, now: Path) -> list[Counts]:
    """Compare metrics.json and predictions.csv of two runs, whatever the order of rows.

    Parameters
    ----------
    then, now : Path
        Run directories.

    Returns
    -------
    list of Counts
        One a file.
    """
    return [
        Counts.of("metrics.json", _metrics(then), _metrics(now)),
        Counts.of("predictions.csv", _predictions(then), _predictions(now)),
    ]


def _metrics(run: Path) -> Values:
    """Return the numbers of estimates by their place in words."""
    found: dict[str, dict[str, Any]] = {}
    for row in runs.Run(run).artifact.metrics:
        words = [str(part) for key in _PLACE if (part := getattr(row, key)) not in (None, "")]
        place, again = " ".join(words), 2
        while place in found:
            place, again = f"{' '.join(words)} ({again})", again + 1
        found[place] = {name: getattr(row, name) for name in _ESTIMATES} | row.extra
    return {
        (place if name == "value" else f"{place}, {name}",): _plain(value)
        for place, numbers in found.items()
        for name, value in numbers.items()
    }


def _predictions(run: Path) -> Values:
    table = runs.Run(run).predictions
    table = table.reindex(columns=[*_UNITS, *_PREDICTED]).astype({"repeat": str})
    units = table[list(_UNITS)].fillna("").astype(str)
    again = units.groupby(list(_UNITS)).cumcount().astype(str)
    where = units["protocol"]
    for name in ("target", "model", "event", "sample_id"):
        where = where + " " + units[name]
    found: dict[tuple[str, ...], float | str | None] = {}
    for name in _PREDICTED:
        words = where if name == "score" else where + f", {name}"
        places = zip(words, *(units[key] for key in _UNITS), again, strict=True)
        found |= dict(zip(places, map(_plain, table[name]), strict=True))
    return found


def _plain(value: Any) -> float | str | None:
    """Return a number, also one that is written as text, a text, or None where it is missing."""
    if pd.isna(value):
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    return str(value) if math.isnan(number) else number


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
            yield f"  {other['where']}: {_text(other['then'])}, {_text(other['now'])}"
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


def _text(value: Any) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else f"{value:.10g}"


JSON, TEXT = "reproduce.json", "reproduce.txt"


def foretold(repetition: runs.Repetition) -> list[str]:
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
    before, after = (runs.finished(folder, runs.RunKind.RUN) for folder in (run, again))
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
        "numbers": [vars(counts) for counts in numbers],
        "differs_from_then": [
            vars(difference) for difference in runs.differences_between(run, again)
        ],
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
