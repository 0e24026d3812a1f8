"""Runs, and every command that reads one: what is made of patients, and who may see it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .calling import DONE, EITHER, REFUSED, Answer
from .cohorts import Planted, export_of
from .without_model import LOCAL, twice
from .words import ID, TABLE

if TYPE_CHECKING:
    from .matrix import Case

Call = Callable[..., Answer]
COLUMN = frozenset({TABLE["column"]})
SMALL = ("--smoke", "--device", "cpu", *LOCAL, "--protocol", "honest")


def _typed(case: Case, *, own: bool = False) -> tuple[Any, ...]:
    """Return a run's words, without its data and its folder."""
    task = case.own_task if own and case.own_task else case.task
    sets = case.own_sets if own and case.own_sets else case.sets
    words = [word for one in sets for word in ("--set", one)]
    return ("run", "--plugin", case.plugin, "--task", task, *SMALL, *words)


def ran(case: Case, good: Planted, call: Call, out: Path, _: object) -> Iterator[Answer]:
    """Run and resume, and predict every kind of file."""
    run, own = out / "run", out / "own"
    words = (*_typed(case), "--data", "cohort.csv")
    yield call("run", "table, default outcome", *words, "--out", run)
    yield call("run", "folder, own outcome, tracked", "--debug", *_typed(case, own=True), "--data",
               ".", "--outcome", "responder", "--covariates", "albumin", "--out", own,
               "--track", f"tensorboard:{out / 'curves'}")  # fmt: skip
    yield call("run", "table, --strict, --debug", "--debug", *words, "--strict", "--out",
               out / "strict", ends=REFUSED)  # fmt: skip
    yield call("run", "table, --dry-run, --json", *words, "--dry-run", "--json")
    yield from _resumed(good, call, run, (*words, "--out", run, "--resume"))
    yield call("report", "run", "report", run)
    for debug, words in twice("predict", run, "few.csv", "--all-models"):
        more = () if not debug else (
            "--explain", out / "why", "--keep-features", "--out", out / "p.json")  # fmt: skip
        kind = f"table, --explain, --keep-features{debug}" if debug else "table"
        yield call("predict", kind, *words, *more)
    folder = next(iter(good.files.values())).parent.name
    yield call("predict", "folder of recordings", "predict", run, folder, "--out", out / "p2.json")
    for suffix, path in good.files.items():
        yield call("predict", f"good {suffix}", "predict", run, path.relative_to(good.folder))
    for (suffix, fault), path in good.broken.items():
        for debug, words in twice("predict", run, path.relative_to(good.folder), "--json"):
            yield call("predict", f"{fault} {suffix}{debug}", *words,
                       ends=EITHER if fault == "truncated" else REFUSED)  # fmt: skip
    if case.kind == "loops":
        export = export_of(good.files[".dcm"], good.folder / "disk").relative_to(good.folder)
        # Nothing in an export says which view a loop shows, and a network of two epochs may see
        # in none what a model works on.
        seen = bool(case.own_task)
        yield call("predict", "export of a scanner", "predict", own if seen else run, export,
                   ends=(0, 3) if seen else DONE)  # fmt: skip
    yield call("data forget", "how much is kept", "data", "forget")
    yield call("data forget", "a file", "data", "forget", "few.csv", ends=EITHER)
    yield call("data forget", "all", "data", "forget", "--all")


def _resumed(good: Planted, call: Call, run: Path, again: tuple[Any, ...]) -> Iterator[Answer]:
    """Resume a run whose last model is lost, on its table and on one that was changed."""
    manifest = json.loads((run / "manifest.json").read_text())

    def interrupt() -> None:
        told = json.dumps(manifest | {"status": "interrupted"}, indent=2)
        (run / "manifest.json").write_text(told)

    shutil.rmtree(run / "models" / "final")
    interrupt()
    yield call("run --resume", "table", *again, "--json")
    table, kept = pd.read_csv(good.table, dtype=str), good.table.read_bytes()
    table[f"{TABLE['column']}_note"] = table[f"{TABLE['column']}_note"].str.upper()
    table.to_csv(good.table, index=False)
    interrupt()
    yield call("run --resume", "changed table, --debug", "--debug", *again, shown=COLUMN,
               ends=REFUSED)  # fmt: skip
    good.table.write_bytes(kept)
    yield call("run --resume", "table, after a refusal", *again)


def after(
    case: Case, good: Planted, call: Call, out: Path, others: Callable[[], Planted]
) -> Iterator[Answer]:
    """Ask everything else that can be asked of a run."""
    run, again = out / "run", out / "again"
    yield call("run", "table", *_typed(case), "--data", "cohort.csv", "--out", run)
    yield call("reproduce", "run", "reproduce", run, "--out", again, *LOCAL)
    yield call("reproduce", "two runs, --json", "reproduce", run, "--against", again, "--json")
    yield from _elsewhere(good, call, out, run, others())
    yield from _together(case, good, call, out, run, again)
    yield call("stability", "run", "stability", run, "--repeats", "2", *LOCAL, "--out",
               out / "stable")  # fmt: skip
    yield call("export", "run", "export", run, "--out", out / "shared", never=(ID,))
    if case.networks:
        yield call("export", "run, --onnx", "--debug", "export", run, "--out", out / "onnx",
                   "--onnx", never=(ID,))  # fmt: skip
    yield call("predict", "table, by an export", "predict", out / "shared", "few.csv", "--json",
               at=good.folder)  # fmt: skip


def _elsewhere(
    good: Planted, call: Call, out: Path, run: Path, others: Planted
) -> Iterator[Answer]:
    """Validate on other patients, and on those who were in training."""
    yield call("evaluate", "table", "evaluate", run, "--data", "cohort.csv", "--other-people",
               "--out", out / "external", at=others.folder)  # fmt: skip
    for debug, words in twice("evaluate", run, "--data", "cohort.csv"):
        yield call("evaluate", f"the patients of training{debug}", *words, "--out",
                   out / f"external{len(debug)}", ends=REFUSED)  # fmt: skip


def _together(
    case: Case, good: Planted, call: Call, out: Path, run: Path, again: Path
) -> Iterator[Answer]:
    """Judge, compare and fuse what was predicted."""
    table = pd.read_csv(run / "predictions.csv", dtype=str)
    table[TABLE["column"]] = [f"{TABLE['cell']} {row}" for row in range(len(table))]
    table.to_csv(good.folder / "rows.csv", index=False)
    yield call("judge", "a run's predictions", "judge", "rows.csv", "--out", out / "judged",
               shown=COLUMN, ends=EITHER)  # fmt: skip
    yield call("compare", "runs", "compare", f"a={run}", f"b={again}", "--out", out / "compared")
    model = f":{case.fused}" if case.fused else ""
    both = f"a={run}{model}", f"b={again}{model}"
    yield call("fuse", "runs", "fuse", *both, "--out", out / "fused")
    yield call("fuse", "runs, --clinical", "--debug", "fuse", *both, "--clinical", "cohort.csv",
               "--covariates", "albumin", "--out", out / "fused2")  # fmt: skip
    yield call("report", "fused runs", "report", out / "fused")
    yield call("predict", "table, by fused runs", "predict", out / "fused", "a=few.csv",
               "b=few.csv", "--json", ends=DONE)  # fmt: skip
