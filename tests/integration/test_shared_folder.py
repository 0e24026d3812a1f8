"""What a shared folder tells: not where things lay, who worked there, or on which machine."""

from __future__ import annotations

import json
import os
import platform
import stat
from pathlib import Path

import pytest

from cardio_core.io.places import FILE, typed_command

ROOT, USER, HOST = "rootmark7", "usermark7", "hostmark7"
SMALL = ("--plugin", "toy", "--task", "mean_class", "--smoke", "--protocol", "honest",
         "--executor", "local:1", "--device", "cpu",
         *(word for one in ("evaluate.n_resamples=100", "protocols.honest.k=2", "inner.k=0")
           for word in ("--set", one)))  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory, installed):
    """A folder whose name nobody may hear of, with whose work lies in it and on whose machine."""
    from cardio_core.testing import call_cardio

    place = tmp_path_factory.mktemp("home") / ROOT / USER
    place.mkdir(parents=True)
    data, new, one, two = (place / name for name in ("data", "new", "one", "two"))
    rows = ["id,ill,risk", *(f"p{n},{n % 2},{0.3 + 0.3 * (n % 2) + n / 300}" for n in range(60))]
    (place / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    calls = [
        ("run", *SMALL, "--data", data / "cohort.csv", "--out", one),
        ("run", *SMALL, "--data", data, "--seed", "1", "--out", two),
        ("predict", one, new, "--out", place / "predicted", "--explain", place / "explained"),
        ("measure", "--plugin", "toy", new, "--out", place / "measured"),
        ("evaluate", one, "--data", new, "--other-people", "--out", place / "external"),
        ("judge", place / "table.csv", "--outcome", "ill", "--score", "risk", "--patient", "id",
         "--out", place / "judged"),
        ("compare", one, two, "--out", place / "compared"),
        ("fuse", f"a={one}", f"b={two}", "--out", place / "f" / "f" / "f" / "fused"),
        ("stability", one, "--repeats", "2", "--executor", "local:1", "--out", place / "stable"),
        ("export", one, "--out", place / "exported"),
        ("report", one),
        ("reproduce", one, "--executor", "local:1", "--out", place / "again"),
        ("stats", "table1", place / "table.csv", "--by", "ill", "--csv", place / "t.csv"),
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "node", lambda: HOST)
        for name in ("USER", "LOGNAME"):
            patch.setenv(name, USER)
        before = os.umask(0o022)
        try:
            for folder, seed in ((data, "0"), (new, "5")):
                said = call_cardio("data", "synth", "toy", "--task", "mean_class", "--patients",
                                   "24", "--seed", seed, "--out", folder)  # fmt: skip
                assert said.exit_code == 0, said.stderr
            for call in calls:
                said = call_cardio(*call)
                assert said.exit_code == 0, (call, said.stderr)
        finally:
            os.umask(before)
    return place


def written(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file() and path.name != FILE]


@pytest.mark.parametrize("word", [ROOT, USER, HOST])
def test_no_file_tells_where_who_or_on_which_machine(place: Path, word: str) -> None:
    telling = [
        str(path.relative_to(place))
        for path in written(place)
        if word.encode() in path.read_bytes() or word in path.relative_to(place).as_posix()
    ]
    assert telling == []
    assert len(written(place)) > 300


def test_the_places_are_kept_for_the_owner_alone_and_leave_with_nothing(place: Path) -> None:
    kept = sorted(place.rglob(FILE))
    assert {path.parent.name for path in kept} >= {
        "one", "two", "measured", "external", "judged", "compared", "fused", "stable", "again"
    }  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert not list((place / "exported").rglob(FILE))
    assert FILE not in json.loads((place / "one" / "manifest.json").read_text())["outputs"]


def test_the_command_is_known_again_with_its_places_and_shown_without(place: Path) -> None:
    one = place / "one"
    manifest = json.loads((one / "manifest.json").read_text(encoding="utf-8"))
    assert str(place / "data" / "cohort.csv") in typed_command(one, manifest)
    assert "--data cohort.csv" in manifest["command"]


def test_without_the_private_file_reproduce_asks_for_the_data(
    place: Path, cardio, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = place / "one" / FILE
    text = kept.read_bytes()
    kept.unlink()
    try:
        said = cardio("reproduce", place / "one", "--dry-run")
        assert (said.exit_code, "--data" in said.stderr) == (2, True)
        again = cardio("reproduce", place / "one", "--dry-run", "--data", place / "data")
        assert again.exit_code == 0, again.stderr
    finally:
        kept.write_bytes(text)
        kept.chmod(0o600)


def test_files_of_patients_are_their_owners_alone(place: Path) -> None:
    for folder in ("one", "measured", "external", "judged", "compared", "stable", "again"):
        modes = {
            (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
            for path in [place / folder, *(place / folder).rglob("*")]
        }
        assert modes <= {(True, 0o700), (False, 0o600)}, folder


@pytest.mark.parametrize(
    ("umask", "words", "folder", "file"),
    [(0o022, ("--group-readable",), 0o750, 0o640), (0o022, (), 0o700, 0o600),
     (0o077, ("--group-readable",), 0o700, 0o600)],
)  # fmt: skip
def test_the_group_reads_where_that_is_asked_and_no_stricter_umask_forbids_it(
    place: Path, cardio, tmp_path: Path, umask: int, words: tuple[str, ...], folder: int, file: int
) -> None:
    before = os.umask(umask)
    try:
        said = cardio("judge", place / "table.csv", "--outcome", "ill", "--score", "risk",
                      "--out", tmp_path / "judged", *words)  # fmt: skip
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert said.exit_code == 0, said.stderr
    assert stat.S_IMODE((tmp_path / "judged").stat().st_mode) == folder
    page, private = tmp_path / "judged" / "report.html", tmp_path / "judged" / FILE
    assert stat.S_IMODE(page.stat().st_mode) == file
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
