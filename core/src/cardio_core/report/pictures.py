"""The figures and the explained cases of a run, as parts of its page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from cardio_core.errors import DataError
from cardio_core.io.run_artifact import CaseRecord, RunArtifact
from cardio_core.report.figures import svg_text
from cardio_core.report.naming import Names
from cardio_core.report.overview import FOREST, overview
from cardio_core.report.spelling import capital
from cardio_core.report.svg.inline_svg import inline_svg, said_by
from cardio_core.report.tables import OF_A_PAPER, title_of
from cardio_core.report.videos import Video, video_in
from cardio_core.report.words import PROTOCOLS, number

MAX_CASES = 24
"""Explained cases in the page; the others stay in their files."""

LONG_TITLE = 60
"""Titles of cases beyond so many characters are split at their first comma."""

WIDE = 1.9
"""From this ratio of width to height on a figure takes the whole width of the page."""

WHOLE_PT = 720.0
"""An explained case that was drawn so wide is a page of its own: smaller it could not be read."""

_LABEL = re.compile(r">([^<>]*[A-Za-z0-9]_[A-Za-z0-9][^<>]*)<")
_VIEW = re.compile(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"')


@dataclass(frozen=True)
class Picture:
    """One figure in the page; `svg` is None where `problem` says why.

    `narrow` is the same figure laid out for a screen of 390 pixels, where there is one; `caption`
    says what is shown, as the file itself says it.
    """

    title: str
    protocol: str
    file: str
    svg: Markup | None
    problem: str = ""
    narrow: Markup | None = None
    caption: str = ""

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width."""
        width, height = self._size
        return width > WIDE * height or self.whole

    @property
    def whole(self) -> bool:
        """Whether it is a page, which needs the whole width at its full height."""
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
    said: str
    scores: tuple[tuple[str, str], ...]
    picture: Picture | None
    video: Video | None = None


def overview_pictures(files: RunArtifact) -> list[Picture]:
    """Return the forest plots that are drawn from metrics.json itself."""
    found = []
    for n, one in enumerate(overview(files.metrics, files.manifest)):
        text = svg_text(one.draw)
        narrow = None
        if one.narrow is not None:
            narrow = inline_svg(svg_text(one.narrow), f"narrow{n}-", f"{one.title}, narrow")
        svg = _flush_left(inline_svg(text, f"overview{n}-", one.title))
        caption = said_by(text)[1]
        name = f"figures/{one.file}"
        found.append(Picture(one.title, "", name, svg, narrow=narrow, caption=caption))
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
        if not stand_in and OF_A_PAPER.search(path.stem):
            continue
        protocol, title = title_of(path, files.folder / "figures", names)
        picture = _picture(path, files.folder, f"figure{n}-", title, protocol, names)
        groups.setdefault(picture.title, []).append(picture)
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
    said = ". ".join(filter(None, (capital(rest), caption.rstrip("."), details)))
    said = f"{said}." if said else ""
    scores = tuple(_scores(case.scores, names))
    sample = case.sample_id
    return CaseView(title, head, sample, details, said, scores, picture, video)


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
        said, caption = (names.text(part) for part in said_by(text))
        svg = _in_words(inline_svg(text, prefix, said or title), names)
    except (OSError, UnicodeDecodeError):
        return Picture(title, protocol, name, None, "the file cannot be read")
    except DataError as error:
        return Picture(title, protocol, name, None, str(error))
    return Picture(capital(said) or title, protocol, name, svg, caption=caption)


def _in_words(svg: Markup, names: Names) -> Markup:
    """Return a drawing whose labels are words, not identifiers of code."""
    text = _LABEL.sub(lambda found: f">{escape(names.text(unescape(found[1])))}<", str(svg))
    return _flush_left(Markup(text))  # noqa: S704 - of a drawing that is safe, escaped again


def _flush_left(svg: Markup) -> Markup:
    """Return a drawing that stays at the left where it is made smaller."""
    return svg.replace(Markup("<svg "), Markup('<svg preserveAspectRatio="xMinYMid meet" '), 1)


def _rank(protocol: str) -> int:
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS)
