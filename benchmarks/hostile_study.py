"""Pickles, faults of reading and surroundings that mean no good.

    nice python benchmarks/hostile_study.py

Each case is one hostile file, fault or surrounding. A case fails where a command ends with a
traceback or an unexpected error, writes outside of its folder, gives a file a name that some system
refuses, or runs what a file asked for. Names and formulas in every command are tried by
tests/integration/test_hostile_names.py. What was found is stored in docs/results/hostile.json;
``python benchmarks/hostile_page.py`` writes the page.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kill_study import ROOT, about, install_toy

STORED = ROOT / "docs" / "results" / "hostile.json"
SMALL = ("--plugin", "toy", "--task", "mean_class", "--smoke", "--protocol", "honest",
         "--executor", "local:1", "--device", "cpu")  # fmt: skip
SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}")


class Study:
    """All cases, and what was found."""

    def __init__(self, place: Path) -> None:
        self.place = place
        sys.path[:0] = install_toy(place)
        importlib.invalidate_caches()
        self.rows: list[dict[str, Any]] = []
        self.part = ""
        os.environ["CARDIO_CACHE"] = str(place / "cache")

    def add(self, category: str, what: str, tried: int, failed: Sequence[str], seed: Any) -> None:
        """Keep what one kind of case came to."""
        self.rows.append(
            {"category": category, "what": what, "tried": tried, "failed": len(failed),
             "failures": list(failed)[:20], "seed": seed}
        )  # fmt: skip
        keep(self.part, rows=self.rows)
        print(
            f"{category}: {what}: {tried} tried, {len(failed)} failed {list(failed)[:2]}",
            flush=True,
        )

    def call(self, *words: object, out: Path | None = None, may: Sequence[int] = (0,)) -> list[str]:
        """Give a command; return what is wrong with what it said and wrote."""
        from cardio_core.testing import call_cardio

        before = self._outside(out)
        said = call_cardio(*words)
        wrong = []
        if said.exit_code not in may or "Unexpected" in said.stderr or "Traceback" in said.stderr:
            wrong.append(f"{words[0]}: {said.exit_code}: {said.stderr[-200:]}")
        if self._outside(out) != before:
            wrong.append(f"{words[0]}: wrote outside of its folder")
        if out is not None and out.exists():
            wrong += [f"{words[0]}: a file is called {path.name!r}"
                      for path in out.rglob("*") if not SAFE.fullmatch(path.name)
                      and not path.name.startswith(".")]  # fmt: skip
        return wrong

    def _outside(self, out: Path | None) -> dict[str, int]:
        apart = (self.place / "cache", *(() if out is None else (out,)))
        return {
            str(path): path.stat().st_size
            for path in self.place.rglob("*")
            if path.is_file() and not any(path.is_relative_to(one) for one in apart)
        }


class Touch:
    """Makes a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.mark,)


def pickles(study: Study) -> None:
    """Pickles in every container, under the suffix of every recording."""
    mark = study.place / "unpickled"
    plain = pickle.dumps(Touch(mark))
    made: dict[str, bytes] = {"plain": plain}
    for name in ("object.npy", "object.npz", "torch.zip", "numpy.zip"):
        file = study.place / name
        if name.endswith("npy"):
            np.save(file, np.array([Touch(mark)], dtype=object), allow_pickle=True)
        elif name.endswith("npz"):
            np.savez(file, frames=np.array([Touch(mark)], dtype=object))
        else:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("archive/data.pkl" if "torch" in name else "a.npy", plain)
                archive.writestr("archive/version", "3\n")
        made[name] = file.read_bytes()
        file.unlink()
    suffixes = (".npy", ".npz", ".dcm", ".csv", ".edf", ".dat", ".hea", ".xml", ".json", ".nii",
                ".h5", ".mat", ".avi", ".pkl", ".pt", ".skops", ".safetensors")  # fmt: skip
    for plugin in ("toy", "ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr"):
        folder = study.place / f"pickled-{plugin}"
        folder.mkdir()
        for name, content in made.items():
            for suffix in suffixes:
                (folder / f"{name.replace('.', '-')}{suffix}").write_bytes(content)
        n = len(list(folder.iterdir()))
        out = study.place / f"measured-{plugin}"
        wrong = study.call("measure", "--plugin", plugin, folder, "--executor", "local:1",
                           "--out", out, out=out, may=(0, 3))  # fmt: skip
        if mark.exists():
            wrong.append(f"{plugin}: a pickle was run")
            mark.unlink()
        study.add("pickles", f"{plugin}: containers by suffix", n, wrong, None)


_armed: dict[str, Any] = {}


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _armed or not isinstance(arguments[0], str):
        return
    if Path(arguments[0]).name.startswith(_armed["name"]):
        _armed["left"] -= 1
        if _armed["left"] < 0:
            raise OSError(_armed["number"], os.strerror(_armed["number"]), arguments[0])


@contextmanager
def failing(name: str, number: int, after: int) -> Iterator[None]:
    """Let a file fail whenever it is opened, but for the first few times."""
    _armed.update(name=name, number=number, left=after)
    try:
        yield
    finally:
        _armed.clear()


FAULTS = (errno.EIO, errno.ESTALE, errno.ENAMETOOLONG, errno.EACCES, errno.ENOENT, errno.ETIMEDOUT)
SYNTHS = {
    "toy": ("C01", "mean_class"), "ecg_transfer": ("", "crt_response"), "spect_polar": ("", None),
    "mmode_septal_flash": ("", None), "echo_cmr": ("", None),
}  # fmt: skip


def faults(study: Study) -> None:
    """What the system may refuse of one recording, at each time that it is opened."""
    sys.addaudithook(_hear)
    for plugin in SYNTHS:
        folder = study.place / f"faults-{plugin}"
        wrong = study.call("data", "synth", plugin, "--patients", "3", "--seed", "3",
                           "--out", folder, out=folder)  # fmt: skip
        table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
        column = next(c for c in table.columns if c.startswith("path_") and table[c].iloc[0])
        victim = Path(table[column].iloc[0].split(";")[0]).name
        n = 0
        for number in FAULTS:
            for after in range(4):
                out = study.place / "faulty"
                shutil.rmtree(out, ignore_errors=True)
                n += 1
                with failing(victim, number, after):
                    wrong += study.call("measure", "--plugin", plugin, folder, "--no-sheets",
                                        "--executor", "local:1", "--out", out, out=out)  # fmt: skip
                if out.joinpath("measurements.csv").is_file():
                    rows = pd.read_csv(out / "measurements.csv", dtype=str, keep_default_na=False)
                    reason = rows.get("reason", pd.Series([""] * len(rows)))
                    whole = rows[reason.eq("")]
                    if len(whole) < 1:
                        wrong.append(
                            f"{plugin}: {errno.errorcode[number]} at {after}: nobody is left"
                        )
        study.add("faults of reading", f"measure, {plugin}", n, wrong, 3)


def surroundings(study: Study) -> None:
    """Shared memory and homes; tests/integration/test_surroundings.py has the others."""
    place = study.place
    data = place / "surroundings"
    from cardio_core.registry import resolve

    data.mkdir()
    resolve("cardio_toy.synthetic:synthesize")(data, task="mean_class", n_patients=24, seed=1)
    path = os.pathsep.join([str(place / "installed"), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": path}
    base = [sys.executable, "-m", "cardio_core", "run", *SMALL[:-4], "--device", "cpu",
            "--data", str(data)]  # fmt: skip
    tries = {
        "shared memory of 1 MB": (
            "unshare -m sh -c 'mount -t tmpfs -o size=1m none /dev/shm; {}'",
            "local:2",
        ),
        "no shared memory": ("unshare -m sh -c 'umount -l /dev/shm; {}'", "local:1"),
        "no home": ("HOME=/proc/nobody {}", "local:1"),
    }
    for number, (what, (shell, executor)) in enumerate(tries.items()):
        words = " ".join([*base, "--executor", executor, "--out", str(place / f"around-{number}")])
        done = subprocess.run(
            ["bash", "-c", shell.format(words)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        ended = done.stderr.strip().splitlines()
        wrong = []
        if (
            "Traceback" in done.stderr
            or "Unexpected" in done.stderr
            or done.returncode not in (0, 1, 2)
        ):
            wrong.append(f"{what}: {done.returncode}: {ended[-3:]}")
        study.add("surroundings", what, 1, wrong, None)


PARTS = {
    "pickles": pickles,
    "faults": faults,
    "surroundings": surroundings,
}


def keep(part: str, **found: Any) -> None:
    """Put a part in the place of an earlier one."""
    everything = json.loads(STORED.read_text()) if STORED.exists() else {"parts": {}}
    everything["parts"][part] = {**about(), **found}
    STORED.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--fuzz", type=Path, help="what python -m tests.fuzz --store stored")
    options = parser.parse_args()
    for part in options.only:
        study = Study(Path(tempfile.mkdtemp(prefix="hostile-")).resolve())
        study.part = part
        PARTS[part](study)
    if options.fuzz:
        found = json.loads(options.fuzz.read_text(encoding="utf-8"))
        rows = [
            {"category": "damaged files", "what": one["title"], "tried": one["n"],
             "failed": one["other"], "failures": one["findings"], "seed": one["seed"]}
            for one in found["readers"].values()
        ]  # fmt: skip
        keep("fuzz", rows=rows)


if __name__ == "__main__":
    main()
