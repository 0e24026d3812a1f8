"""Every command that touches recordings or tables, on every plugin and kind of file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.testing import call_cardio

from .calling import Answer, Watched
from .cohorts import Planted, empty, other_ecgs, other_loops, other_spects, plant_cohort
from .words import HEADER, NAMES, TABLE

Call = Callable[..., Answer]
IN_TABLE = frozenset({*NAMES.values(), *TABLE.values()})
"""What `cardio data check` may show of a table to whoever asks: its paths and columns."""
COLUMN = frozenset({TABLE["column"]})


@dataclass(frozen=True)
class Case:
    """One plugin: how its cohort is made, and how small its runs are."""

    plugin: str
    task: str
    path_column: str
    n_patients: int
    sets: tuple[str, ...]
    own_task: str | None = None
    own_sets: tuple[str, ...] | None = None
    more: Callable[[Path, Path], Iterator[Path]] | None = None
    onnx: bool = False
    loops: bool = False
    ecg: bool = False


SMALL = ("protocols.honest.k=2", "inner.k=0", "evaluate.n_resamples=100")
CASES = {
    "toy": Case("toy", "mean_class", "path_ecg", 24, SMALL),
    "ecg_transfer": Case(
        "ecg_transfer", "crt_response", "path_ecg", 10, ("models=[qrs_duration,lbbb]", *SMALL),
        more=other_ecgs, ecg=True,
    ),
    "spect_polar": Case(
        "spect_polar", "crt_response", "path_spect", 16,
        ("models=[clinical,psd]", "evaluate.n_optimism=2", *SMALL), more=other_spects,
    ),
    "mmode_septal_flash": Case(
        "mmode_septal_flash", "septal_flash", "path_echo_a4c", 8, SMALL, more=other_loops,
        loops=True, onnx=True,
    ),
    "echo_cmr": Case(
        "echo_cmr", "wma", "path_echo_a4c", 8,
        ("needs.view.skip=true", "load.min_studies=3", *SMALL), own_task="outcome",
        own_sets=("load.min_studies=3", *SMALL), more=other_loops, loops=True, onnx=True,
    ),
}  # fmt: skip
FEW_PATIENTS = 6
"""Of the cohort that is not run."""


def made_of(case: Case, place: Path, seed: int = 0) -> Planted:
    """Write a plugin's synthetic cohort and plant the words in it."""
    synth = empty(place / f"synth{seed}")
    said = call_cardio("data", "synth", case.plugin, "--task", case.task, "--patients",
                       case.n_patients, "--seed", seed, "--out", synth)  # fmt: skip
    assert said.exit_code == 0, said.stderr
    return plant_cohort(
        synth, empty(place / f"planted{seed}"), more=case.more, path_column=case.path_column
    )


def answers(case: Case, place: Path, only: frozenset[str]) -> Iterator[Answer]:
    """Call every command and yield what came of each.

    Parameters
    ----------
    case : Case
    place : Path
        An existing, empty folder.
    only : frozenset of str
        Groups of commands, of `GROUPS`: ``{"run"}``, or others.
    """
    # What is run has the format of the synthetic cohort alone; the others are measured.
    few = replace(case, n_patients=FEW_PATIENTS)
    case = replace(case, more=None) if only == {"run"} else few
    good = made_of(case, place)
    watched = Watched(empty(place / "watched"))
    out = watched.out

    def call(command: str, kind: str, *words: Any, at: Path = good.folder, **more: Any) -> Answer:
        return watched.call(command, kind, *words, folder=at, **more)

    for group, calls in GROUPS.items():
        if group in only:
            yield from calls(case, good, call, out, place)


def _of_table(case: Case, good: Planted, call: Call, out: Path, place: Path) -> Iterator[Answer]:
    yield call("doctor", "none", "doctor")
    yield call("data template", "none", "data", "template", case.plugin, "--out", out / "t.csv")
    check = ("data", "check", "few.csv", "--plugin", case.plugin, "--executor", "local:1")
    yield call("data check", "table", *check, shown=IN_TABLE)
    yield call("data check", "table, --json", *check, "--json", shown=IN_TABLE)
    yield call("data check", "folder", "data", "check", ".", *check[3:], shown=IN_TABLE)
    own = ("--outcome", "responder", "--covariate", "albumin")
    task = ("--task", case.own_task) if case.own_task else ()
    yield call("data check", "table, own outcome", *check, *own, *task, shown=IN_TABLE)
    for kind, text in (("empty", ""), ("letter", HEADER["wrong content"] * 9), ("cut", None)):
        table = good.folder / "other.csv"
        whole = good.table.read_bytes()
        table.write_bytes(whole[: len(whole) // 3] if text is None else text.encode())
        for debug in ((), ("--debug",))[: 1 if kind == "cut" else 2]:
            words = (*debug, "data", "check", table.name, "--plugin", case.plugin)
            yield call("data check", f"broken table: {kind}{_of(debug)}", *words, shown=IN_TABLE)
            sets = [word for one in case.sets for word in ("--set", one)]
            to = out / f"{kind}{len(debug)}"
            words = (*debug, "run", "--plugin", case.plugin, "--task", case.task, "--data",
                     table.name, "--smoke", *sets, "--out", to)  # fmt: skip
            yield call("run", f"broken table: {kind}{_of(debug)}", *words)
        table.unlink()


def _of(debug: tuple[str, ...]) -> str:
    return ", --debug" if debug else ""


def _one_by_one(case: Case, good: Planted, call: Call, out: Path, place: Path) -> Iterator[Answer]:
    first = ("measure", "--plugin", case.plugin)
    for (suffix, fault), path in good.broken.items():
        for debug in ((), ("--debug",)):
            to = out / f"m5{suffix}{fault[:3]}{len(debug)}"
            yield call("measure", f"{fault} {suffix}{_of(debug)}", *debug, *first,
                       path.relative_to(good.folder), "--no-sheets", "--out", to)  # fmt: skip
    for suffix, path in good.files.items():
        where = path.relative_to(good.folder)
        yield call("measure", f"good {suffix}", *first, where, "--no-sheets", "--out",
                   out / f"m4{suffix}")  # fmt: skip


def _measured(case: Case, good: Planted, call: Call, out: Path, place: Path) -> Iterator[Answer]:
    one = ("--executor", "local:1")
    first = ("measure", "--plugin", case.plugin)
    yield call("measure", "table", *first, "few.csv", "--out", out / "m1", *one)
    yield call("measure", "folder", "--debug", *first, ".", "--out", out / "m3", "--no-sheets",
               *one)  # fmt: skip
    yield call("measure", "table, 2 processes, --no-sheets, --json", *first, "few.csv", "--out",
               out / "m2", "--no-sheets", "--json", "--executor", "local:2")  # fmt: skip


def _recordings(good: Planted) -> Path:
    return next(iter(good.files.values())).parent


def _tools(case: Case, good: Planted, call: Call, out: Path, place: Path) -> Iterator[Answer]:
    files = {f"good {suffix}": path for suffix, path in good.files.items()}
    files |= {f"{fault} {suffix}": path for (suffix, fault), path in good.broken.items()}
    if case.ecg:
        for kind, path in files.items():
            for debug in ((), ("--debug",)):
                yield call("data rpeaks", f"{kind}{_of(debug)}", *debug, "data", "rpeaks",
                           path.relative_to(good.folder), "--json")  # fmt: skip
    if case.loops:
        yield call("data deidentify", "folder", "data", "deidentify", ".", out / "clean", "--json")
        for kind, path in files.items():
            for debug in ((), ("--debug",)):
                yield call("data deidentify", f"{kind}{_of(debug)}", *debug, "data", "deidentify",
                           path.relative_to(good.folder), out / f"c{kind}{len(debug)}")  # fmt: skip


def _ran(case: Case, good: Planted, call: Call, out: Path, place: Path) -> Iterator[Answer]:
    small = ("--smoke", "--device", "cpu", "--executor", "local:1", "--protocol", "honest")
    sets = [word for one in case.sets for word in ("--set", one)]
    own_sets = [word for one in (case.own_sets or case.sets) for word in ("--set", one)]
    plugin = ("run", "--plugin", case.plugin)
    run, own = out / "run", out / "own"
    track = ("--track", f"tensorboard:{out / 'curves'}")
    yield call("run", "table, default outcome", *plugin, "--task", case.task, "--data",
               "cohort.csv", *small, *sets, "--out", run)  # fmt: skip
    task = ("--task", case.own_task or case.task)
    yield call("run", "folder, own outcome, tracked", "--debug", *plugin, *task, "--data", ".",
               "--outcome", "responder", "--covariate", "albumin", *small, *own_sets, "--out", own,
               *track)  # fmt: skip
    yield call("run", "table, --strict, --debug", "--debug", *plugin, "--task", case.task, "--data",
               "cohort.csv", *small, *sets, "--strict", "--out", out / "strict")  # fmt: skip
    yield call("run", "table, --dry-run, --json", *plugin, "--task", case.task, "--data",
               "cohort.csv", *small, *sets, "--dry-run", "--json")  # fmt: skip
    if not (run / "metrics.json").is_file():
        return
    again = (*plugin, "--task", case.task, "--data", "cohort.csv", *small, *sets, "--out", run,
             "--resume")  # fmt: skip
    shutil.rmtree(run / "models" / "final")
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"status": "interrupted"}, indent=2))
    yield call("run --resume", "table", *again, "--json")
    table = pd.read_csv(good.table, dtype=str)
    kept = good.table.read_bytes()
    table[f"{TABLE['column']}_note"] = table[f"{TABLE['column']}_note"].str.upper()
    table.to_csv(good.table, index=False)
    (run / "manifest.json").write_text(json.dumps(manifest | {"status": "interrupted"}, indent=2))
    yield call("run --resume", "changed table, --debug", "--debug", *again, shown=COLUMN)
    good.table.write_bytes(kept)
    yield call("run --resume", "table, after a refusal", *again)
    yield from _of_run(case, good, call, out, place)


def _of_run(case: Case, good: Planted, call: Call, out: Path, place: Path) -> Iterator[Answer]:
    run, own = out / "run", out / "own"
    yield call("report", "run", "report", run)
    yield call("predict", "table", "predict", run, "few.csv", "--json", "--all-models")
    more = ("--explain", out / "why", "--keep-features", "--out", out / "p.json")
    yield call("predict", "table, --explain, --keep-features", "--debug", "predict", run,
               "few.csv", *more)  # fmt: skip
    yield call("predict", "folder of recordings", "predict", run, _recordings(good).name,
               "--out", out / "p2.json")  # fmt: skip
    for suffix, path in good.files.items():
        yield call("predict", f"good {suffix}", "predict", run, path.relative_to(good.folder))
    for (suffix, fault), path in good.broken.items():
        for debug in ((), ("--debug",)):
            yield call("predict", f"{fault} {suffix}{_of(debug)}", *debug, "predict", run,
                       path.relative_to(good.folder), "--json")  # fmt: skip
    others = made_of(case, place, seed=1)
    yield call("evaluate", "table", "evaluate", run, "--data", "cohort.csv", "--other-people",
               "--out", out / "external", at=others.folder)  # fmt: skip
    yield call("evaluate", "the patients of training", "--debug", "evaluate", run, "--data",
               "cohort.csv", "--out", out / "external2")  # fmt: skip
    predictions = pd.DataFrame({
        "patient": [f"P{row}" for row in range(40)], "died": [row % 2 for row in range(40)],
        "risk": [(row * 7 % 40) / 40 for row in range(40)],
        f"{TABLE['column']}": [f"{TABLE['cell']} {row}" for row in range(40)],
    })  # fmt: skip
    predictions.to_csv(good.folder / "scores.csv", index=False)
    scored = ("scores.csv", "--outcome", "died", "--score", "risk", "--patient", "patient")
    yield call("judge", "table", "judge", *scored, "--out", out / "judged")
    yield call("judge", "table, guessed", "judge", "scores.csv", "--out", out / "judged2",
               shown=COLUMN)  # fmt: skip
    yield call("judge", "a run's predictions", "judge", run / "predictions.csv", "--out",
               out / "judged3")  # fmt: skip
    yield call("compare", "runs", "compare", f"a={run}", f"b={own}", "--out", out / "compared")
    yield call("compare", "tables", "compare", "a=scores.csv", "b=scores.csv", "--outcome", "died",
               "--patient", "patient", "--out", out / "compared2")  # fmt: skip
    yield call("fuse", "runs", "fuse", f"a={run}", f"b={out / 'run'}", "--out", out / "fused")
    yield call("fuse", "runs, --clinical", "fuse", f"a={own}", f"b={run}", "--clinical",
               "cohort.csv", "--covariates", "albumin", "--out", out / "fused2")  # fmt: skip
    yield call("stability", "run", "stability", run, "--repeats", "1", "--executor", "local:1",
               "--out", out / "stable")  # fmt: skip
    yield call("reproduce", "run", "reproduce", run, "--out", out / "again", "--executor",
               "local:1")  # fmt: skip
    yield call("export", "run", "export", run, "--out", out / "shared")
    if case.onnx:
        yield call("export", "run, --onnx", "export", run, "--out", out / "onnx", "--onnx",
                   "--with-patient-rows")  # fmt: skip
    yield call("data forget", "cache", "data", "forget")


GROUPS: dict[str, Callable[..., Iterator[Answer]]] = {
    "files": _one_by_one,
    "tools": _tools,
    "table": _of_table,
    "measure": _measured,
    "run": _ran,
}
