"""The tables of results: honest beside paper, comparisons, subgroups, and fold by fold."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cardio_core.io.run_artifact import MetricRow
from cardio_core.report.terms import Names, capital
from cardio_stats.words import COUNTS, DASH, PROTOCOLS, count, counted, level_words, number, p_text

Row = MetricRow


@dataclass
class Footnotes:
    """Methods below a table, each lettered once."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> str:
        """Return the letter of a footnote, a new one where it is new."""
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return letter(self.texts.index(text))

    def items(self) -> list[tuple[str, str]]:
        """Return (letter, text) in order."""
        return [(letter(position), text) for position, text in enumerate(self.texts)]


def letter(position: int) -> str:
    """Return a, b, ..., z, aa, ab, ...

    Examples
    --------
    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    before, here = divmod(position, 26)
    return (letter(before - 1) if before else "") + chr(ord("a") + here)


@dataclass(frozen=True)
class Cell:
    """One estimate as it is printed; `p_adjusted` is empty where p was not adjusted."""

    value: str
    interval: str
    n: str
    patients: str
    p: str
    mark: str
    raw: float
    p_adjusted: str = ""

    @property
    def shown(self) -> str:
        """The value with its interval."""
        return f"{self.value} ({self.interval})" if self.interval else self.value

    @property
    def size(self) -> str:
        """What n counts, and the patients behind it."""
        return f"{self.n}, {self.patients} patients" if self.patients else self.n


@dataclass(frozen=True)
class Line:
    """One metric with its cell in each protocol (None where it was not computed)."""

    group: str
    group_size: int
    metric: str
    cells: tuple[Cell | None, ...]
    difference: str


@dataclass(frozen=True)
class Block:
    """The lines of one model."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class SideBySide:
    """A table with the protocols side by side.

    `sizes` says the n of a protocol whose rows all share it; the others have a column of their own.
    """

    title: str
    protocols: tuple[str, ...]
    level: str
    blocks: tuple[Block, ...]
    footnotes: list[tuple[str, str]]
    sizes: Mapping[str, str] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """The sizes that hold in every row."""
        alike = set(self.sizes.values())
        if len(alike) == 1 and len(self.sizes) == len(self.protocols):
            return f"n: {alike.pop()}"
        texts = [f"{name or 'all'}: {size}" for name, size in self.sizes.items()]
        return f"n, {'; '.join(texts)}" if texts else ""

    @property
    def grouped(self) -> bool:
        """Whether any line is of one class or subgroup."""
        return any(line.group for block in self.blocks for line in block.lines)


@dataclass(frozen=True)
class Folds:
    """Every metric of one protocol and target, a column a fold; of many folds their summary."""

    title: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Comparison:
    """One model against another; `leads` where the primary model is one of them."""

    leads: bool
    protocol: str
    first: str
    second: str
    metric: str
    cell: Cell


def protocols_of(ran: Iterable[str]) -> tuple[str, ...]:
    """Return protocols, each once and honest first."""
    found = list(dict.fromkeys(ran))
    known = [name for name in PROTOCOLS if name in found]
    return (*known, *(name for name in found if name not in PROTOCOLS))


def main_tables(rows: Sequence[Row], names: Names) -> list[SideBySide]:
    """Return one table a target: pooled rows without a comparison or a subgroup."""
    chosen = [r for r in rows if r.pooled and not r.versus and not r.subgroup]
    return _by_target(chosen, names, lambda row: row.class_name)


def subgroup_tables(rows: Sequence[Row], names: Names) -> list[SideBySide]:
    """Return one table a target: pooled rows of subgroups."""
    chosen = [r for r in rows if r.pooled and r.subgroup and not r.versus]
    return _by_target(chosen, names, _subgroup)


def _subgroup(row: Row) -> str:
    return ", ".join(filter(None, (row.subgroup, row.class_name)))


def _by_target(rows: Sequence[Row], names: Names, group: Any) -> list[SideBySide]:
    by_target: dict[str, list[Row]] = {}
    for row in rows:
        by_target.setdefault(row.target, []).append(row)
    return [_side_by_side(target, own, names, group) for target, own in by_target.items()]


def _side_by_side(target: str, rows: Sequence[Row], names: Names, group: Any) -> SideBySide:
    protocols = protocols_of(row.protocol for row in rows)
    levels = {row.level for row in rows if row.level is not None}
    level = next(iter(levels)) if len(levels) == 1 else None
    notes = Footnotes()
    models = list(dict.fromkeys(row.model for row in rows))
    blocks = tuple(
        Block(
            names.model(model) if model else "All",
            _lines([r for r in rows if r.model == model], protocols, notes,
                   group, level, names),
        )
        for model in models
    )  # fmt: skip
    words = f"{level_words(level)} CI" if level else "CI"
    title = names.heading(target) if target else ""
    return SideBySide(title, protocols, words, blocks, notes.items(), _sizes(protocols, blocks))


def _sizes(protocols: Sequence[str], blocks: Sequence[Block]) -> dict[str, str]:
    """Return the n of each protocol whose cells all share it."""
    found = {}
    for position, protocol in enumerate(protocols):
        cells = [line.cells[position] for block in blocks for line in block.lines]
        sizes = {item.size for item in cells if item is not None}
        if len(sizes) == 1:
            found[protocol] = sizes.pop()
    return found


def _lines(
    rows: Sequence[Row],
    protocols: Sequence[str],
    notes: Footnotes,
    group: Any,
    level: float | None,
    names: Names,
) -> tuple[Line, ...]:
    # Rows of all classes together come first, then the classes in their own order.
    groups = sorted(dict.fromkeys(group(row) for row in rows), key=bool)
    lines: list[Line] = []
    for name in groups:
        found = _by_metric([row for row in rows if group(row) == name])
        for position, (key, by_protocol) in enumerate(found.items()):
            metric, repeat, _ = key
            cells = tuple(
                cell(by_protocol[protocol], notes, level) if protocol in by_protocol else None
                for protocol in protocols
            )
            words = names.heading(metric) + (f", repeat {repeat}" if repeat is not None else "")
            size = len(found) if position == 0 else 0
            lines.append(
                Line(names.text(name), size, words, cells, _difference(metric, protocols, cells))
            )
    return tuple(lines)


def _by_metric(rows: Iterable[Row]) -> dict[tuple[str, Any, int], dict[str, Row]]:
    """Return the rows of each metric by protocol; one that stands twice gets a line of its own."""
    found: dict[tuple[str, Any, int], dict[str, Row]] = {}
    for row in rows:
        occurrence, protocol = 0, row.protocol
        while protocol in found.setdefault(
            (bare_name(row.name, row.class_name), row.repeat, occurrence), {}
        ):
            occurrence += 1
        found[bare_name(row.name, row.class_name), row.repeat, occurrence][protocol] = row
    return found


def bare_name(name: str, class_name: str | None) -> str:
    """Return the name of a metric without the class that it may end in."""
    return name.removesuffix(f"_{class_name}") if class_name else name


def cell(row: Row, notes: Footnotes, level: float | None = None) -> Cell:
    """Return an estimate as it is printed; its method becomes a footnote.

    `level` is the coverage that the table's head already states.
    """
    value, low, high = row.value, row.low, row.high
    interval = "" if low is None or high is None else f"{number(low)} to {number(high)}"
    is_count = bare_name(row.name, row.class_name) in COUNTS
    adjusted = row.extra.get("p_adjusted")
    return Cell(
        count(round(value)) if is_count else number(value),
        interval,
        _n(row),
        _patients(row),
        p_text(row.p_value),
        notes.mark(method_words(row, level)),
        value,
        "" if adjusted is None else p_text(adjusted),
    )


def n_words(row: Row) -> str:
    """Return n with its unit and the patients behind it."""
    patients = _patients(row)
    return _n(row) + (f" of {counted(row.n_patients or 0, 'patient')}" if patients else "")


def _n(row: Row) -> str:
    return counted(int(row.n or 0), str(row.unit or "row"))


def _patients(row: Row) -> str:
    """Return the number of patients where n counts something else."""
    if row.n_patients is None or row.unit == "patient":
        return ""
    return count(int(row.n_patients))


def method_words(row: Row, level: float | None = None) -> str:
    """Return how an estimate was made: method, threshold, level if another, seed, caveats."""
    parts = [row.method] if row.method else []
    source = row.threshold_source
    if source and source != "none" and bare_name(row.name, row.class_name) not in COUNTS:
        parts.append(f"threshold: {source}")
    if row.level is not None and row.level != level:
        parts.append(f"{level_words(row.level)} interval")
    if row.seed is not None:
        parts.append(f"seed {row.seed}")
    if row.n_dropped:
        parts.append(f"{count(int(row.n_dropped))} left out because a value was missing")
    if row.note:
        parts.append(row.note)
    return "; ".join(parts)


def _difference(metric: str, protocols: Sequence[str], cells: Sequence[Cell | None]) -> str:
    found = dict(zip(protocols, cells, strict=True))
    honest, paper = found.get("honest"), found.get("paper")
    if metric in COUNTS or honest is None or paper is None:
        return ""
    return number(paper.raw - honest.raw, signed=True)


def comparisons(
    rows: Sequence[Row], names: Names, leading: str | None = None
) -> tuple[list[Comparison], list[tuple[str, str]]]:
    """Return the comparisons of models (rows with `versus`, pooled) and their footnotes.

    `leading` is the primary model; without one every comparison leads.
    """
    notes = Footnotes()
    chosen = [row for row in rows if row.versus and row.pooled]
    order = protocols_of(row.protocol for row in chosen)
    ordered = sorted(chosen, key=lambda row: order.index(row.protocol))
    found = []
    for row in ordered:
        first, second = row.model, row.versus
        where = [*filter(None, (row.target, row.class_name, row.subgroup))]
        words = ", ".join(
            [names.heading(bare_name(row.name, row.class_name)), *map(names.text, where)]
        )
        made = cell(row, notes)
        found.append(
            Comparison(
                leading in (None, first, second),
                row.protocol,
                names.model(first),
                names.model(second),
                words,
                made,
            )
        )
    return found, notes.items()


MAX_FOLDS = 10
"""Folds that have a column of their own."""


def fold_tables(rows: Sequence[Row], names: Names) -> list[Folds]:
    """Return one table a protocol and target with a column a fold, their mean and their SD.

    Of more than `MAX_FOLDS` folds the table has the mean, the SD, the lowest and the highest.
    """
    inside: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not row.pooled:
            key = row.protocol, row.target
            inside.setdefault(key, []).append(row)
    return [
        _folds(protocol, names.heading(target) if target else "", here, names)
        for (protocol, target), here in inside.items()
    ]


def _folds(protocol: str, target: str, rows: Sequence[Row], names: Names) -> Folds:
    folds = list(dict.fromkeys(str(row.fold) for row in rows))
    by_place: dict[tuple[str, ...], dict[str, float]] = {}
    for row in rows:
        by_place.setdefault(_place(row, names), {})[str(row.fold)] = row.value
    grouped = any(place[1] for place in by_place)
    single = len(folds) <= MAX_FOLDS
    lines = []
    for place, of_fold in by_place.items():
        values = list(of_fold.values())
        spread = number(statistics.stdev(values)) if len(values) > 1 else DASH
        each = [number(of_fold.get(fold)) for fold in folds]
        ends = [number(min(values)), number(max(values))]
        shown = [*(each if single else []), number(statistics.fmean(values)), spread]
        lines.append((*(part for i, part in enumerate(place) if grouped or i != 1), *shown,
                      *([] if single else ends)))  # fmt: skip
    own = [capital(names.fold(fold)) for fold in folds] if single else []
    ends_head = [] if single else ["Lowest", "Highest"]
    head = ("Model", *(["Class"] if grouped else []), "Metric", *own, "Mean", "SD", *ends_head)
    title = ", ".join(filter(None, (protocol, target)))
    if not single:
        title += f" ({len(folds)} folds)"
    return Folds(title, head, tuple(lines))


def _place(row: Row, names: Names) -> tuple[str, str, str]:
    versus = f" − {names.model(row.versus)}" if row.versus else ""
    group = ", ".join(filter(None, (row.class_name, row.subgroup)))
    model = names.model(row.model) if row.model else "All"
    return model + versus, names.text(group), names.heading(bare_name(row.name, row.class_name))
