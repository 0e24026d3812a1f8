"""Nothing is measured in another view or on a line that is not trusted; a person's word counts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_mmode_septal_flash.flash import study
from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.load import load
from cardio_mmode_septal_flash.flash.preprocess import preprocess
from cardio_mmode_septal_flash.flash.sheet import sheet
from cardio_mmode_septal_flash.flash.study import judged_view
from cardio_ultrasound import ViewSeen, read_loop

from .mmode_loops import (
    SMALL,
    context,
    prepared,
    timing,
    write_cohort,
    write_loop,
    write_septum,
)
from .mmode_phantoms import phantom

TWO_CHAMBER = "apical two-chamber view (0.97), not four-chamber: septal flash is not defined here"


@pytest.fixture
def sees(monkeypatch):
    """Let the view be seen as asked, whatever the loop shows."""

    def see(name: str, probability: float = 0.97, likeliest: str = "") -> None:
        seen = ViewSeen(name, probability, f"view {name}: as asked", likeliest)
        monkeypatch.setattr(study, "view_of", lambda *_: seen)

    return see


@pytest.fixture
def loop(tmp_path):
    """One loop with flash, without a table or a septum."""
    write_loop(tmp_path / "a.dcm", number=2)
    return tmp_path


def course(features) -> dict[str, float]:
    block = features["course"]
    return dict(zip(block.names, np.asarray(block.values)[0].tolist(), strict=True))


def confidence(features) -> float:
    return timing(features)["septum_confidence"]


def flags_and_verdict(features) -> tuple[list[str], str]:
    row = features.table.iloc[0]
    return row["flags"].split("; "), row["no_verdict"]


def test_in_the_four_chamber_view_a_flash_is_measured_and_judged(loop, sees):
    sees("a4c")
    _, features, _ = prepared(loop)
    flags, why = flags_and_verdict(features)
    assert why == "" and not any("view" in flag for flag in flags)
    assert course(features)["early_peak_mm"] > 3


def test_of_another_view_nothing_is_measured_and_the_reason_names_it(loop, sees):
    sees("a2c")
    _, features, quarantined = prepared(loop)
    assert quarantined == {}  # the sheet has to show what was seen
    assert flags_and_verdict(features)[1] == TWO_CHAMBER
    told = course(features)
    assert told.pop("heart_rate_bpm") > 40 and told.pop("beats_measured") == 0
    assert np.isnan(list(told.values())).all()
    for name in ("motion", "trace", "spread"):
        assert np.isnan(features[name].values).all(), name


def test_another_view_in_which_no_septum_can_be_found_says_that_it_is_another_view(tmp_path, sees):
    sees("plax", 0.88)
    frames = np.ascontiguousarray(phantom(2, rate_hz=50.0).frames[:, :, ::-1])
    frames[:, :, 150:] = 0
    write_loop(tmp_path / "a.dcm", frames)
    write_septum(tmp_path / "a.septum.json", [[60 - i / 2, 5] for i in range(62)])
    config, ctx = Config(), context(tmp_path, "predict")
    with refuses(DataError, "loops"):
        preprocess(load(config.load, ctx).samples, config.preprocess, ctx)
    assert ctx._quarantined[0].reason.startswith("parasternal long-axis view (0.88), not four-")


def test_an_unknown_view_is_measured_for_a_person_to_check_and_gets_no_verdict(loop, sees):
    sees("unknown", 0.41)
    _, features, _ = prepared(loop)
    assert flags_and_verdict(features)[1].startswith("view unknown: as asked (if the sheet shows")
    assert course(features)["early_peak_mm"] > 3
    sees("unknown", 0.41, "a3c")
    assert confidence(prepared(loop)[1]) == pytest.approx(confidence(features) * 0.5 / 0.75)


@pytest.mark.parametrize("who", ["table", "option"])
def test_what_a_person_says_of_the_view_goes_before_what_is_seen(loop, sees, who):
    sees("a2c")
    if who == "table":
        write_cohort(loop, [{"patient_id": "P", "path_echo_a4c": "a.dcm", "sf_label": 1}])
    changes = {"view": "a4c"} if who == "option" else {}
    _, features, _ = prepared(loop, **changes)
    contradicted = "looks like apical two-chamber view (0.97), and is stated as apical four-chamber"
    assert flags_and_verdict(features)[1] == contradicted and course(features)["early_peak_mm"] > 3
    assert confidence(features) < 0.5  # what contradicts lowers it, and withholds no measurement
    sees("unknown", 0.41)
    assert flags_and_verdict(prepared(loop, **changes)[1])[1] == ""


def test_a_folder_in_the_table_says_nothing_of_the_views_in_it(loop, sees):
    sees("a2c")
    (loop / "exam").mkdir()
    (loop / "a.dcm").rename(loop / "exam" / "a.dcm")
    write_cohort(loop, [{"patient_id": "P", "path_echo_a4c": "exam", "sf_label": 1}])
    assert flags_and_verdict(prepared(loop)[1])[1] == TWO_CHAMBER


def test_on_a_line_that_is_not_trusted_nothing_is_measured_and_a_drawn_one_is(tmp_path):
    one = phantom(2, rate_hz=50.0)
    still = np.repeat(one.frames[:1], len(one.frames), axis=0)
    write_loop(tmp_path / "a.dcm", still, number=2)
    _, features, _ = prepared(tmp_path)
    flags, why = flags_and_verdict(features)
    found = confidence(features)
    assert why == (
        f"septum line not trusted (confidence {found:.2f}, limit 0.5): draw the septum and pass "
        "--septum"
    )
    assert any(
        flag.startswith(f"septum found in the pictures (confidence {found:.2f}") for flag in flags
    )
    assert np.isnan(features["motion"].values).all()
    write_septum(tmp_path / "a.septum.json", one.truth.polyline_px)
    _, features, _ = prepared(tmp_path)
    assert flags_and_verdict(features)[1] == ""
    assert np.isfinite(features["motion"].values).all()


def test_the_sheet_shows_the_line_and_says_why_nothing_was_measured(loop, sees):
    sees("a2c")
    cohort, features, _ = prepared(loop)
    block = Config().preprocess.model_copy(update=SMALL)
    samples = preprocess(cohort.samples, block, context(loop, "predict"))
    figure = Figure(layout="constrained")
    sheet(figure, samples, features)
    texts = [text.get_text().replace("\n", " ") for axes in figure.axes for text in axes.texts]
    assert f"Not measured: {TWO_CHAMBER}" in texts
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "M-mode of the line" in titles and not any("excursion" in title for title in titles)


def test_what_is_taken_for_a_beat_in_a_video_of_no_heart_is_no_rr_interval(tmp_path, sees):
    sees("unknown", 0.41, "a3c")
    still = np.repeat(phantom(2, rate_hz=50.0).frames[0][..., None], 3, axis=-1)
    size = still.shape[1::-1]
    file = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 2, size)
    for _ in range(60):
        file.write(still)
    file.release()
    _, features, _ = prepared(tmp_path)
    assert np.isnan(timing(features)["rr_ms"]) and np.isnan(features["motion"].values).all()


def test_a_band_with_a_name_on_a_screen_without_a_region_is_no_picture(tmp_path, sees):
    sees("a4c")
    one = phantom(2, rate_hz=50.0)
    n_frames, n_rows, n_columns = one.frames.shape
    screen = np.zeros((n_frames, n_rows + 60, n_columns + 120), np.uint8)
    screen[:, 60:, 60:-60] = one.frames
    screen[:, :44] = 50
    for page in screen:
        cv2.putText(page, "DOE JANE 4711", (6, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 3)
    file = tmp_path / "a.dcm"
    write_loop(file, screen, region=None, mm_per_pixel=None)
    found = study.prepare_study(read_loop(file), None, Config().preprocess, unscaled=True)
    assert not found.sector[:44].any()
    assert found.trust.confidence > 0.5


def test_a_view_without_a_name_is_called_another_view():
    assert (
        judged_view(ViewSeen("other", 0.9, ""), stated=False)
        .no_verdict[0]
        .startswith("another view (0.90), not four-chamber")
    )
