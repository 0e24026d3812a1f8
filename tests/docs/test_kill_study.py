"""The study of killed runs: what it would find, and what it found."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # of the study, not of the page
GRAVE = ("differences", "torn", "unfinished", "lock")


@pytest.fixture(scope="module")
def page(of_benchmarks):
    return of_benchmarks("kill_study_page")


@pytest.fixture(scope="module")
def watch(of_benchmarks):
    return of_benchmarks("kill_study_watch")


@pytest.fixture(scope="module")
def stored(page):
    return json.loads(page.STORED.read_text(encoding="utf-8"))


def test_the_stored_kills_hit_every_stage_in_every_way(page, stored):
    toy = stored["toy"]["kills"]
    assert {one["kind"] for one in toy} == set(page.KINDS)
    assert {one["how"] for one in toy} == {"at a write", "by the clock"}
    assert {stage for one in toy for stage in one["hit"].split(", then ")} >= set(page.STAGES)


def test_no_stored_kill_changed_a_result_or_tore_a_file(page, stored):
    for own in stored.values():
        for kill in own["kills"]:
            found = page.faults_of(kill)
            assert not any(found[name] for name in GRAVE), kill


def test_every_fault_that_was_found_stands_on_the_page(page, stored):
    shown = page.PAGE.read_text(encoding="utf-8")
    for plugin, own in stored.items():
        for kill in own["kills"]:
            told = f"- {plugin}, {kill['number']}: {kill['kind']}" in shown
            assert told == any(page.faults_of(kill).values())


def test_a_fault_is_told(page, stored):
    plugin = next(iter(stored))
    spoiled = json.loads(json.dumps(stored))
    spoiled[plugin]["kills"][1]["torn"] = ["metrics.json: JSONDecodeError"]
    text = page.rendered(spoiled)
    assert "## Faults" in text
    assert "torn files: 1" in text


def whole(folder):
    folder.mkdir()
    (folder / "a.json").write_text('{"a": 1}')
    (folder / "a.csv").write_text("a,b\n1,2\n3,4\n")
    np.savez(folder / "a.npz", a=np.arange(9))
    np.save(folder / "a.npy", np.arange(9))
    (folder / "a.svg").write_text("<svg></svg>\n")
    (folder / "a.yaml").write_text("a: 1\n")
    return folder


def test_a_torn_file_is_found_unless_its_name_is_temporary(watch, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    folder = whole(tmp_path / "run")
    safetensors.save_file({"a": np.arange(9)}, folder / "a.safetensors")
    assert watch.torn_files([folder]) == []
    names = sorted(one.name for one in folder.iterdir())
    for name in names:
        content = (folder / name).read_bytes()
        half = content[: len(content) // 2] if name != "a.yaml" else b""
        (folder / name).write_bytes(half)
        (folder / f".{name}.0a1b2c-12.tmp").write_bytes(half)
    assert [one.partition(":")[0] for one in watch.torn_files([folder])] == names
    assert watch.unfinished([folder]) == sorted(f".{name}.0a1b2c-12.tmp" for name in names)


def test_a_broken_member_of_a_whole_zip_is_found(watch, tmp_path):
    folder = whole(tmp_path / "run")
    with zipfile.ZipFile(folder / "a.npz") as packed:
        offset = packed.infolist()[0].header_offset + 120
    content = bytearray((folder / "a.npz").read_bytes())
    content[offset] ^= 255
    (folder / "a.npz").write_bytes(content)
    assert [one.partition(":")[0] for one in watch.torn_files([folder])] == ["a.npz"]


def test_a_file_that_differs_is_found_but_not_its_times(watch, tmp_path):
    one, other = (whole(tmp_path / name) for name in ("one", "other"))
    (one / "manifest.json").write_text("{}")
    (other / "metrics.json").write_text("[]")
    (other / "a.csv").write_text("a,b\n1,2\n3,5\n")
    found = watch.differences(watch.contents(one), watch.contents(other))
    assert found == ["a.csv", "metrics.json"]


@pytest.mark.parametrize(
    ("manifest", "metrics", "stage"),
    [
        (None, False, "starting"),
        ({"status": "running"}, False, "starting"),
        ({"status": "running: training"}, False, "training"),
        ({"status": "running: evaluation"}, False, "evaluation"),
        ({"status": "running: evaluation"}, True, "report"),
        ({"status": "done"}, True, "report"),
        ({"status": "done", "outputs": {"a": "b"}}, True, "done"),
    ],
)
def test_the_stage_is_that_of_the_manifest(watch, tmp_path, manifest, metrics, stage):
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    if metrics:
        (tmp_path / "metrics.json").write_text("[]")
    assert watch.stage_of(tmp_path) == stage


def test_a_process_is_known_by_its_session(watch):
    assert os.getpid() in watch.alive("no mark", os.getsid(0))
    assert watch.alive("no mark", -1) == {}


def test_eight_commands_were_killed_thirty_times_each_and_nothing_looked_whole(page):
    kills = json.loads(page.COMMANDS.read_text(encoding="utf-8"))["kills"]
    by_command = {one["command"]: 0 for one in kills}
    for one in kills:
        by_command[one["command"]] += 1
        assert not any(one[name] for name in page.GRAVE), one
        assert not one["again"], one
    assert len(by_command) == 8
    assert set(by_command.values()) == {30}
