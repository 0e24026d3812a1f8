"""Hostile names, and every place of a command in which one can stand.

A `Use` gives a command with such names in one place; `Site.give` runs it, watches what this process
writes, and reads what is left behind.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from cardio_core.registry import resolve
from cardio_core.testing import call_cardio
from cardio_stats.cells import cell_text, write_table
from cardio_ultrasound import write_us_loop

# As Microsoft's "Naming Files, Paths, and Namespaces" lists them.
WINDOWS = [
    "CON", "PRN", "AUX", "NUL", *(f"COM{n}" for n in range(10)), *(f"LPT{n}" for n in range(10)),
]  # fmt: skip
HOSTILE = [
    # paths, up, down, absolute, of Windows and of shares
    *("../" * n + "ESC" for n in range(1, 31)),
    *("..\\" * n + "ESC" for n in range(1, 6)),
    *(f"a/{'../' * n}ESC" for n in range(2, 7)),
    "/etc/passwd", "/var/ESC", "//server/share", "C:\\ESC", "C:ESC", "\\\\?\\C:\\ESC", "~/ESC",
    "~root/ESC", "file:///ESC", "a/b", "a/b/c", "figures/../../ESC", "%2e%2e%2fESC", "..%2fESC",
    # dots
    *("." * n for n in range(1, 11)), ".hidden", ".ESC.svg", "end.", "end...", "a..b/..", ". .",
    # names that Windows keeps
    *WINDOWS, "con", "lpt1", *(f"{name.lower()}.svg" for name in WINDOWS), "CON.a.b", "nul .txt",
    "AUX:", "CONIN$",
    # characters that a file system, a shell or a page takes for something else
    *(f"a{one}b" for one in "<>:\"|?*;&$`'!#%{}[]()=,^~@+ "), "-rf", "--out=/var/ESC", " ", "a ",
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "$(touch ESC)", "`touch ESC`", "a:stream",
    # controls and what turns or hides text
    *(f"a{chr(code)}b" for code in (1, 2, 7, 8, 9, 11, 12, 14, 27, 31, 127, 133, 155)),
    "\u202egvs.CSE", "\u200fa", "a\u200b", "\ufeffa", "\u2028a", "a\u0000b", "a\u2066b\u2069",
    # other scripts, long ones too
    "心电图", "左心室射血分数（%）", "결과", "アウトカム", "исход", "النتيجة", "תוצאה", "αβγ", "é",
    "e\u0301",
    "心" * 240, "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "❤️" * 60, "ﬁ", "ＣＯＮ",
    # long ones
    "x" * 81, "x" * 255, "x" * 300, "x" * 5000, "../" * 1500 + "ESC", "a." * 60, "-" * 100,
]  # fmt: skip
ALLOWED = re.compile(r"[A-Za-z0-9_.-]{1,80}")
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\uff1d1+1", "=HYPERLINK(1)"]
NAMES = list(dict.fromkeys([*HOSTILE, *FORMULAS]))
FEW = ["../../../../ESC", "CON", "a\\b", "心" * 240, "=1+1", "a\x1bb"]
ACTS = re.compile("^[=+@\uff1d\uff0b\uff20]|^-(?![0-9.])|^-[0-9.]+[^0-9.eE% ]")
"""A cell that a spreadsheet computes, unless it is a number, perhaps with its interval."""
NUMBERS = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?( ?%)?( [(\[].*[)\]])?")
SMALL = ("--plugin", "toy", "--task", "mean_class", "--smoke", "--protocol", "honest",
         "--executor", "local:1", "--device", "cpu",
         "--set", "evaluate.n_resamples=100")  # fmt: skip


def is_safe(name: str) -> bool:
    """Return whether every file system takes a name, and none takes it for anything else."""
    stem = name.partition(".")[0].upper()
    shown = ALLOWED.fullmatch(name) and name[0] != "." and name[-1] != "."
    return bool(shown) and stem not in WINDOWS


def is_path(name: str) -> bool:
    """Return whether a file can have this name, and no other folder than its own."""
    # A file system takes 255 bytes, of which some are an ending's.
    return not {"/", "\0"} & set(name) and name not in (".", "..") and len(os.fsencode(name)) < 250


def is_id(name: str) -> bool:
    """Return whether a cell of a cohort table can hold a name, which is the path of nothing."""
    return name.isprintable() and cell_text(name) == name and not os.path.exists(name)  # noqa: PTH110


def acting(out: Path) -> Iterator[str]:
    """Yield the cells of CSV files that a spreadsheet would compute."""
    for path in out.rglob("*.csv"):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.reader(file):
                yield from (
                    cell for cell in row if ACTS.match(cell) and not NUMBERS.fullmatch(cell)
                )


_writes: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _writes is None:
        return
    if event == "open":
        path, _, flags = arguments
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
    elif event in ("os.mkdir", "os.remove", "os.rmdir"):
        path = arguments[0]
    elif event in ("os.rename", "os.link", "os.symlink"):
        path = arguments[1]
    else:
        return
    if event != "open" and arguments[-1] not in (-1, None):
        return  # of a folder that is open: shutil clears what it was told to
    if isinstance(path, (str, bytes)):
        _writes.append(os.path.realpath(os.fsdecode(path)))


sys.addaudithook(_hear)


@dataclass(frozen=True)
class Use:
    """A command with names in one place.

    `words` is called with the site, the names and the path to write to. Of `every` nth name, at
    most `at_once` go into one call; `least` is the share that has to be accepted. `typed`: the
    names are places that the user chose, and stand in the result as such.
    """

    words: Callable[[Site, Sequence[str], Path], Sequence[object]]
    at_once: int = 1
    every: int = 1
    least: float = 0.8
    typed: bool = False
    fits: Callable[[str], bool] = lambda _: True


@dataclass
class Given:
    """What came of the names of one use."""

    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Site:
    """Folders to give commands in: what they read, what they may write, and all around it."""

    def __init__(self, place: Path, names: Sequence[str]) -> None:
        self.place, self.names = place.resolve(), names
        matplotlib.get_configdir()  # made once, wherever this user keeps such things
        matplotlib.get_cachedir()
        self.cwd = self.place / "a" / "b" / "cwd"
        self.out = self.cwd / "out"
        self.out.mkdir(parents=True)
        self.inputs = self.place / "inputs"
        self.inputs.mkdir()
        for folder in (self.cwd, *self.cwd.parents[:3]):
            (folder / "ESC.svg").write_text("mine", encoding="utf-8")

    def give(self, use: Use, names: Sequence[str]) -> Given:
        """Give the command of a use with each of the names."""
        found = Given()
        names = [name for name in names if use.fits(name)]
        for start in range(0, len(names), use.at_once):
            self._some(use, names[start : start + use.at_once], found)
        return found

    def _some(self, use: Use, names: Sequence[str], found: Given) -> None:
        global _writes
        shutil.rmtree(self.out)
        self.out.mkdir()
        words = use.words(self, names, self.out / "made")
        _writes = []
        try:
            said = call_cardio(*words, folder=self.cwd)
        finally:
            written, _writes = _writes, None
        label = f"{words[0]} {names[0][:40]!r}"
        apart = (self.out, Path(os.environ["CARDIO_CACHE"]), self.place / "temporary")
        found.wrong += [
            f"{label}: wrote {path}" for path in written
            if not any(Path(path).is_relative_to(one) for one in apart)
            and "__pycache__" not in path and not path.startswith(("/dev/", "pipe:"))
        ]  # fmt: skip
        if not use.typed:
            found.wrong += [f"{label}: a file is called {path.name!r}"
                            for path in self.out.rglob("*") if not is_safe(path.name)
                            and path.name != ".gitignore"]  # fmt: skip
        found.wrong += [f"{label}: a cell is {cell!r}" for cell in acting(self.out)]
        lines = said.stderr.rstrip("\n").split("\n")
        if said.exit_code == 0:
            found.accepted += names
        elif (said.exit_code not in (2, 3) or not lines[-1].startswith("Error: ")
              or sum(line.startswith("Error: ") for line in lines) > 1):  # fmt: skip
            found.wrong.append(f"{label}: {said.exit_code}: {said.stderr[-300:]}")
        elif len(names) == 1:
            found.refused += names
        else:
            half = len(names) // 2
            self._some(use, names[:half], found)
            self._some(use, names[half:], found)

    # What the commands read. Cells of a cohort table hold a whole line of text.

    @cached_property
    def ids(self) -> list[str]:
        """Those of the names that are ids; at least 24 with plain ones."""
        ids = [name for name in self.names if is_id(name)]
        return ids + [f"P{n}" for n in range(24 - len(ids))]

    @cached_property
    def data(self) -> Path:
        """A cohort whose patients, studies and sites are called so."""
        return self.cohort("data", self.ids, seed=37)

    @cached_property
    def others(self) -> Path:
        """Other people."""
        return self.cohort("others", [f"{one}'" for one in self.ids], seed=38)

    def cohort(self, name: str, ids: Sequence[str], seed: int, **columns: Any) -> Path:
        """Write the toy's cohort with these ids, and more columns."""
        folder = self.inputs / name
        if not folder.exists():
            folder.mkdir()
            resolve("cardio_toy.synthetic:synthesize")(
                folder, task="mean_class", n_patients=len(ids), seed=seed
            )
            table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
            table.rename(columns={"patient_id": "was"}).to_csv(folder / "plain.csv", index=False)
        table = pd.read_csv(folder / "plain.csv", dtype=str, keep_default_na=False)
        known = dict(zip(dict.fromkeys(table["was"]), ids, strict=True))
        table["patient_id"] = table["study_id"] = [known[one] for one in table.pop("was")]
        table["site_id"] = [ids[n % 3] for n in range(len(table))]
        for column, values in columns.items():
            table[column] = np.resize(values, len(table))
        write_table(table, folder / "cohort.csv")
        return folder

    @cached_property
    def run(self) -> Path:
        """A run on the cohort."""
        return self.ran("run", self.data)

    @cached_property
    def again(self) -> Path:
        """Another run on the same patients."""
        return self.ran("again", self.data, "--seed", "1")

    def ran(self, name: str, *words: object) -> Path:
        """Make a run."""
        said = call_cardio("run", *SMALL, "--data", *words, "--out", self.inputs / name)
        assert said.exit_code == 0, said.stderr
        return self.inputs / name

    def table(self, **columns: Any) -> Path:
        """Write a table of forty patients with an outcome, scores and more columns."""
        n, rng = 40, np.random.default_rng(37)
        ill = np.arange(n) % 2
        frame = {
            "id": [f"P{k}" for k in range(n)], "who": [f"P{k // 2}" for k in range(n)],
            "ill": ill, "x": rng.normal(size=n) + ill,
            "risk": np.clip(0.3 + 0.3 * ill + rng.normal(size=n) / 5, 0.01, 0.99),
            "time": rng.exponential(size=n) + 0.1, "died": rng.integers(0, 2, n),
        }  # fmt: skip
        frame |= {name: np.resize(values, n) for name, values in columns.items()}
        path = self.inputs / "table.csv"
        pd.DataFrame(frame).to_csv(path, index=False)
        return path

    @cached_property
    def one(self) -> Path:
        """One recording."""
        return self.recordings(["one"], "single")[0]

    def recordings(self, names: Sequence[str], folder: str = "recordings") -> list[Path]:
        """Write a recording under each of the names."""
        whole = (self.data / "C00r0.csv").read_bytes()
        return _copies(self.inputs / folder, ".csv", names, whole)

    def loops(self, *names: str) -> Path:
        """Write a folder with an ultrasound loop under each of the names."""
        rows, columns = np.mgrid[:60, :80]
        across, down = columns - 39.5, rows + 1.0
        inside = (np.abs(np.arctan2(across, down)) < np.pi / 4) & (np.hypot(across, down) < 60)
        shift = 2 * np.arange(6)[:, None, None]
        texture = 120 + 80 * np.sin((rows + shift) / 6) * np.cos(columns / 7)
        one = self.inputs / "one.dcm"
        write_us_loop(one, np.where(inside, texture, 0).astype(np.uint8), frame_rate_hz=50)
        _copies(self.inputs / "loops", ".dcm", names, one.read_bytes())
        return self.inputs / "loops"

    def estimates(self, names: Sequence[str]) -> Path:
        """Write a table of estimates under these labels."""
        path = self.inputs / "estimates.csv"
        columns = {"label": names, "estimate": 1.1, "low": 0.9, "high": 1.3}
        pd.DataFrame(columns).to_csv(path, index=False)
        return path

    def of_outcome(self, name: str) -> Path:
        """Return a run whose outcome is called so; other people have one, too."""
        known, people = {name: ["0", "1"]}, [f"P{n}" for n in range(24)]
        data = self.cohort("own", people, 39, **known)
        self.cohort("theirs", [f"{one}'" for one in people], 40, **known)
        shutil.rmtree(self.inputs / "of", ignore_errors=True)
        return self.ran("of", data, "--outcome", name)

    def copied(self, run: Path, out: Path) -> Path:
        """Copy a run to where a command may write."""
        return Path(shutil.copytree(run, out))


def _copies(folder: Path, suffix: str, names: Sequence[str], content: bytes) -> list[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    paths = [folder / f"{name}{suffix}" for name in names]
    for path in paths:
        path.write_bytes(content)
    return paths
