"""The main figures of a run, drawn from its own metrics: all models under both protocols."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from cardio_core.io.run_artifact import CaseRecord, RunArtifact, RunKind, RunManifest
from cardio_core.report.results import Row, bare_name, n_words, protocols_of
from cardio_core.report.svg import inline_svg, title_and_description
from cardio_core.report.tables import title_of
from cardio_core.report.terms import Names, capital, spelled
from cardio_core.report.text.ranking import LEADING, compared_word
from cardio_stats.errors import DataError
from cardio_stats.figures import (
    Draw,
    ForestLine,
    ForestModel,
    described,
    estimate_forest,
    model_forest,
    svg_text,
)
from cardio_stats.figures.forests import GROUP_WORDS, OF_JUDGED
from cardio_stats.files import SafeName, file_in, write_text
from cardio_stats.words import PROTOCOLS, level_words, metric_words, number, title_words

BY_CLASS = ("sensitivity", "ppv")
IN_UNITS = frozenset({"mae", "mae_constant"})
"""Metrics that are in the unit of what is predicted."""

MAX_MODELS = 3

FOREST, NARROW = "forest", "narrow"
"""First word of the main figure's file, ``forest-TARGET.svg``, and the last of its other form."""


@dataclass(frozen=True)
class Overview:
    """One figure of all models; `narrow` is the same for a screen of 390 pixels."""

    name: str
    title: str
    draw: Draw
    narrow: Draw | None = None

    @property
    def file(self) -> SafeName:
        """Name of its file in ``figures``."""
        return SafeName(self.name, ".svg")


def overview(rows: Sequence[Row], manifest: RunManifest) -> list[Overview]:
    """Return the forest plots that the metrics allow.

    The primary model of the manifest comes first, its baselines last; files of older runs name
    neither, and then all are models.
    """
    titles = manifest.model_titles
    retained = [row for row in rows if row.pooled and not row.versus]
    retained = [row for row in retained if not row.subgroup]
    order = protocols_of(row.protocol for row in retained)
    retained.sort(key=lambda row: order.index(row.protocol))
    found: list[Overview] = []
    # What is of patients and of no target, applicability say, is no target of its own.
    targets = list(dict.fromkeys(row.target for row in retained if row.target)) or [""]
    for target in targets:
        own = [row for row in retained if row.target == target]
        known = manifest.words.get(target) or spelled(target)
        of = f", {known}" if target and len(targets) > 1 else ""
        name = "-".join(filter(None, (FOREST, target)))
        found += [*_models(own, manifest, name, of), *_classes(own, titles, name, of)]
    return found


def _models(rows: Sequence[Row], manifest: RunManifest, name: str, of: str) -> Iterator[Overview]:
    overall = [row for row in rows if not row.class_name]
    metric = next((n for n in LEADING if any(r.name == n for r in overall)), None)
    shown = [row for row in overall if row.name == metric]
    own: dict[str, list[Row]] = {}
    for row in shown:
        own.setdefault(row.model, []).append(row)
    if metric is None:
        return
    judged = manifest.kind is RunKind.JUDGED
    titles = manifest.model_titles
    primary, baselines = manifest.primary, manifest.baselines
    models = [
        ForestModel(
            titles.get(model) or title_words(model),
            {
                row.protocol: (
                    row.value, row.low, row.high
                )
                for row in of_model
            },
            "primary" if model == primary else "baseline" if model in baselines else "model",
        )
        for model, of_model in own.items()
    ]  # fmt: skip
    units = {target.name: target.unit for target in manifest.targets}
    unit = units.get(str(shown[0].target))
    words = metric_words(metric) + (f" ({unit})" if unit and metric in IN_UNITS else "")
    reference, reference_words = _reference(metric, overall)
    values = [
        part for item in models for value in item.values.values() for part in value
        if part is not None
    ]  # fmt: skip
    about: dict[str, Any] = {
        "metric": words,
        "n_words": _tested(shown),
        "level": level_words(next((row.level for row in shown if row.level), None)),
        "limits": _limits(values, metric),
        "reference": reference,
        "reference_words": reference_words,
        "heads": OF_JUDGED if judged else GROUP_WORDS,
    }
    every = compared_word(manifest)
    where = (
        "in the new patients and in the run's own folds"
        if manifest.kind is RunKind.EXTERNAL
        else "under both protocols"
    )
    title = f"{metric_words(metric)} of every {every}{of}"
    caption = (
        f"Every model, with its interval, {where}. Overlapping intervals do not "
        "rule out a difference: see the paired comparisons."
        if any(len(item.values) > 1 for item in models)
        else f"Every {every} with its interval. Overlapping intervals do not rule out a "
        "difference: see the paired comparisons."
        if len(models) > 1
        else "With its interval."
    )
    yield Overview(
        name,
        title,
        described(model_forest(models, **about), title, caption),
        described(model_forest(models, **about, narrow=True), title, caption),
    )


def _reference(metric: str, rows: Sequence[Row]) -> tuple[float | None, str]:
    """Return what a model has to be better than, and its words."""
    if metric in ("auc", "auc_at", "c_index"):
        return 0.5, "chance"
    if metric == "r2":
        return 0.0, "always the mean"
    constant = [row.value for row in rows if row.name == f"{metric}_constant"]
    return (constant[0] if constant else None), "always the median"


def _tested(rows: Sequence[Row]) -> str:
    """Return how many were tested, once; a range where models differ."""
    texts = list(dict.fromkeys(n_words(row) for row in rows))
    if len(texts) == 1:
        return f"n: {texts[0]}"
    least, most = (pick(rows, key=lambda row: int(row.n or 0)) for pick in (min, max))
    return f"n: {least.n or 0} to {n_words(most)}"


def _classes(
    rows: Sequence[Row], titles: Mapping[str, str], name: str, of: str
) -> Iterator[Overview]:
    by_class = [row for row in rows if row.class_name]
    for model in list(dict.fromkeys(row.model for row in by_class))[:MAX_MODELS]:
        lines = [
            line
            for metric in BY_CLASS
            for line in _by_class([row for row in by_class if row.model == model], metric)
        ]
        if lines:
            title = f"Each class{of}: {titles.get(str(model), model)}"
            caption = (
                "Sensitivity: of those that are of the class, how many were called so. Positive "
                "predictivity: of those that were called so, how many are."
            )
            draw = estimate_forest(lines, x="share", heads=("", "95 % CI", ""))
            yield Overview(f"{name}-classes-{model}", title, described(draw, title, caption))


def _by_class(rows: Sequence[Row], metric: str) -> list[ForestLine]:
    found = [row for row in rows if bare_name(row.name, row.class_name) == metric]
    several = len({row.protocol for row in found}) > 1
    lines = [ForestLine(metric_words(metric))] if found else []
    for row in found:
        label = f"{row.class_name}, {row.protocol}" if several else row.class_name
        limits = "" if row.low is None else f" ({number(row.low)} to {number(row.high)})"
        text = f"{number(row.value)}{limits}"
        lines.append(ForestLine(label, row.value, row.low, row.high, text, indented=True))
    return lines


def _limits(values: Sequence[float], metric: str) -> tuple[float, float] | None:
    if metric in ("r2",) or not values or min(values) < 0 or max(values) > 1:
        return None
    return (0.0, 1.0)


# The videos of explained cases: in the page itself where they are small.

LARGEST_BYTES = 300_000
"""Larger videos stay in their files: a page of two dozen must still open."""

_EBML = bytes.fromhex("1a45dfa3")


@dataclass(frozen=True)
class Video:
    """One video of a page; `source` is empty where `problem` says why."""

    title: str
    file: str
    source: str
    problem: str = ""


def video_in(run: Path, path: Path, title: str) -> Video:
    """Return a run's video as a page holds it.

    Nothing outside the run is read; the file must be WebM, `title` is what a screen reader says.
    The result has a ``data:`` address, so that the page needs no other file.
    """
    if not path.resolve().is_relative_to(run.resolve()):
        return Video(title, path.name, "", "the video lies outside the run")
    name = path.relative_to(run).as_posix()
    try:
        n_bytes = path.stat().st_size
        if n_bytes > LARGEST_BYTES:
            return Video(title, name, "", f"{n_bytes / 1000:.0f} kB, not put into this page")
        content = path.read_bytes()
    except OSError:
        return Video(title, name, "", "the file cannot be read")
    if not content.startswith(_EBML):
        return Video(title, name, "", "no WebM file")
    return Video(title, name, "data:video/webm;base64," + base64.b64encode(content).decode("ascii"))


# The figures and the explained cases of a run, as parts of its page.

MAX_CASES = 24
"""Explained cases in the page; the others stay in their files."""

LONG_TITLE = 60
"""Titles of cases beyond so many characters are split at their first comma."""

WIDE = 1.9
"""From this ratio of width to height on a figure takes the whole width of the page."""

WHOLE_PT = 440.0
"""An explained case drawn so wide keeps its size: half as wide it could not be read."""

_LABEL = re.compile(r">([^<>]*[A-Za-z0-9]_[A-Za-z0-9][^<>]*)<")
_VIEW = re.compile(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"')


@dataclass(frozen=True)
class Picture:
    """One figure in the page; `svg` is None where `problem` says why.

    `narrow` is the same figure laid out for a screen of 390 pixels, where there is one; `caption`
    says what is shown, as the file itself says it; `name` is what whoever drew it called it.
    """

    title: str
    protocol: str
    file: str
    svg: Markup | None
    problem: str = ""
    narrow: Markup | None = None
    caption: str = ""
    name: str = ""

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width."""
        width, height = self._size
        return width > WIDE * height or self.whole

    @property
    def whole(self) -> bool:
        """Whether it is a page, which keeps the size in which it was drawn."""
        width, height = self._size
        return WHOLE_PT <= width <= WIDE * height

    @property
    def _size(self) -> tuple[float, float]:
        found = _VIEW.search(str(self.svg)[:2000]) if self.svg is not None else None
        return (0.0, 1.0) if found is None else (float(found[1]), float(found[2]))


@dataclass(frozen=True)
class CaseView:
    """One explained prediction; `head` and `said` are what stands below its picture."""

    title: str
    head: str
    sample_id: str
    details: str
    text: str
    scores: tuple[tuple[str, str], ...]
    picture: Picture | None
    video: Video | None = None


def overview_pictures(files: RunArtifact, *, write: bool = False) -> list[Picture]:
    """Return the forest plots that are drawn from metrics.json itself.

    With `write` they are also written beside the figures of the run, under names that stay the
    same.
    """
    found = []
    for n, item in enumerate(overview(files.metrics, files.manifest)):
        text = svg_text(item.draw)
        narrow = None if item.narrow is None else svg_text(item.narrow)
        if write:
            write_text(file_in(files.folder, "figures", item.file), text)
            if narrow is not None:
                own = SafeName(f"{item.name}-{NARROW}", ".svg")
                write_text(file_in(files.folder, "figures", own), narrow)
        svg = _flush_left(inline_svg(text, f"overview{n}-", item.title))
        made = Picture(
            item.title, "", f"figures/{item.file}", svg, caption=title_and_description(text)[1]
        )
        if narrow is not None:
            made = replace(made, narrow=inline_svg(narrow, f"narrow{n}-", f"{item.title}, narrow"))
        found.append(made)
    return found


def figure_groups(
    files: RunArtifact, names: Names, stand_in: bool
) -> list[tuple[str, list[Picture]]]:
    """Return the figures by title, so that honest and paper stand beside each other.

    `stand_in` says whether the cohort stands for a paper's own; otherwise what the paper printed
    is left out.
    """
    groups: dict[str, list[Picture]] = {}
    own = [path for path in files.figures if not path.name.startswith(FOREST)]
    for n, path in enumerate(own):
        entry = files.entry(path)
        if entry.published and not stand_in:
            continue
        title = title_of(entry.name, names)
        picture = _picture(path, files.folder, f"figure{n}-", title, entry.protocol, names)
        groups.setdefault(picture.title, []).append(replace(picture, name=entry.name))
    for pictures in groups.values():
        pictures.sort(key=lambda picture: _rank(picture.protocol))
    return list(groups.items())


def case_views(cases: Sequence[CaseRecord], run: Path, names: Names) -> list[CaseView]:
    """Return explained cases as the page shows them."""
    return [_case(case, run, names) for case in cases]


def _case(case: CaseRecord, run: Path, names: Names) -> CaseView:
    title = capital(names.text(str(case.title or case.sample_id or "Case")))
    protocol = case.protocol
    fold = names.fold(str(case.fold)) if case.fold else ""
    model = names.model(case.model) if case.model else ""
    details = ", ".join(filter(None, (model, protocol, fold)))
    caption = names.text(case.caption)
    picture = None
    if case.figure:
        path = run / case.figure
        prefix = "case-" + re.sub(r"[^A-Za-z0-9-]", "-", path.stem) + "-"
        picture = _picture(path, run, prefix, title, protocol, names)
        caption = caption or picture.caption
    video = video_in(run, run / case.video, title) if case.video else None
    head, _, rest = title.partition(", ") if len(title) > LONG_TITLE else title.partition("; ")
    text = ". ".join(filter(None, (capital(rest), caption.rstrip("."), details)))
    text = f"{text}." if text else ""
    scores = tuple(_scores(case.scores, names))
    sample = case.sample_id
    return CaseView(title, head, sample, details, text, scores, picture, video)


def _scores(scores: Mapping[str, Any], names: Names) -> Iterator[tuple[str, str]]:
    for name, value in scores.items():
        yield names.heading(name), number(float(value)) if value is not None else number(None)


def _picture(
    path: Path, run: Path, prefix: str, title: str, protocol: str, names: Names
) -> Picture:
    """Return one file as a picture; what it says of itself comes before what its name says."""
    if not path.resolve().is_relative_to(run.resolve()):
        return Picture(title, protocol, path.name, None, "the figure lies outside the run")
    name = path.relative_to(run).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
        message, caption = (names.text(part) for part in title_and_description(text))
        svg = _in_words(inline_svg(text, prefix, message or title), names)
    except (OSError, UnicodeDecodeError):
        return Picture(title, protocol, name, None, "the file cannot be read")
    except DataError as error:
        return Picture(title, protocol, name, None, str(error))
    return Picture(capital(message) or title, protocol, name, svg, caption=caption)


def _in_words(svg: Markup, names: Names) -> Markup:
    """Return a drawing whose labels are words, not identifiers of code."""
    text = _LABEL.sub(lambda found: f">{escape(names.text(unescape(found[1])))}<", str(svg))
    return _flush_left(Markup(text))  # noqa: S704 - of a drawing that is safe, escaped again


def _flush_left(svg: Markup) -> Markup:
    """Return a drawing that stays at the left where it is made smaller."""
    return svg.replace(Markup("<svg "), Markup('<svg preserveAspectRatio="xMinYMid meet" '), 1)


def _rank(protocol: str) -> int:
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS)
