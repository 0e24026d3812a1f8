"""The view gate on phantoms of three renderers that it never saw, and on the real loops at hand.

``python -m tests.integration.test_views_held_back`` makes the stored result anew.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from cardio_mmode_septal_flash.flash.study import judged_view
from cardio_ultrasound import Loop, find_loops, read_loop, view_network, view_of
from cardio_ultrasound.readers.arrays import ArraySource
from cardio_ultrasound.views import UNKNOWN, ViewSeen

from .view_judges import KINDS, judged_loop

STORED = Path(__file__).parent / "stored" / "views_held_back.json"
VIEWS = ("a4c", "a2c", "a3c", "plax", "psax", "subcostal")
N_JUDGED, N_ECHO, N_MMODE = 100, 20, 40
"""Loops of every kind, and patients of either plugin's synthetic cohort."""

RIGHT = {
    "off axis": {"other"}, "esophageal": {"other"}, "no heart": {"other"},
    "short axis": {"psax", "other"},
}  # fmt: skip
"""Names that are right for what is no view by its own name."""

SOURCES = ("judges", "echo_cmr, 20 patients", "mmode_septal_flash, 40 patients")


def judges() -> Iterator[tuple[str, Loop]]:
    """Yield screens of hearts that the network never learned from, the whole way of a file."""
    for place, kind in enumerate(KINDS):
        for number in range(N_JUDGED):
            frames = judged_loop(kind, np.random.default_rng([77, place, number]))
            times = np.arange(len(frames)) * 90.0
            source = ArraySource(frames)
            yield kind, Loop("made", source, len(frames), frames.shape[1:3], times, "stated")


def echo_cmr(folder: Path) -> Iterator[tuple[str, Loop]]:
    """Yield the loops of that plugin's synthetic cohort; its other view is a short axis."""
    from cardio_echo_cmr.synthetic import synthesize

    synthesize(folder, n_patients=N_ECHO, seed=11)
    for path in find_loops(folder / "loops"):
        view = path.stem.rpartition("-")[2]
        yield {"other": "short axis"}.get(view, view), read_loop(path)


def mmode(folder: Path) -> Iterator[tuple[str, Loop]]:
    """Yield the loops of that plugin's synthetic cohort: all apical four-chamber."""
    from cardio_mmode_septal_flash.synthetic import synthesize

    synthesize(folder, n_patients=N_MMODE, seed=11)
    for path in find_loops(folder / "loops"):
        yield "a4c", read_loop(path)


def likeliest(loops: Iterator[tuple[str, Loop]]) -> list[tuple[str, str, float]]:
    """Return of every loop its true view, the likeliest one, and that one's probability."""
    fitted = view_network.fitted_views()
    open_to_all = replace(fitted, least_probability=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view_network, "fitted_views", lambda: open_to_all)
        seen = [(truth, view_of(loop)) for truth, loop in loops]
    return [(truth, view.name, view.probability) for truth, view in seen]


def counted(seen: list[tuple[str, str, float]], least: float) -> list[dict[str, Any]]:
    """Return of every true view how many loops are named rightly, wrongly, or not at all."""
    found: dict[str, Counter[str]] = {}
    for truth, name, probability in seen:
        named = name if probability >= least else UNKNOWN
        found.setdefault(truth, Counter())[named] += 1
    rows = []
    for truth, names in found.items():
        right = sum(names[name] for name in RIGHT.get(truth, {truth}))
        rows.append(
            {
                "view": truth, "n": names.total(), "right": right, "unknown": names[UNKNOWN],
                "wrong": names.total() - right - names[UNKNOWN], "named": dict(names),
            }
        )  # fmt: skip
    return rows


def curve(seen: list[tuple[str, str, float]]) -> list[dict[str, float]]:
    """Return at falling thresholds how many in a hundred are unknown, and wrong."""
    return [
        {
            "least": least,
            "unknown": sum(row["unknown"] for row in counted(seen, least)) / len(seen) * 100,
            "wrong": sum(row["wrong"] for row in counted(seen, least)) / len(seen) * 100,
        }
        for least in (0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
    ]


def make() -> None:
    """Measure and store."""
    made: dict[str, Any] = {
        "made": datetime.now(UTC).date().isoformat(),
        "command": "python -m tests.integration.test_views_held_back",
    }
    least = view_network.fitted_views().least_probability
    with tempfile.TemporaryDirectory() as name:
        loops = (judges(), echo_cmr(Path(name) / "echo"), mmode(Path(name) / "mmode"))
        for source, drawn in zip(SOURCES, loops, strict=True):
            seen = likeliest(drawn)
            views = [item for item in seen if item[0] in VIEWS]
            made[source] = counted(seen, least)
            made[f"{source}: curve"] = curve(views)
            STORED.write_text(json.dumps(made, indent=1) + "\n")


def shares(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Return the shares of wrong views of all loops, and of unknown ones among named views."""
    wrong = sum(row["wrong"] for row in rows) / sum(row["n"] for row in rows)
    of = [row for row in rows if row["view"] in VIEWS]
    return wrong, sum(row["unknown"] for row in of) / sum(row["n"] for row in of)


@pytest.mark.parametrize("source", SOURCES[1:])
def test_of_the_plugins_phantoms_few_views_are_wrong_and_not_many_unknown(source):
    rows = json.loads(STORED.read_text())[source]
    wrong, unknown = shares(rows)
    assert sum(row["n"] for row in rows) >= 50
    assert wrong <= 0.02
    assert unknown <= 0.20


def test_of_looks_that_the_training_never_had_fewer_are_wrong_or_unknown_than_before():
    rows = json.loads(STORED.read_text())["judges"]
    wrong, unknown = shares(rows)
    assert sum(row["n"] for row in rows) >= 300
    # The weights before gave 9 wrong of all 306, and 114 unknown of the 204 of six views.
    assert wrong < 9 / 306
    assert unknown < 114 / 204
    assert {row["view"]: row["wrong"] for row in rows}["esophageal"] == 0


@pytest.mark.xfail(strict=True, reason="2.3 % wrong (at most 3.5 %) and 50 % unknown were reached")
def test_of_looks_that_the_training_never_had_3_in_100_are_wrong_and_40_unknown_at_most():
    rows = json.loads(STORED.read_text())["judges"]
    n, wrong = (sum(row[key] for row in rows) for key in ("n", "wrong"))
    assert binomtest(wrong, n).proportion_ci(method="exact").high <= 0.03
    assert shares(rows)[1] <= 0.40


@pytest.mark.skipif(
    "CARDIO_DATA" not in os.environ and "CI" not in os.environ, reason="CARDIO_DATA is not set"
)
@pytest.mark.parametrize(("file", "name"), [("a4c.mp4", "a4c"), ("tee.mp4", UNKNOWN)])
def test_a_real_four_chamber_loop_is_named_and_one_from_the_esophagus_is_not(file, name):
    path = Path(os.environ["CARDIO_DATA"]) / "echo_video" / file
    assert view_of(read_loop(path, frame_rate_hz=20.0)).name == name


def test_the_page_states_what_each_view_does_to_the_confidence_of_a_septum_line():
    page = (Path(__file__).parents[2] / "docs/views.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| view | four-chamber"))
    seen = {
        "from .95 on": (ViewSeen("a4c", 0.95, ""), False, 1.0),
        ".75 unknown": (ViewSeen(UNKNOWN, 0.6, "", "a4c"), False, 0.75),
        ".5 unknown, another is likelier": (ViewSeen(UNKNOWN, 0.8, "", "a3c"), False, 0.5),
        ".3 another, though stated": (ViewSeen("a2c", 0.97, ""), True, 0.3),
    }
    for words, (view, stated, factor) in seen.items():
        assert words in row
        assert judged_view(view, stated=stated).trust == factor


if __name__ == "__main__":
    make()
