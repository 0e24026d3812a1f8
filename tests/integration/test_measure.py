"""`cardio measure`: recordings without labels and without a model."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from cardio_core.testing import names


@pytest.fixture(scope="module")
def newcomers(write_cohort, tmp_path_factory):
    """Four patients, and a file that is no recording."""
    folder = write_cohort(
        tmp_path_factory.mktemp("new") / "new", "mean_class", n_patients=4, seed=7
    )
    (folder / "letter.csv").write_text("Dear colleague\n")
    return folder


@pytest.fixture
def files(newcomers, tmp_path):
    """The recordings without their table, one of them in a folder below, and the letter."""
    folder = tmp_path / "files"
    (folder / "later").mkdir(parents=True)
    for file in newcomers.glob("C*.csv"):
        below = "later" if file.stem.startswith("C03") else "."
        shutil.copy(file, folder / below / f"MILLER-{file.name}")
    shutil.copy(newcomers / "letter.csv", folder / "SMITH-letter.csv")
    return folder


def table_of(out):
    with (out / "measurements.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def state_of(out):
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))["status"]


def everything_in(out):
    return b"".join(
        path.read_bytes() for path in out.rglob("*") if path.suffix in (".csv", ".html")
    )


def test_a_cohort_table_needs_no_outcome_and_gives_its_ids(cardio, newcomers, tmp_path):
    folder = tmp_path / "cohort"
    shutil.copytree(newcomers, folder)
    with (newcomers / "cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            {name: row[name] for name in ("patient_id", "study_id", "path_ecg")}
            for row in csv.DictReader(file)
        ]
    with (folder / "cohort.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("patient_id", "study_id", "path_ecg"))
        writer.writeheader()
        writer.writerows(rows)
    said = cardio("measure", "--plugin", "toy", folder, "--out", tmp_path / "out")
    assert said.exit_code == 0, said.stderr
    made = table_of(tmp_path / "out")
    assert {row["patient"] for row in made} == {row["patient_id"] for row in rows}
    assert all(float(row["height"]) > 0 for row in made)
    assert "spread" in made[0]


def test_a_folder_is_searched_to_its_ends_and_a_bad_file_stops_nothing(cardio, files, tmp_path):
    said = cardio("measure", "--plugin", "toy", files, "--out", tmp_path / "out")
    assert said.exit_code == 0, said.stderr
    made = table_of(tmp_path / "out")
    n_files = len(list(files.rglob("*.csv")))
    assert len(made) == n_files
    (refused,) = [row for row in made if row["reason"]]
    assert names(refused["reason"], "rate_hz")
    assert f"{n_files - 1} measured, 1 refused" in said.stdout


def test_no_name_of_a_file_goes_anywhere_without_a_mapping(cardio, files, tmp_path):
    out = tmp_path / "out"
    said = cardio("measure", "--plugin", "toy", files, "--out", out)
    written = everything_in(out)
    for name in (b"MILLER", b"SMITH"):
        assert name not in written
    assert "MILLER" not in said.stdout + said.stderr
    assert not any("MILLER" in path.name for path in out.rglob("*"))


def test_a_mapping_ties_every_id_to_its_file(cardio, files, tmp_path):
    out = tmp_path / "out"
    mapping = tmp_path / "who.csv"
    cardio("measure", "--plugin", "toy", files, "--out", out, "--mapping", mapping, "--no-sheets")
    with mapping.open(encoding="utf-8", newline="") as file:
        tied = {row["id"]: row["file"] for row in csv.DictReader(file)}
    assert set(tied) == {row["id"] for row in table_of(out)}
    assert set(tied.values()) == {str(path.resolve()) for path in files.rglob("*.csv")}


def test_each_recording_gets_a_sheet_and_the_page_needs_no_network(
    cardio, files, tmp_path, same_text
):
    out = tmp_path / "out"
    cardio("measure", "--plugin", "toy", files, "--out", out)
    made = table_of(out)
    for row in made:
        if row["reason"]:
            assert row["sheet"] == ""
        else:
            assert (out / row["sheet"]).read_bytes().startswith(b"\x89PNG")
    page = (out / "measurements.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == len(made) - 1
    assert "http://" not in page and "https://" not in page and "<script" not in page
    same_text("measured_page", page, numbers=False)
    # No model was used, so no outcome that a task predicts stands on the page.
    from cardio_core.registry import open_plugin

    assert not [task.title for task in open_plugin("toy").info.tasks if task.title in page]
    assert not list(out.rglob(".thumbnails"))


def test_without_sheets_there_is_none(cardio, files, tmp_path):
    out = tmp_path / "out"
    cardio("measure", "--plugin", "toy", files, "--out", out, "--no-sheets")
    assert not (out / "sheets").exists()
    assert "sheet" not in table_of(out)[0]


def test_json_says_the_same_as_the_table(cardio, files, tmp_path):
    out = tmp_path / "out"
    said = cardio("measure", "--plugin", "toy", files, "--out", out, "--no-sheets", "--json")
    answer = json.loads(said.stdout)
    made = table_of(out)
    assert [row["id"] for row in answer["recordings"]] == [row["id"] for row in made]
    for told, row in zip(answer["recordings"], made, strict=True):
        assert (told["reason"] or "") == row["reason"]
        if told["reason"] is None:
            height = told["measurements"]["height"]
            assert (height["title"], height["unit"]) == ("Height", "mV")
            assert height["value"] == pytest.approx(float(row["height"]), rel=1e-3)
    assert (answer["n_measured"], answer["n_refused"]) == (len(made) - 1, 1)


def test_the_same_numbers_come_from_one_worker_and_from_two(cardio, newcomers, tmp_path):
    for n in (1, 2):
        cardio(
            "measure", "--plugin", "toy", newcomers, "--out", tmp_path / str(n), "--no-sheets",
            "--executor", f"local:{n}",
        )  # fmt: skip
    one, two = ((tmp_path / n / "measurements.csv").read_bytes() for n in ("1", "2"))
    assert one == two


def test_a_file_that_comes_twice_is_measured_twice_and_flagged(cardio, newcomers, tmp_path):
    copy = tmp_path / "copy.csv"
    shutil.copy(newcomers / "C01r0.csv", copy)
    out = tmp_path / "out"
    said = cardio(
        "measure", "--plugin", "toy", newcomers / "C01r0.csv", copy, "--out", out, "--no-sheets"
    )
    assert said.exit_code == 0, said.stderr
    first, second = table_of(out)
    assert first["height"] == second["height"]
    assert first["flags"] == ""
    assert second["flags"] == f"the same file as recording {first['id']}"


def test_ctrl_c_keeps_what_is_measured_and_another_command_goes_on_with_it(
    cardio, newcomers, tmp_path, monkeypatch
):
    from cardio_core.runner import measure_tables as tables

    genuine, calls = tables._measured, []

    def stopped(job, *more):
        calls.append(job)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return genuine(job, *more)

    monkeypatch.setattr(tables, "_measured", stopped)
    words = ("measure", "--plugin", "toy", newcomers, "--no-sheets", "--executor", "local:1")
    out, whole = tmp_path / "out", tmp_path / "whole"
    said = cardio(*words, "--out", out)
    assert said.exit_code == 130
    kept = [json.loads(path.read_text()) for path in (out / "unfinished/patients").iterdir()]
    assert {line["patient_id"] for lines in kept for line in lines} == {"C00", "C01"}
    assert "2 patient(s)" in said.stderr
    assert not (out / "measurements.csv").exists()
    assert state_of(out) == "interrupted"
    assert cardio(*words, "--out", out).exit_code == 2
    refused = cardio("measure", "--plugin", "toy", newcomers, "--out", out, "--resume")
    assert (refused.exit_code, "--no-sheets" in refused.stderr) == (2, False)
    assert "was begun with" in refused.stderr
    assert cardio(*words, "--out", out, "--resume").exit_code == 0
    assert [job.number for job in calls[3:]] == [2, 3]
    assert cardio(*words, "--out", whole).exit_code == 0
    assert (out / "measurements.csv").read_bytes() == (whole / "measurements.csv").read_bytes()
    assert state_of(out) == "done"
    assert not (out / "unfinished").exists()
    assert cardio(*words, "--out", out, "--resume").exit_code == 2


def test_nothing_but_bad_files_exits_with_3_and_says_the_first_reason(cardio, newcomers, tmp_path):
    said = cardio("measure", "--plugin", "toy", newcomers / "letter.csv", "--out", tmp_path / "out")
    assert said.exit_code == 3
    assert said.code == "unusable" and names(said.stderr, "rate_hz=NUMBER")
    (row,) = table_of(tmp_path / "out")
    assert row["reason"]


def test_the_plugins_own_mistake_keeps_its_text_and_costs_that_recording_alone(
    cardio, newcomers, tmp_path
):
    words = ("--out", tmp_path / "out", "--no-sheets")
    said = cardio("measure", "--plugin", "names_too_few", newcomers, *words)
    assert said.exit_code == 3
    assert names(
        said.stderr, "names_too_few", "measure", "2", "1", "cardio_broken", "names_too_few.py"
    )


def test_a_measurement_that_nobody_has_keeps_its_column_and_is_named(cardio, newcomers, tmp_path):
    words = ("measure", "--plugin", "measures_nothing", newcomers, "--no-sheets")
    said = cardio(*words, "--out", tmp_path / "out")
    assert said.exit_code == 0, said.stderr
    made = table_of(tmp_path / "out")
    assert {row["height"] for row in made} == {"1"}
    assert {row["spread"] for row in made} == {""}
    [line] = [line for line in said.stderr.splitlines() if "Longest pause" in line]
    page = (tmp_path / "out" / "measurements.html").read_text(encoding="utf-8")
    assert line in page
    assert "Longest pause (s)" not in page
    found = cardio("measure", "--plugin", "toy", newcomers, "--no-sheets", "--out", tmp_path / "b")
    assert "Longest pause" not in found.stderr


def test_a_folder_in_which_nothing_was_measured_is_taken_again(cardio, newcomers, tmp_path):
    words = ("measure", "--plugin", "toy", "--no-sheets", "--out", tmp_path / "out")
    assert cardio(*words, newcomers / "letter.csv").exit_code == 3
    assert cardio(*words, newcomers / "C01r0.csv").exit_code == 0
    (row,) = table_of(tmp_path / "out")
    assert row["height"]
    assert "reason" not in row


def test_a_folder_with_measurements_is_not_written_over(cardio, newcomers, tmp_path):
    words = ("measure", "--plugin", "toy", newcomers / "C01r0.csv", "--out", tmp_path / "out")
    assert cardio(*words).exit_code == 0
    said = cardio(*words)
    assert said.exit_code == 2
    assert names(said.stderr, "measurements.csv")


def test_an_input_that_is_not_there_exits_with_2(cardio, tmp_path):
    said = cardio("measure", "--plugin", "toy", tmp_path / "nobody.csv")
    assert said.exit_code == 2
    assert names(said.stderr, "nobody.csv")


def test_a_recording_of_many_samples_gets_their_median_number_and_quartiles(tmp_path):
    import numpy as np
    import pandas as pd

    from cardio_core.report.measurements import measured_of
    from cardio_core.types.features import FeatureBlock, FeatureSet

    ids = dict.fromkeys(("recording_id", "study_id", "patient_id"), ["a"] * 4)
    table = pd.DataFrame({**ids, "variant": [0, 0, 0, 1]}, index=[f"a#{n}" for n in range(4)])
    block = FeatureBlock(
        np.array([[800, 1, np.nan], [900, 1, np.nan], [1000, 1, np.nan], [5, 0, 5]], np.float32),
        ("interval",),
        ("rr_ms", "block", "pr_ms"),
        ("ms", "1", "ms"),
        titles=("RR interval", "Bundle branch block", "PR interval"),
        levels={"block": ("no", "yes")},
    )
    interval, blocked, pr = measured_of(FeatureSet(table, {"rhythm": block}))
    assert (interval.name, interval.column.head) == ("rr_ms", "RR interval (ms)")
    assert (interval.value, interval.quartiles) == (900.0, (850.0, 950.0))
    assert (blocked.column.head, blocked.text, blocked.quartiles) == (
        "Bundle branch block", "yes", None,
    )  # fmt: skip
    assert (pr.value, pr.text) == (None, "")


def test_what_is_listed_last_stands_behind_all_blocks_and_names_of_two_blocks_stay_apart():
    import numpy as np
    import pandas as pd

    from cardio_core.errors import ContractError
    from cardio_core.report.measurements import measured_of
    from cardio_core.types.features import FeatureBlock, FeatureSet

    table = pd.DataFrame({name: ["a"] for name in ("recording_id", "study_id", "patient_id")})
    about = (("measure",), ("r_mv", "Share, V1", "id"), ("mV", "1", "1"))
    first = FeatureBlock(np.ones((1, 3)), *about, listed_last=("r_mv", "Share, V1"))
    second = FeatureBlock(np.ones((1, 2)), ("measure",), ("r_mv", "qt_ms"), ("mV", "ms"))
    made = measured_of(FeatureSet(table, {"waves": first, "other": second}))
    names = ["waves_id", "other_r_mv", "qt_ms", "waves_r_mv", "share_v1"]
    assert [one.name for one in made] == names
    with pytest.raises(ContractError, match="lists 'pr' last"):
        FeatureBlock(np.ones((1, 3)), *about, listed_last=("pr",))


def test_a_code_is_written_as_its_word_and_the_commonest_of_several_counts():
    from dataclasses import replace

    import numpy as np
    import pandas as pd

    from cardio_core.errors import ContractError
    from cardio_core.report.measurements import measured_of
    from cardio_core.types.features import FeatureBlock, FeatureSet

    table = pd.DataFrame({name: list("aaa") for name in ("recording_id", "study_id", "patient_id")})
    levels = {"rhythm": ("sinus", "paced", "not sure")}
    values = np.array([[2.0], [0.0], [2.0]])
    block = FeatureBlock(values, ("measure",), ("rhythm",), ("1",), levels=levels)
    (rhythm,) = measured_of(FeatureSet(table, {"rhythm": block}))
    assert (rhythm.text, rhythm.quartiles, rhythm.column.values) == ("not sure", None, "text")
    none = replace(block, values=np.full((3, 1), np.nan))
    assert measured_of(FeatureSet(table, {"rhythm": none}))[0].text == ""
    with pytest.raises(ContractError, match="'beat'"):
        FeatureBlock(values, ("measure",), ("rhythm",), ("1",), levels={"beat": ("a",)})


@pytest.mark.parametrize("n_sheets", [1, 5, 6])
def test_up_to_five_sheets_stand_open_on_the_page_and_more_are_thumbnails_that_lead_to_them(
    cardio, newcomers, tmp_path, n_sheets
):
    recording = newcomers / "C01r0.csv"
    files = [tmp_path / f"{n}.csv" for n in range(n_sheets)]
    for file in files:
        shutil.copy(recording, file)
    out = tmp_path / "out"
    assert cardio("measure", "--plugin", "toy", *files, "--out", out).exit_code == 0
    page = (out / "measurements.html").read_text(encoding="utf-8")
    opened = n_sheets <= 5
    assert page.count("data:image/png;base64,") == (n_sheets if opened else 0)
    assert page.count("data:image/jpeg;base64,") == (0 if opened else n_sheets)
    for n in range(1, n_sheets + 1):
        assert (f'href="#sheet-{n}"' in page and f'id="sheet-{n}"' in page) == opened
    assert page.count('href="sheets/') == (0 if opened else n_sheets)
    # On paper a sheet is as wide as it was drawn: 11 inches.
    assert page.count("--paper: 279.4mm") == (n_sheets if opened else 0)


def test_a_second_file_says_what_each_column_is(cardio, newcomers, tmp_path):
    out = tmp_path / "out"
    cardio("measure", "--plugin", "measures_nothing", newcomers, "--out", out, "--no-sheets")
    with (out / "measurements_columns.csv").open(encoding="utf-8", newline="") as file:
        about = {row["column"]: row for row in csv.DictReader(file)}
    assert list(about) == list(table_of(out)[0])
    pause = about["spread"]
    assert (pause["title"], pause["unit"], pause["values"]) == ("Longest pause", "s", "number")
    assert (about["id"]["unit"], about["id"]["values"]) == ("", "text")


def test_a_sheet_that_breaks_is_drawn_by_the_core_and_says_so(tmp_path):
    import numpy as np
    import pandas as pd

    from cardio_core.report.measured import Sheet, write_sheet
    from cardio_core.types.features import FeatureBlock, FeatureSet

    ids = {name: ["a"] for name in ("recording_id", "study_id", "patient_id")}
    block = FeatureBlock(np.ones((1, 1), np.float32), ("size",), ("height",), ("mV",))
    features = FeatureSet(pd.DataFrame(ids, index=["a"]), {"size": block})
    given = {"recording": np.arange(50.0), "samples": None, "features": features}
    told = Sheet("toy 0.1", "a", (), ("noisy",))

    def broken(figure, **_):
        raise RuntimeError("no such axes")

    problem = write_sheet(tmp_path / "a.png", told, broken, given)
    assert problem == "drawn by the core: sheet.py failed (RuntimeError: no such axes)"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


RECORDINGS = {
    "nothing": None,
    "words": "a letter",
    "trace": [0.0, 1.0],
    "one": (0,),
    "three": (3,),
    "leads": (12, 5000),
    "image": (40, 50),
    "colour": (40, 50, 3),
    "loop": (30, 40, 50),
    "colour_loop": (5, 40, 50, 3),
    "volume_in_time": (8, 20, 32, 32),
    "empty": (0, 4),
}


@pytest.mark.parametrize("kind", RECORDINGS)
@pytest.mark.parametrize("fill", [1.0, float("nan")])
def test_the_cores_sheet_draws_whatever_a_recording_is(kind, fill):
    import numpy as np
    from matplotlib.figure import Figure

    from cardio_core.report.measured import draw_default

    shape = RECORDINGS[kind]
    recording = np.full(shape, fill) if isinstance(shape, tuple) else shape
    figure = Figure(layout="constrained")
    nothing = type("Nothing", (), {"blocks": {}})()
    draw_default(figure, recording=recording, samples=None, features=nothing, measured=[])
    figure.draw_without_rendering()
