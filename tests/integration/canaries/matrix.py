"""Every command that touches recordings, tables or runs, on every plugin and kind of file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardio_core.testing import call_cardio

from . import of_runs, of_tables, without_model
from .calling import Answer, Watched
from .cohorts import Planted, empty, other_ecgs, other_loops, other_spects, plant_cohort

Call = Callable[..., Answer]


@dataclass(frozen=True)
class Case:
    """One plugin: how its cohort is made, and how small its runs are.

    Attributes
    ----------
    plugin, task : str
    path_column : str
        Of the cohort table, to which broken files are added.
    n_patients : int
        Of the cohort that is run; the others have `FEW_PATIENTS`.
    sets : tuple of str
        Settings of every run.
    own_task, own_sets
        Of the run with an outcome of the user's, where they differ.
    more : callable, optional
        Takes a good recording and a folder, and yields it in other formats.
    networks : bool
        Whether its models can be exported as ONNX.
    fused : str
        Model whose scores are fused, where the primary one says the same of everybody.
    kind : str
        ECG, SPECT, loops; or what the toy has.
    """

    plugin: str
    task: str
    path_column: str
    n_patients: int
    sets: tuple[str, ...]
    own_task: str | None = None
    own_sets: tuple[str, ...] | None = None
    more: Callable[[Path, Path], Iterator[Path]] | None = None
    networks: bool = False
    fused: str = ""
    kind: str = "toy"


SMALL = ("protocols.honest.k=2", "inner.k=1", "evaluate.n_resamples=100")
CASES = {
    "toy": Case("toy", "mean_class", "path_ecg", 16, ("models=[ridge]", "search=[]", *SMALL)),
    "ecg_transfer": Case(
        "ecg_transfer", "crt_response", "path_ecg", 24,
        ("models=[scratch,qrs_duration,lbbb]", "train.fit.epochs=1", *SMALL),
        more=other_ecgs, networks=True, kind="ECG",
    ),
    "spect_polar": Case(
        "spect_polar", "crt_response", "path_spect", 20,
        ("models=[clinical,psd]", "evaluate.n_optimism=2", *SMALL), more=other_spects,
        kind="SPECT",
    ),
    "mmode_septal_flash": Case(
        "mmode_septal_flash", "septal_flash", "path_echo_a4c", 16,
        (
            "models=[densenet_scratch,excursion]", "train.fit.epochs=1", *SMALL, "inner.k=0",
            "load.timepoint=baseline",  # who has two outcomes is neither compared nor fused
        ),
        more=other_loops,
        networks=True, fused="excursion", kind="loops",
    ),
    "echo_cmr": Case(
        "echo_cmr", "wma", "path_echo_a4c", 10,
        ("needs.view.skip=true", "models=[a4c,lvef]", "load.min_studies=3", *SMALL),
        own_task="outcome",
        own_sets=("models=[a4c,lvef]", "load.min_studies=3", "load.views=predicted",
                  "needs.view.skip=false", *SMALL),
        more=other_loops,
        networks=True, fused="lvef", kind="loops",
    ),
}  # fmt: skip
TABLES = "tables alone"
"""The column of commands that take tables, whatever plugin is installed."""

FEW_PATIENTS = 6
GROUPS: dict[str, Callable[..., Iterator[Answer]]] = {
    "files": without_model.one_by_one,
    "tools": without_model.tools,
    "table": without_model.of_table,
    "measure": without_model.measured,
    "run": of_runs.ran,
    "after": of_runs.after,
}
TITLES = {
    "stats": "tables of any tool", "files": "measure of single files",
    "tools": "R peaks and de-identification", "table": "tables and checks of data",
    "measure": "measure of tables and folders", "run": "run, resume and predict",
    "after": "reproduce, evaluate, judge, compare, fuse, stability and export",
}  # fmt: skip
"""What a part does, in words."""

OF_RUNS = ("run", "after")
PARTS = [(TABLES, "stats"), *((plugin, group) for plugin in CASES for group in GROUPS)]
"""Of the study: each is made, and stored, by itself."""

COLUMNS = (TABLES, *CASES)


def made_of(case: Case, place: Path, seed: int = 0) -> Planted:
    """Write a plugin's synthetic cohort and plant the words in it."""
    synth = empty(place / f"synth{seed}")
    said = call_cardio("data", "synth", case.plugin, "--task", case.task, "--patients",
                       case.n_patients, "--seed", seed, "--out", synth)  # fmt: skip
    assert said.exit_code == 0, said.stderr
    return plant_cohort(
        synth, empty(place / f"planted{seed}"), more=case.more, path_column=case.path_column
    )


def answers(plugin: str, group: str, place: Path) -> Iterator[Answer]:
    """Call every command of one part and yield what came of each.

    Parameters
    ----------
    plugin, group : str
        One of `PARTS`.
    place : Path
        An existing, empty folder.
    """
    marks = plugin in CASES and CASES[plugin].kind == "loops"
    watched = Watched(empty(place / "watched"), marks=marks)
    if plugin == TABLES:
        yield from of_tables.answered(watched, empty(place / "tables"))
        return
    case = CASES[plugin]
    # What is run has the format of the synthetic cohort alone; the others are measured.
    runs = group in OF_RUNS
    case = replace(case, more=None) if runs else replace(case, n_patients=FEW_PATIENTS)
    good = made_of(case, place)

    def call(command: str, kind: str, *words: Any, at: Path = good.folder, **more: Any) -> Answer:
        return watched.call(command, kind, *words, folder=at, **more)

    others = (lambda: made_of(case, place, seed=1)) if runs else None
    yield from GROUPS[group](case, good, call, watched.out, others)
