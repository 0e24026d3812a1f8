"""Load of a folder in EchoNet's layout: with a table, without one, and with videos that miss."""

from __future__ import annotations

import numpy as np
import pytest

from cardio_core.api import ConfigError, DataError
from cardio_core.testing import names, refuses

from .echo_cohorts import loaded, segments, write_avi, write_table
from .echo_folders import echonet_folder, opened


def test_an_echonet_folder_with_a_table_has_its_videos_its_rates_and_its_ejection_fractions(
    tmp_path,
):
    echonet_folder(tmp_path)
    rows = [
        {"patient_id": "P1", "study_id": "0X1A", **segments(s03=1)},
        {"patient_id": "P2", "study_id": "0X1B.avi", "lvef_bl_pct": 33, **segments()},
        {"patient_id": "P3", "study_id": "not-there", **segments()},
    ]
    write_table(tmp_path, rows)
    cohort = loaded(tmp_path, views="table")
    table = cohort.samples.table
    assert table["patient_id"].tolist() == ["P1", "P2"]
    assert table["lvef_pct"].tolist() == [50.5, 33]
    assert table["view_given"].tolist() == ["a4c", "a4c"]
    assert cohort.targets.table.loc["0X1A", "wma_a4c"] == 1
    assert any(names(note, "1 of 3", "cohort.csv") for note in cohort.notes)
    assert set(cohort.unsupported) == {"a2c", "plax", "fused", "age_sex"}
    loops, _ = opened(cohort)
    rates = [loop.frame_rate_hz for loop in loops.values()]
    assert rates == pytest.approx([50, 51])


def test_of_an_echonet_folder_only_what_the_table_names_can_be_missing(tmp_path):
    """Eight videos are listed and four were copied: of the five of the cohort one is missing."""
    videos_named = [f"0X{n}" for n in range(8)]
    echonet_folder(tmp_path, videos_named)
    for name in videos_named[4:]:
        (tmp_path / "Videos" / f"{name}.avi").unlink()
    write_avi(tmp_path / "Videos" / "0XNOROW.avi")
    listed = [*videos_named[:3], "0X4.avi", "0XNOROW"]
    write_table(tmp_path, [{"patient_id": n, "study_id": n, **segments()} for n in listed])
    cohort = loaded(tmp_path, views="table")
    assert cohort.samples.table["study_id"].tolist() == videos_named[:3]
    # By the ids of the table, which are its own: so they are counted among its rows.
    assert [row.recording_id for row in cohort.quarantined] == ["0X4.avi", "0XNOROW"]
    assert names(cohort.quarantined[0].reason, "FileList.csv", "row 6")
    assert names(cohort.quarantined[1].reason, "FileList.csv")
    assert names(cohort.quarantined[1].reason, "video 5 of 5")
    assert any(names(note, "4 of 9", "FileList.csv", "cohort.csv") for note in cohort.notes)


def test_a_table_whose_videos_all_miss_says_so_and_not_that_its_ids_are_wrong(tmp_path):
    echonet_folder(tmp_path)
    (tmp_path / "Videos" / "0X1A.avi").unlink()
    write_table(tmp_path, [{"patient_id": "P", "study_id": "0X1A", **segments()}])
    message = "expected usable videos of its 1 rows, found none; the first: FileList.csv, row 2"
    with pytest.raises(DataError, match=message):
        loaded(tmp_path, views="table")


def test_a_table_that_names_no_video_of_its_echonet_folder_is_usable_by_itself_as_told(tmp_path):
    echonet_folder(tmp_path)
    row = {"patient_id": "P", "study_id": "s1", "path_echo_a4c": "Videos/0X1A.avi", **segments()}
    table = write_table(tmp_path, [row])
    message = r"pass cohort\.csv itself as --data, with its clips in path_echo_a4c"
    with pytest.raises(DataError, match=message):
        loaded(tmp_path, views="table")
    cohort = loaded(table, views="table", frame_rate_hz=50)
    assert cohort.samples.table["view_given"].tolist() == ["a4c"]
    assert opened(cohort)[0]["s1"].n_frames == 40


def test_an_echonet_folder_without_a_table_says_what_it_can_be_used_for(tmp_path):
    echonet_folder(tmp_path)
    with refuses(ConfigError, "CMR", "LVEF"):
        loaded(tmp_path, "wma")
    with refuses(DataError, "view", "a4c"):
        loaded(tmp_path, "view")
    new = loaded(tmp_path, "wma", mode="predict")
    assert new.samples.table["lvef_pct"].tolist() == [50.5, 51.5, 52.5]
    assert opened(new)[0]["3"].frame_rate_hz == pytest.approx(52)


def test_in_an_echonet_folder_what_cannot_be_used_is_set_aside_with_its_reason(tmp_path):
    videos_named = ("0XGREY", "0XCOLOUR", "0XBROKEN", "0XNOVIDEO", "0XNORATE", "0XNOROW", "0XSHORT")
    echonet_folder(tmp_path, videos_named)
    videos = tmp_path / "Videos"
    write_avi(videos / "0XCOLOUR.avi", 40, colour=True)
    write_avi(videos / "0XSHORT.avi", 7)
    (videos / "0XBROKEN.avi").write_bytes((videos / "0XBROKEN.avi").read_bytes()[:600])
    (videos / "0XNOVIDEO.avi").unlink()
    lines = (tmp_path / "FileList.csv").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("0XNOROW")]
    at = next(n for n, line in enumerate(kept) if line.startswith("0XNORATE"))
    kept[at] = kept[at].replace(",112,112,54,", ",112,112,,")
    (tmp_path / "FileList.csv").write_text("\n".join(kept) + "\n")
    cohort = loaded(tmp_path, mode="predict")
    reasons = [row.reason for row in cohort.quarantined]
    assert [row.recording_id for row in cohort.quarantined] == [f"unusable-{n}" for n in (1, 2, 3)]
    assert names(reasons[0], "FileList.csv", "row 5", "Videos")
    assert names(reasons[1], "FileList.csv", "row 6", "FPS")
    assert names(reasons[2], "FileList.csv", "frame rate")
    loops, unopened = opened(cohort)
    assert len(loops) == 3 and list(unopened) == ["3"]
    assert loops["1"].n_frames == 40 and not loops["1"].colour_doppler
    assert loops["2"].colour_doppler, "preprocess leaves colour out"
    assert loops["4"].n_frames == 7, "preprocess leaves out what is too short"


def test_a_file_list_without_frame_rates_is_refused(tmp_path):
    echonet_folder(tmp_path)
    text = (tmp_path / "FileList.csv").read_text().replace("FPS", "Rate")
    (tmp_path / "FileList.csv").write_text(text)
    with refuses(DataError, "FileList.csv", "FPS"):
        loaded(tmp_path, mode="predict")


def test_ejection_fractions_that_cannot_be_are_unknown(tmp_path):
    echonet_folder(tmp_path)
    text = (
        (tmp_path / "FileList.csv").read_text().replace(",50.5,", ",150,").replace(",51.5,", ",,")
    )
    (tmp_path / "FileList.csv").write_text(text)
    lvef = loaded(tmp_path, mode="predict").samples.table["lvef_pct"]
    np.testing.assert_array_equal(lvef, [np.nan, np.nan, 52.5])


def test_the_list_itself_stands_for_its_folder(tmp_path):
    echonet_folder(tmp_path)
    given = (tmp_path, tmp_path / "FileList.csv")
    whole, named = (loaded(path, "wma", mode="predict") for path in given)
    assert named.samples.table.equals(whole.samples.table)
    assert len(named.files) == 3
