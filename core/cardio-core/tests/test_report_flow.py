"""The flow diagram: every station is the one before less what left, and it can be read."""

import html
import json
import re

import pytest

from cardio_core.io.run_artifact import read_artifact
from cardio_core.report.text.patient_flow import ASIDE, MAIN, draw, flow
from cardio_core.testing import refuses
from cardio_stats.errors import DataError


def station(kind, reason, patients, recordings, entries=None):
    entries = recordings if entries is None else entries
    sizes = {"patients": patients, "recordings": recordings, "entries": entries}
    return {"station": "left", "kind": kind, "reason": reason} | sizes


FLOW = {
    "from_table": True,
    "stations": [
        {"station": "found", "entries": 65, "recordings": 63, "patients": 61},
        station("no_recording", "no recording is named", 1, 0, 2),
        station("left_out", "more than 30 days <b>between</b> echo and CMR", 3, 4),
        station("left_out", "not at baseline", 0, 1),
        station("unreadable", "no such file", 1, 1),
        station("without_outcome", "the outcome is not known", 2, 2),
        {"station": "used", "entries": 55, "recordings": 55, "patients": 54},
    ],
    "samples": 473, "copies": 0, "identical": 1,
    "unlabelled": {"patients": 2, "recordings": 2, "train": True},
    "protocols": {
        "honest": {"patients": {"tested": 54, "trained_only": 0, "neither": 0},
                   "recordings": {"tested": 55, "trained_only": 0, "neither": 0}},
        "paper": {"patients": {"tested": 11, "trained_only": 43, "neither": 0},
                  "recordings": {"tested": 11, "trained_only": 44, "neither": 0}},
    },
}  # fmt: skip


@pytest.fixture
def flow_of(tmp_path):
    def read(counted):
        (tmp_path / "manifest.json").write_text(json.dumps({"flow": counted}))
        return flow(read_artifact(tmp_path))

    return read


def test_every_station_is_the_one_before_less_what_left(flow_of, same_text):
    found = flow_of(FLOW)
    lines = [f"{'- ' * box.aside}{box.heading}: {'; '.join(box.lines)}" for box in found.boxes]
    same_text("patient_flow", "\n".join([*lines, *found.notes]) + "\n")
    # 61 patients found, of whom 1 has no recording, 3 are left out, 1 unreadable, 2 unlabelled.
    main = [box.lines[0].partition(" ")[0] for box in found.boxes if not box.aside]
    assert main == ["61", "60", "57", "56", "54", "473", "54", "11"]


def test_stations_that_do_not_add_up_are_refused(flow_of):
    wrong = FLOW | {"stations": [FLOW["stations"][0], FLOW["stations"][-1]]}
    with refuses(DataError, "manifest.json"):
        flow_of(wrong)


def test_an_older_run_has_no_diagram(flow_of):
    assert flow_of({}) is None


def test_the_drawing_is_text_in_the_pages_colour_and_no_line_leaves_its_box(flow_of):
    svg = str(draw(flow_of(FLOW)))
    assert "&lt;b&gt;" in svg and "<b>" not in svg
    assert not re.search(r"#[0-9a-f]{3}|rgb|black|white", svg)
    for left, width in (MAIN, ASIDE):
        place = f'<text x="{left + 8}" '
        texts = re.findall(re.escape(place) + r"[^>]*>([^<]*)<", svg)
        assert texts
        # Twelve units of type are a good half as wide as high, on the mean.
        assert max(len(html.unescape(text)) for text in texts) * 12 * 0.53 < width - 8
