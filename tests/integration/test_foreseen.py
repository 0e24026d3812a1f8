"""What a dry run and a check foresee of an EchoNet-style folder is what a run sets aside."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from cardio_core.compute.executors import SerialExecutor
from cardio_core.context import Context
from cardio_core.io.store import open_cache
from cardio_core.runner.prepare import prepare
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import set_up
from cardio_core.testing import names

ASKED = {
    "needs.view.skip": "true",
    "load.views": "table",
    "load.min_studies": "1",
    "limits.bad_share": "0.9",
}
SETS = [word for name, value in ASKED.items() for word in ("--set", f"{name}={value}")]

FOUND = {
    "short": "expected at least 8 frames, found 5",
    "still": "expected a loop of at least 2 frames, found a still image",
    "colour": "expected a grey B-mode loop, found colour Doppler",
    "garbage": "expected an AVI, MP4 or Matroska file, found another kind",
    "cut": "cut short",
    "two": "expected one sector, found two side by side",
    "text": "expected a sector of tissue, found pictures that are almost black",
    "square": "expected the outline of a sector",
    "slow": "expected",
    "no_rate": "expected frames a second as FPS, found none",
    "no_video": "expected its video in Videos, found none",
}
"""One recording a defect, and what is said of it."""


def fan(side: int = 112, tip: float = 0.5, half: float = 0.62, depth: float = 0.95):
    down, right = np.indices((side, side)) / side
    radius, angle = np.hypot(down, right - tip), np.arctan2(right - tip, down)
    return (radius < depth) & (np.abs(angle) < half)


def write(file: Path, mask, n_frames: int = 24, *, colour: bool = False, seed: int = 0) -> None:
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 50.0, mask.shape[::-1])
    rng = np.random.default_rng(seed)
    for _ in range(n_frames):
        grey = rng.integers(30, 220, mask.shape, dtype=np.uint8) * mask
        shown = [grey, grey // 4, 255 * mask - grey] if colour else [grey] * 3
        writer.write(np.ascontiguousarray(np.stack(shown, axis=-1).astype(np.uint8)))
    writer.release()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("echonet")
    videos, good = made / "Videos", fan()
    videos.mkdir()
    for number, name in enumerate(("fine_1", "fine_2", "fine_3", "fine_4")):
        write(videos / f"{name}.avi", fan(half=0.55 + 0.05 * number), seed=number)
    write(videos / "short.avi", good, 5, seed=11)
    write(videos / "still.avi", good, 1, seed=12)
    write(videos / "colour.avi", good, colour=True, seed=13)
    (videos / "garbage.avi").write_bytes(b"no video at all" * 40)
    write(videos / "cut.avi", good, seed=14)
    whole = (videos / "cut.avi").read_bytes()
    (videos / "cut.avi").write_bytes(whole[: len(whole) // 2])
    write(
        videos / "two.avi", fan(tip=0.25, half=0.5, depth=0.5) | fan(tip=0.75, half=0.5, depth=0.5)
    )
    write(videos / "text.avi", np.pad(np.ones((4, 40), bool), ((4, 104), (4, 68))))
    write(videos / "square.avi", np.pad(np.ones((80, 80), bool), 16))
    write(videos / "slow.avi", good, seed=15)
    write(videos / "no_rate.avi", good, seed=16)
    rates = {"slow": "0.5", "no_rate": ""}
    names = ["fine_1", "fine_2", "fine_3", "fine_4", *FOUND]
    lines = ["FileName,EF,FPS", *(f"{name},55,{rates.get(name, '50')}" for name in names)]
    (made / "FileList.csv").write_text("\n".join(lines) + "\n")
    segments = [f"wma_seg_{number:02d}" for number in range(1, 18)]
    rows = [",".join(["study_id", "patient_id", *segments])]
    rows += [",".join([name, f"P{n}", str(n % 2), *["0"] * 16]) for n, name in enumerate(names)]
    (made / "cohort.csv").write_text("\n".join(rows) + "\n")
    return made


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))


def set_aside_by_a_run(folder: Path) -> dict[str, str]:
    """What the first stage of a run sets aside: `prepare`, which every run calls."""
    request = RunRequest(
        "echo_cmr", task="wma", data=(folder,), config="cpu", protocol="honest", device="cpu",
        sets=tuple(f"{name}={value}" for name, value in ASKED.items()),
    )  # fmt: skip
    setup = set_up(request)
    ctx = Context(setup.task, device=setup.devices[0], cache=open_cache(), _inputs=(folder,))
    made = prepare(setup.plugin, setup.config.for_protocol("honest"), ctx, SerialExecutor(), None)
    return {row.recording_id: row.reason for row in made.quarantined}


def test_what_is_foreseen_is_what_is_set_aside(cardio, folder, cache):
    asked = ["--plugin", "echo_cmr", "--task", "wma", "--config", "cpu", *SETS]
    told = cardio("run", *asked, "--data", folder, "--protocol", "honest", "--dry-run")
    assert told.exit_code == 0, told.stderr
    checked = cardio("data", "check", folder, *asked, "--json").json
    done = set_aside_by_a_run(folder)
    assert set(done) == set(FOUND)
    for name, says in FOUND.items():
        assert says in done[name], (name, done[name])
    assert {row["recording_id"]: row["reason"] for row in checked["quarantined"]} == done
    assert "13 recordings of 13 patients, 2 quarantined" in told.stdout
    assert "Set aside when they are read: 9 of 13 recordings:" in told.stdout
    shown = re.findall(r"^ *(\w+): (expected.*)$", told.stdout, re.MULTILINE)
    assert len(shown) >= 6 and dict(shown).items() <= done.items()


def test_a_dry_run_stops_where_the_run_would(cardio, folder, cache):
    asked = ["--plugin", "echo_cmr", "--task", "wma", "--config", "cpu", *SETS[:-2]]
    told = cardio("run", *asked, "--data", folder, "--protocol", "honest", "--dry-run")
    assert told.exit_code == 3
    assert names(told.stderr, "11", "15", "limits.bad_share")
