"""The nearest CMR within thirty days, and nobody left out without a reason."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio_core.api import DataError
from cardio_echo_cmr.studies import NEARER, UNDATED, Clip, EchoStudy, one_row_an_echo, pair_with_cmr

from .echo_cohorts import loaded, segments, write_clip, write_table

FAR = "more than 30 days between echo and CMR"


def study(name: str, days: float | None, files: str = "a", patient: str = "P", link: str = ""):
    """Return a study whose clips are files of one letter."""
    clips = tuple(Clip(Path(f"{letter}.dcm"), "a4c") for letter in files)
    return EchoStudy(name, patient, clips, {"subject_link": link or None}, {}, days)


def kept(studies, max_days=30) -> list[str]:
    return [one.study_id for one in pair_with_cmr(studies, max_days).kept]


@pytest.mark.parametrize(
    ("days", "is_kept"), [(0, True), (30, True), (-30, True), (31, False), (-31, False)]
)
def test_thirty_days_either_way_are_near_enough_and_a_day_more_is_not(days, is_kept):
    paired = pair_with_cmr([study("one", days)], 30)
    assert bool(paired.kept) == is_kept
    assert paired.left_out == ({} if is_kept else {FAR: ("one",)})


def test_of_several_cmrs_of_one_echo_the_nearest_counts_before_or_after_alike():
    rows = [study("late", 20), study("early", -5), study("later", 8)]
    paired = pair_with_cmr(rows, 30)
    assert [one.study_id for one in paired.kept] == ["early"]
    assert paired.left_out == {NEARER: ("late", "later")}


def test_of_two_cmrs_at_equal_distance_the_first_row_counts():
    assert kept([study("after", 4), study("before", -4)]) == ["after"]


def test_a_dated_cmr_goes_before_one_without_a_date():
    paired = pair_with_cmr([study("undated", math.nan), study("dated", 29)], 30)
    assert [one.study_id for one in paired.kept] == ["dated"]


def test_an_echo_whose_only_cmr_has_no_date_is_left_out_with_that_reason():
    assert pair_with_cmr([study("one", math.nan)], 30).left_out == {UNDATED: ("one",)}


def test_a_nearest_cmr_that_is_too_far_does_not_make_room_for_a_farther_one():
    paired = pair_with_cmr([study("far", 40), study("farther", -60)], 30)
    assert paired.kept == ()
    assert paired.left_out == {NEARER: ("farther",), FAR: ("far",)}


def test_two_echoes_of_one_patient_each_keep_their_own_cmr():
    assert kept([study("one", 3, "ab"), study("two", 25, "cd")]) == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "shared"),
    [("ab", "bc", "1 of 3"), ("a", "abc", "1 of 3"), ("ab", "b", "1 of 2")],
)
@pytest.mark.parametrize("pair", [pair_with_cmr, lambda rows, _: one_row_an_echo(rows)])
def test_rows_that_share_some_of_their_clips_are_refused_and_both_are_named(pair, old, new, shared):
    """Clip a of the old row belongs to no nearer CMR: to drop it for one would be untrue."""
    message = f"studies 'new' and 'old': .* they share {shared} clips; give both rows the same"
    with pytest.raises(DataError, match=message):
        pair([study("old", 25, old), study("new", 3, new)], 30)


def test_the_same_clips_in_another_order_are_the_same_echo():
    assert kept([study("old", 25, "ab"), study("new", 3, "ba")]) == ["new"]


def test_some_clips_shared_with_somebody_else_are_no_echo_of_two_cmrs():
    rows = [study("one", 9, "ab"), study("two", 3, "bc", patient="Q")]
    assert kept(rows) == ["one", "two"]


def test_ids_that_one_person_shares_are_one_person():
    rows = [study("one", 9, link="x"), study("two", 3, patient="Q", link="x")]
    assert kept(rows) == ["two"]


def test_files_of_the_same_name_of_two_people_are_left_to_the_guard_of_the_core():
    assert kept([study("one", 9), study("two", 3, patient="Q")]) == ["one", "two"]


def test_a_table_without_the_column_is_taken_at_its_word_and_a_note_says_so():
    paired = pair_with_cmr([study("one", None), study("two", None, "b")], 30)
    assert len(paired.kept) == 2
    assert paired.notes[0].startswith("2 of 2 studies: the table has no column days_echo_to_cmr")


def test_every_clip_of_a_study_that_is_left_out_is_counted():
    paired = pair_with_cmr([study("one", 99, "abc")], 30)
    assert paired.left_out == {FAR: ("one-1", "one-2", "one-3")}


def test_for_views_an_echo_counts_once_however_far_its_cmr():
    rows = [study("far", 400), study("farther", 500), study("other", math.nan, "b")]
    paired = one_row_an_echo(rows)
    assert [one.study_id for one in paired.kept] == ["far", "other"]
    assert paired.left_out == {NEARER: ("farther",)}


_DAYS = st.one_of(st.none(), st.just(math.nan), st.integers(-60, 60).map(float))
_STUDIES = st.lists(st.tuples(_DAYS, st.sampled_from(["a", "bc", "def"])), max_size=8)


@given(_STUDIES)
def test_whatever_the_rows_each_is_kept_or_left_out_once_and_no_clip_is_kept_twice(drawn):
    rows = [study(f"s{n}", days, files) for n, (days, files) in enumerate(drawn)]
    paired = pair_with_cmr(rows, 30)
    named = [name for one in paired.kept for name in one.recording_ids]
    named += [name for names in paired.left_out.values() for name in names]
    assert sorted(named) == sorted(name for one in rows for name in one.recording_ids)
    clips = [clip.path for one in paired.kept for clip in one.clips]
    assert len(clips) == len(set(clips))
    assert all(one.days_to_cmr is None or abs(one.days_to_cmr) <= 30 for one in paired.kept)


def test_what_pairing_leaves_out_is_a_station_of_the_flow_diagram(tmp_path):
    for name in "abc":
        write_clip(tmp_path / f"{name}.npy")
    row = {"patient_id": "P", "path_echo_a4c": "a.npy", **segments()}
    rows = [
        row | {"study_id": "near", "days_echo_to_cmr": 2},
        row | {"study_id": "less-near", "days_echo_to_cmr": -9},
        row | {"study_id": "far", "path_echo_a4c": "b.npy", "days_echo_to_cmr": 31},
        row | {"study_id": "undated", "path_echo_a4c": "c.npy"},
    ]
    write_table(tmp_path, rows)
    cohort = loaded(tmp_path, frame_rate_hz=50)
    assert cohort.samples.table.index.tolist() == ["near"]
    assert cohort.targets.table.index.tolist() == cohort.table.index.tolist() == ["near"]
    assert cohort.excluded == {NEARER: ("less-near",), UNDATED: ("undated",), FAR: ("far",)}
    wider = loaded(tmp_path, frame_rate_hz=50, max_days_to_cmr=31)
    assert wider.samples.table.index.tolist() == ["near", "far"]
    assert "within 31 days" in wider.outcome
