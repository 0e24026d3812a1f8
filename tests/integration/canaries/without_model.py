"""Commands that need no run: checks of tables, measurements, R peaks, de-identification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calling import DONE, EITHER, REFUSED, Answer
from .cohorts import Planted, export_of, marked_inside
from .words import HEADER, NAMES, TABLE

if TYPE_CHECKING:
    from .matrix import Case

Call = Callable[..., Answer]
IN_TABLE = frozenset({*NAMES.values(), *TABLE.values()})
"""What `cardio data check` may show of a table to whoever asks: its paths and columns."""

LOCAL = ("--executor", "local:1")


def twice(*words: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield words as they are, and with ``--debug``; with what to call each."""
    yield "", words
    yield ", --debug", ("--debug", *words)


def of_table(case: Case, good: Planted, call: Call, out: Path, _: object) -> Iterator[Answer]:
    """Check a cohort's table and folder, and what is no table."""
    yield call("data template", "none", "data", "template", case.plugin, "--out", out / "t.csv")
    recordings = next(iter(good.files.values())).parent.name
    for debug, words in twice("data", "template", case.plugin, "--from", recordings):
        # Its table names the files, and nothing of a header. Some tasks take no such folder.
        yield call("data template", f"from a folder{debug}", *words, "--out",
                   out / f"from{len(debug)}.csv", asked_for=frozenset(NAMES.values()),
                   ends=DONE if case.kind == "toy" else EITHER)  # fmt: skip
    check = ("data", "check", "few.csv", "--plugin", case.plugin, *LOCAL)
    own = ("--outcome", "responder", "--covariates", "albumin")
    task = ("--task", case.own_task) if case.own_task else ()
    asked = {
        "table": check, "table, --json": (*check, "--json"),
        "folder": ("data", "check", ".", *check[3:]),
        "table, own outcome": (*check, *own, *task),
    }  # fmt: skip
    for kind, words in asked.items():
        # Some of its files are broken: it has things to list.
        yield call("data check", kind, *words, shown=IN_TABLE, ends=(0, 3))
    for kind, text in (("empty", ""), ("letter", HEADER["wrong content"] * 9), ("cut", None)):
        table = good.folder / "other.csv"
        whole = good.table.read_bytes()
        table.write_bytes(whole[: len(whole) // 3] if text is None else text.encode())
        check = ("data", "check", table.name, "--plugin", case.plugin)
        for debug, words in twice(*check):
            ends = EITHER if text is None else REFUSED
            yield call("data check", f"broken table: {kind}{debug}", *words, shown=IN_TABLE,
                       ends=ends)  # fmt: skip
        if text is not None:  # a table that is cut is run as any other
            sets = [word for one in case.sets for word in ("--set", one)]
            run = ("run", "--plugin", case.plugin, "--task", case.task, "--data", table.name,
                   "--smoke", *sets)  # fmt: skip
            for debug, words in twice(*run):
                yield call("run", f"broken table: {kind}{debug}", *words, "--out",
                           out / f"{kind}{len(debug)}", ends=REFUSED)  # fmt: skip
        table.unlink()


def one_by_one(case: Case, good: Planted, call: Call, out: Path, _: object) -> Iterator[Answer]:
    """Measure single files, good and broken, as they were typed."""
    for (suffix, fault), path in good.broken.items():
        for debug, words in twice("measure", "--plugin", case.plugin):
            to = out / f"m5{suffix}{fault[:3]}{len(debug)}"
            # A text that is cut is a shorter recording.
            yield call("measure", f"{fault} {suffix}{debug}", *words, path.relative_to(good.folder),
                       "--no-sheets", "--out", to,
                       ends=EITHER if fault == "truncated" else REFUSED)  # fmt: skip
    for suffix, path in good.files.items():
        yield call("measure", f"good {suffix}", "measure", "--plugin", case.plugin,
                   path.relative_to(good.folder), "--no-sheets", "--out",
                   out / f"m4{suffix}")  # fmt: skip


def measured(case: Case, good: Planted, call: Call, out: Path, _: object) -> Iterator[Answer]:
    """Measure a table, a folder and an export, with sheets and without."""
    first = ("measure", "--plugin", case.plugin)
    yield call("measure", "table", *first, "few.csv", "--out", out / "m1", *LOCAL)
    yield call("measure", "folder", "--debug", *first, ".", "--out", out / "m3", "--no-sheets",
               *LOCAL)  # fmt: skip
    yield call("measure", "table, 2 processes, --no-sheets, --json", *first, "few.csv", "--out",
               out / "m2", "--no-sheets", "--json", "--executor", "local:2")  # fmt: skip
    if case.kind == "loops":
        export = export_of(good.files[".dcm"], good.folder / "disk")
        where = export.relative_to(good.folder)
        yield call("measure", "export of a scanner", *first, where, "--out", out / "m6",
                   *LOCAL)  # fmt: skip
        yield call("data check", "export of a scanner", "data", "check", where, "--plugin",
                   case.plugin, *LOCAL, ends=EITHER)  # fmt: skip
        inside = marked_inside(good.files[".dcm"], good.folder / "inside.dcm")
        yield call("measure", "print inside the sector", *first, inside.name, "--out", out / "m7",
                   *LOCAL, mark_shown=True)  # fmt: skip


def tools(case: Case, good: Planted, call: Call, out: Path, _: object) -> Iterator[Answer]:
    """Find R peaks and de-identify; what is not for a plugin's files is refused."""
    files = {(suffix, "good"): path for suffix, path in good.files.items()} | good.broken
    for (suffix, fault), path in files.items():
        kind, where = f"{fault} {suffix}", path.relative_to(good.folder)
        fits, whole = case.kind == "ECG", fault == "good"
        if fits or suffix in (".dcm", ".csv"):
            ends = DONE if fits and whole else EITHER if fault == "truncated" else REFUSED
            for debug, words in twice("data", "rpeaks", where, "--json"):
                yield call("data rpeaks", f"{kind}{debug}", *words, ends=ends)
        fits = case.kind == "loops"
        if fits or suffix == ".dcm":
            ends = DONE if fits and whole else EITHER if fault == "truncated" else REFUSED
            for debug, words in twice("data", "deidentify", where):
                to = out / f"c{kind}{len(debug)}"
                # Of arrays without a sector that can be fitted none is kept.
                yield call("data deidentify", f"{kind}{debug}", *words, to,
                           ends=EITHER if fits and whole else ends)  # fmt: skip
    if case.kind == "loops":
        yield call("data deidentify", "folder", "data", "deidentify", ".", out / "clean", "--json")
