"""A patient's name that stands in a header, a private tag, the picture and the files' names."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cardio_core.testing import call_cardio, names
from cardio_ultrasound import Sector, burn_in, write_us_loop

from .echo_cohorts import write_table

NAME = "ZEBRAWSKI"
SECTOR = Sector(depth_mm=110.0, half_angle_deg=38.0, n_rows=200, n_columns=240)
VIEWS = ("a4c", "plax")


def write_named(file: Path, seed: int, n_frames: int = 10) -> Path:
    """Write a loop of noise in a sector that says whose it is wherever a file can."""
    frames = np.random.default_rng(seed).integers(20, 220, (n_frames, 200, 240), dtype=np.uint8)
    printed = burn_in(frames * SECTOR.mask(), [f"{NAME}^ANNA"]).frames
    about = {"PatientName": f"{NAME}^ANNA", "PatientID": NAME, "StudyDescription": NAME}
    write_us_loop(
        file, printed, frame_rate_hz=50.0, mm_per_pixel=(0.6, 0.6), photometric="MONOCHROME2",
        extra=about, private_text=NAME,
    )  # fmt: skip
    return file


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run on five patients; of the last, two loops are good and four are not."""
    folder = tmp_path_factory.mktemp("named")
    rows = []
    for n in range(1, 6):
        clips = {view: f"{NAME}{n}_{view}.dcm" for view in VIEWS}
        for seed, file in enumerate(clips.values()):
            write_named(folder / file, 10 * n + seed)
        named = {f"path_echo_{view}": file for view, file in clips.items()}
        rows.append({"patient_id": f"P{n}", "study_id": f"S{n}", **named})
    bad = [folder / f"{NAME}_{what}" for what in ("cut.dcm", "brief.dcm", "stated.npy", "none.dcm")]
    write_named(bad[0], 90).write_bytes(write_named(bad[0], 90).read_bytes()[:3000])
    write_named(bad[1], 91, n_frames=3)
    np.save(bad[2], np.zeros((12, 48, 48), np.uint8))
    bad[2].with_suffix(".json").write_text(f"{NAME} is not JSON")
    rows[-1]["path_echo_other"] = ";".join(file.name for file in bad)
    write_table(folder, rows)
    out = tmp_path_factory.mktemp("runs") / "view"
    sets = ("limits.bad_share=0.5", "protocols.honest.k=2", "evaluate.n_resamples=100",
            "preprocess.min_frames=8")  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
        said = call_cardio(
            "run", "--plugin", "echo_cmr", "--task", "view", "--data", folder, "--config", "smoke",
            "--protocol", "honest", "--device", "cpu", "--executor", "local:1", "--out", out,
            *(word for text in sets for word in ("--set", text)),
        )  # fmt: skip
    assert said.exit_code == 0, said.stderr
    return out


def held_by(file: Path) -> list[bytes]:
    """Return the content of a file, and of what is packed in it."""
    content = file.read_bytes()
    if not zipfile.is_zipfile(file):
        return [content]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [content, *(archive.read(name) for name in archive.namelist())]


def test_a_name_is_found_nowhere_in_the_run_directory(finished):
    files = [file for file in finished.rglob("*") if file.is_file()]
    assert {"manifest.json", "report.html", "log.jsonl"} <= {file.name for file in files}
    spelt = [NAME.lower().encode(code) for code in ("utf-8", "utf-16-le")]
    telling = {
        str(file.relative_to(finished))
        for file in files
        if any(name in part.lower() for part in held_by(file) for name in spelt)
        or NAME.lower() in str(file.relative_to(finished)).lower()
    }
    assert telling == set()


def test_the_loops_set_aside_are_told_by_their_ids_and_what_is_wrong_with_them(finished):
    rows = json.loads((finished / "manifest.json").read_text())["quarantined"]
    reasons = {row["recording_id"]: row["reason"] for row in rows}
    assert list(reasons) == ["S5-3", "S5-4", "S5-5", "S5-6"]
    assert all(reason.startswith("expected ") for reason in reasons.values())
    assert names(reasons["S5-4"], 8, 3, "frames")
    assert "a JSON object" in reasons["S5-5"]
    assert "expected a file, found none" in reasons["S5-6"]
