"""The figures and the explained cases of a run, as parts of its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cardio_core.errors import DataError
from cardio_core.report.figures import svg_text
from cardio_core.report.inline_svg import inline_svg, said_by
from cardio_core.report.overview import FOREST, overview
from cardio_core.report.run_files import RunFiles
from cardio_core.report.tables import named
from cardio_core.report.videos import Video, video_in
from cardio_core.report.words import PROTOCOLS, number, title_words

MAX_CASES = 24


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


@dataclass(frozen=True)
class CaseView:
    """One explained prediction."""

    title: str
    sample_id: str
    details: str
    scores: tuple[tuple[str, str], ...]
    picture: Picture | None
    video: Video | None = None


def overview_pictures(files: RunFiles) -> list[Picture]:
    """Return the forest plots that are drawn from metrics.json itself."""
    return [
        Picture(
            one.title,
            "",
            f"figures/{one.name}.svg",
            inline_svg(svg_text(one.draw), f"overview{n}-", one.title),
            narrow=None
            if one.narrow is None
            else inline_svg(svg_text(one.narrow), f"narrow{n}-", one.title),
        )
        for n, one in enumerate(overview(files.metrics, files.manifest))
    ]


def figure_groups(files: RunFiles) -> list[tuple[str, list[Picture]]]:
    """Return the figures by title, so that honest and paper stand beside each other."""
    groups: dict[str, list[Picture]] = {}
    own = [path for path in files.figures if not path.name.startswith(f"{FOREST}-")]
    for n, path in enumerate(own):
        protocol, title = named(path, files.run / "figures")
        picture = _picture(path, files.run, f"figure{n}-", title, protocol)
        groups.setdefault(picture.title, []).append(picture)
    for pictures in groups.values():
        pictures.sort(key=lambda picture: _rank(picture.protocol))
    return list(groups.items())


def case_views(files: RunFiles) -> list[CaseView]:
    """Return the first cases; the others stay in their files."""
    return [_case(case, files.run, n) for n, case in enumerate(files.cases[:MAX_CASES])]


def _case(case: Mapping[str, Any], run: Path, n: int) -> CaseView:
    title = str(case.get("title") or case.get("sample_id") or "Case")
    keys = ("protocol", "model", "fold")
    details = ", ".join(
        f"{key} {case[key]}" if key == "fold" else str(case[key]) for key in keys if case.get(key)
    )
    picture = None
    if case.get("figure"):
        picture = _picture(
            run / str(case["figure"]), run, f"case{n}-", title, str(case.get("protocol") or "")
        )
    video = video_in(run, run / str(case["video"]), title) if case.get("video") else None
    return CaseView(title, str(case.get("sample_id") or ""), details,
                    tuple(_scores(case.get("scores") or {})), picture, video)  # fmt: skip


def _scores(scores: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in scores.items():
        yield title_words(name), number(float(value)) if value is not None else number(None)


def _picture(path: Path, run: Path, prefix: str, title: str, protocol: str) -> Picture:
    """Return one file as a picture; what it says of itself comes before what its name says."""
    if not path.resolve().is_relative_to(run.resolve()):
        return Picture(title, protocol, path.name, None, "the figure lies outside the run")
    name = path.relative_to(run).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
        said, caption = said_by(text)
        svg = inline_svg(text, prefix, said or title)
    except (OSError, UnicodeDecodeError):
        return Picture(title, protocol, name, None, "the file cannot be read")
    except DataError as error:
        return Picture(title, protocol, name, None, str(error))
    return Picture(said or title, protocol, name, svg, caption=caption)


def _rank(protocol: str) -> int:
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS)
