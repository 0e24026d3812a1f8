"""The flow of patients as a reader is shown it: stations, what left between, who was tested."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup, escape

from cardio_core.io.run_artifact import FlowEntry, ProtocolFlowEntry, RunArtifact, StationEntry
from cardio_stats.errors import DataError
from cardio_stats.words import count, counted

KINDS = {
    "no_recording": "No recording named",
    "left_out": "Left out by design",
    "unreadable": "Could not be used",
    "in_training": "Had been in training",
    "without_outcome": "Outcome not known",
}
"""Why something left, in words; the words of the next station are `AFTER`."""

AFTER = {
    "no_recording": "With a recording",
    "left_out": "Chosen",
    "unreadable": "Usable",
    "in_training": "New to the run",
    "without_outcome": "With known outcome",
}


_SETTING = re.compile(r" \([a-z_]+(?:\.[a-z_]+)+(?:=[^)]*)?\)")


@dataclass(frozen=True)
class Box:
    """One box of the diagram: a heading, and lines below it; `aside` leaves the main way."""

    heading: str
    lines: tuple[str, ...]
    aside: bool = False


@dataclass(frozen=True)
class Flow:
    """The diagram from top to bottom, and what a reader should know of it in sentences."""

    boxes: tuple[Box, ...]
    notes: tuple[str, ...] = ()


def flow(files: RunArtifact) -> Flow | None:
    """Return the diagram of a run, None of one that was made before the flow was counted.

    Every station is the one before less what left between them, in patients and in recordings; the
    last is held against what the run itself counted as used.
    """
    entries = files.manifest.flow
    stations = list(entries.stations)
    if not stations:
        return None
    first, *left, used = stations
    boxes = [Box(_found(entries), (_sizes(first), *_without(first)))]
    n_patients, n_recordings = first.patients, first.recordings
    for kind in dict.fromkeys(item.kind or "" for item in left):
        own = [item for item in left if item.kind == kind]
        n_patients -= sum(item.patients for item in own)
        n_recordings -= sum(item.recordings for item in own)
        boxes.append(Box(KINDS[kind], tuple(map(_why, own)), aside=True))
        boxes.append(Box(AFTER[kind], (_both(n_patients, n_recordings),)))
    if (n_patients, n_recordings) != (used.patients, used.recordings):
        raise DataError.unusable(
            "manifest.json",
            "a flow whose stations add up to what was used",
            "others",
            "put back a whole copy of the run, or make it again",
        )
    boxes += _branch(entries)
    samples = entries.samples
    if samples and samples != n_recordings:
        copies = entries.copies
        more = (f"and {count(copies)} altered copies, for training only",) if copies else ()
        boxes.append(Box("Samples made of them", (counted(samples, "sample"), *more)))
    boxes += [_protocol(name, protocol) for name, protocol in entries.protocols.items()]
    return Flow(tuple(boxes), _notes(entries))


def _found(entry: FlowEntry) -> str:
    return "Found in the cohort table" if entry.from_table else "Found"


def _sizes(station: StationEntry) -> str:
    return _both(station.patients, station.recordings)


def _both(patients: int, recordings: int) -> str:
    return f"{counted(patients, 'patient')}, {counted(recordings, 'recording')}"


def _without(station: StationEntry) -> Sequence[str]:
    rows = station.entries - station.recordings
    return (f"{counted(rows, 'row')} without a recording",) if rows else ()


def _why(station: StationEntry) -> str:
    """Say how many left and why; a patient stays where another of his recordings does."""
    rows = station.entries - station.recordings
    what = counted(rows, "row") if rows else counted(station.recordings, "recording")
    who = f"{counted(station.patients, 'patient')}, {what}"
    return who if station.kind == "without_outcome" else f"{who}: {reason_of(station)}"


def reason_of(station: StationEntry) -> str:
    """Return why something left, without the name of the setting that said so.

    Examples
    --------
    >>> why = "baseline LVESV below 20 mL (load.min_lvesv_ml)"
    >>> reason_of(StationEntry(reason=why, entries=1, recordings=1, patients=1))
    'baseline LVESV below 20 mL'
    """
    return _SETTING.sub("", station.reason)


def _branch(entry: FlowEntry) -> list[Box]:
    aside = entry.unlabelled
    if aside is None or not aside.train or not aside.patients:
        return []
    who = _both(aside.patients, aside.recordings)
    return [
        Box("Training without outcome", (f"{who} of those without outcome; never tested",), True)
    ]


def _protocol(name: str, entry: ProtocolFlowEntry) -> Box:
    patients = entry.patients
    recordings = entry.recordings
    lines = [_both(patients.tested, recordings.tested)]
    if patients.trained_only:
        lines.append(f"{counted(patients.trained_only, 'patient')} trained on only")
    if patients.neither:
        lines.append(f"{counted(patients.neither, 'patient')} on neither side")
    return Box(f"Tested, {name} protocol", tuple(lines))


def _notes(entry: FlowEntry) -> tuple[str, ...]:
    identical, linked = entry.identical, entry.linked
    notes = []
    if linked:
        notes.append(f"Patients are persons: {counted(linked, 'further id')} of theirs are linked.")
    if identical:
        are = "recording is a file that" if identical == 1 else "recordings are files that"
        notes.append(f"{identical} {are} another recording of the same person is, too.")
    return tuple(notes)


# The flow diagram as inline SVG: text stays text, lines take the colour of the page.

WIDTH = 400
MAIN, ASIDE = (1, 180), (210, 189)
"""Left edge and width of the boxes on the main way and beside it, in units of the drawing."""

LINE, PADDING, GAP = 16, 8, 14
CHARACTER = 6.0
"""Of 12 units of type, the mean of common fonts: what is wrapped by it fits its box."""


def draw(flow: Flow) -> Markup:
    """Return the diagram. At 360 pixels its type is eleven pixels high, and grows with the page."""
    parts: list[str] = []
    way: list[tuple[float, float]] = []
    y = 1.0
    for box in flow.boxes:
        left, width = ASIDE if box.aside else MAIN
        lines = _lines(box, width)
        height = 2 * PADDING + LINE * len(lines) - 4
        parts.append(_rectangle(left, y, width, height, box.aside))
        parts += [_text(left + PADDING, y + PADDING + 9 + LINE * n, text, bold)
                  for n, (text, bold) in enumerate(lines)]  # fmt: skip
        if box.aside:
            middle = y + height / 2
            parts.append(_line(MAIN[0] + MAIN[1] / 2, middle, ASIDE[0], middle))
        else:
            way.append((y, y + height))
        y += height + GAP
    centre = MAIN[0] + MAIN[1] / 2
    parts += [_line(centre, end, centre, start) for (_, end), (start, _) in pairwise(way)]
    total = y - GAP + 1
    return Markup(  # noqa: S704 - every text in it is escaped below
        f'<svg class="flow" role="group" aria-label="Flow of patients and recordings" '
        f'viewBox="0 0 {WIDTH} {total:g}" width="100%" style="max-width:36rem" '
        f'font-size="12" fill="none" stroke="currentColor">{"".join(parts)}</svg>'
    )


def _lines(box: Box, width: float) -> list[tuple[str, bool]]:
    """Return the lines that fit the width, each with whether it is bold."""
    n = int((width - 2 * PADDING) / CHARACTER)
    found = [(text, True) for text in wrap(box.heading, n)]
    return found + [(text, False) for line in box.lines for text in wrap(line, n)]


def _rectangle(left: float, top: float, width: float, height: float, aside: bool) -> str:
    dashed = ' stroke-dasharray="4 3"' if aside else ""
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4"{dashed}/>'


def _text(left: float, base: float, text: str, bold: bool) -> str:
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{left:g}" y="{base:g}"'
    return f'<text {place} fill="currentColor" stroke="none"{weight}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'
