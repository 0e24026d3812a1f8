"""Twelve files of a clinic: what is missing is asked once, and with it every loop is answered."""

from __future__ import annotations

import csv
import json

import pytest

from cardio_core.testing import call_cardio

from .clinic_folder import MM, PATIENTS, RATES_HZ, clinic_folder

N_LOOPS = len(PATIENTS) + len(RATES_HZ) + 1
SECRETS = ("ASHDOWN", "QUILLFEATHER", "7741", "1950", "2.25.77", "IM000", "clip")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clinic") / "disk"
    return folder, clinic_folder(folder)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def measured(plugin, folder, *options):
    answer = call_cardio("measure", "--plugin", plugin, folder, *options)
    assert answer.exit_code == 0, answer.stderr
    return answer


def template(plugin, folder, path):
    return measured(plugin, folder, "--mapping-template", path), rows_of(path)


@pytest.mark.parametrize("plugin", ["echo_cmr", "mmode_septal_flash"])
def test_what_videos_lack_is_asked_in_one_table_and_what_files_say_is_filled_in(
    plugin, clinic, tmp_path
):
    folder, _ = clinic
    _, rows = template(plugin, folder, tmp_path / "facts.csv")
    lacking = [row for row in rows if not row["frame_rate_hz"]]
    assert len(rows) == N_LOOPS
    assert len(lacking) == len(RATES_HZ) + 1
    assert all(not row["mm_per_pixel"] for row in lacking)
    assert all(row["mm_per_pixel"] for row in rows if row not in lacking)


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ["echo_cmr", "mmode_septal_flash"])
def test_with_the_facts_every_loop_is_measured_and_every_file_accounted_for(
    plugin, clinic, tmp_path
):
    folder, kinds = clinic
    _, rows = template(plugin, folder, tmp_path / "facts.csv")
    for row in rows:
        if not row["frame_rate_hz"]:
            row |= {"frame_rate_hz": "container", "mm_per_pixel": str(MM)}
        row["view"] = "a4c"
    with (tmp_path / "facts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "out"
    answer = measured(plugin, folder, "--facts", tmp_path / "facts.csv", "--out", out, "--json")
    found = rows_of(out / "measurements.csv")
    assert len(found) == N_LOOPS
    assert not any("may not be how it was acquired" in row["flags"] for row in found)
    patients = [row["patient"] for row in found]
    assert max(patients.count(name) for name in patients) == 2  # one has two studies
    assert len(set(patients)) == N_LOOPS - 1
    files = rows_of(out / "files.csv")
    assert sorted(row["kind"] for row in files) == sorted(kinds.values())
    assert [row["study"] for row in files if row["kind"] == "video"] == [""] * (len(RATES_HZ) + 1)
    assert len({row["study"] for row in files if row["study"]}) == len(PATIENTS)
    shared = [path for path in out.rglob("*") if path.name != "places.json"]
    told = answer.stdout + json.dumps([str(path) for path in shared])
    told += "".join(path.read_text() for path in shared if path.suffix in (".csv", ".html"))
    assert not [word for word in SECRETS if word in told]


def test_a_video_that_is_empty_or_cut_is_called_that(clinic, tmp_path):
    folder, _ = clinic
    for name, code in (("empty.mp4", "empty"), ("stopped.mp4", "cut short")):
        answer = call_cardio("measure", "--plugin", "echo_cmr", folder / name, "--out",
                             tmp_path / name)  # fmt: skip
        assert answer.exit_code == 3
        assert code in answer.stderr and name not in answer.stdout
