"""External validation: the final models of a run on other patients, nothing fitted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core import runs
from cardio_core.api import EvaluateBlock, Metric, Note, Scored, Task, default_evaluate
from cardio_core.evaluation import TableOne, subgroup_metrics
from cardio_stats.cells import table_as_it_was
from cardio_stats.errors import DataError
from cardio_studies.external_numbers import (
    EXTERNAL,
    INTERNAL,
    against_internal_table,
    applicability_table,
    changes,
    coverage_table,
    internal_metrics,
    overlap_table,
    primary_first,
    recalibrations,
    words_of_changes,
    words_of_shares,
)
from cardio_studies.judgement import calibration_of


@dataclass(frozen=True)
class Validation:
    """What a run's final models answered for other patients, and how it is judged.

    Attributes
    ----------
    run : Path
    manifest : mapping
        Of the run.
    task : Task
    scored : Scored
        The answers beside the truth.
    config : EvaluateBlock
    seed : int
    groups : DataFrame
        Columns that divide the patients, a row a patient.
    sites : Series or None
        Site by patient.
    like, unlike : sequence of Metric, sequence of Note
        How many are like the patients of training, and of whom that is not known.
    with_sets : sequence of str or None
        Models whose prediction sets are validated; all.
    """

    run: Path
    manifest: Mapping[str, Any]
    task: Task
    scored: Scored
    config: EvaluateBlock
    seed: int
    groups: pd.DataFrame
    sites: pd.Series | None = None
    like: Sequence[Metric] = ()
    unlike: Sequence[Note] = ()
    with_sets: Sequence[str] | None = None

    def publish(
        self,
        out: Path,
        entries: Mapping[str, Any],
        notes: Sequence[Note],
        *,
        tables: Mapping[str, pd.DataFrame],
        table_one: tuple[TableOne | None, str] = (None, ""),
        command: Sequence[str],
        echo: runs.Echo | None,
    ) -> Path:
        """Evaluate the answers beside the run's own results, and write the page.

        `entries` are those of the manifest that say on whom; `tables` come beyond those of every
        validation. `table_one` is the table, or None and why.
        """
        task, scored, config, seed = self.task, self.scored, self.config, self.seed
        report = default_evaluate(scored, task, config, seed=seed)
        external, notes = list(report.metrics), [*notes, *report.notes]
        for target in task.targets:
            if target.name in scored.frames:
                found, refused = calibration_of(
                    scored.frames[target.name], target, task, config, seed
                )
                external += found
                notes += Note.each(runs.NoteKind.NOT_COMPUTED, refused)
        covered, lacking = runs.coverage_metrics(
            self.run, _only(scored, self.with_sets), task, self.sites, config, seed=seed
        )
        within, small = subgroup_metrics(scored, task, self.groups, config, seed=seed)
        models = {model.name for model in task.models}
        internal = [
            metric for metric in internal_metrics(self.run, task, config, seed)
            if metric.scope.model in models
        ]  # fmt: skip
        whole = [*external, *(metric for metric in covered if not metric.scope.subgroup)]
        changed = changes(whole, internal)
        recalibrated = recalibrations(scored, task, config, seed)
        notes += [*lacking, *self.unlike, *small, *recalibrated.notes]
        notes += Note.each(runs.NoteKind.NOT_COMPUTED, [table_one[1]])
        if not internal:
            text = "The run has no honest folds here, so no change is shown."
            notes.append(Note(runs.NoteKind.COMPARISON, text))
        here = (*external, *covered, *changed, *self.like, *within)
        rows = [
            metric.to_dict() | {"protocol": protocol}
            for protocol, metrics in ((EXTERNAL, here), (INTERNAL, internal)) for metric in metrics
        ]  # fmt: skip
        every = {
            **report.tables,
            "external-beside-internal": against_internal_table(whole, internal, changed, task),
            "external-coverage": coverage_table(covered, task),
            "external-recalibration": recalibrated.table,
        }
        every = {n: primary_first(t, task) if n in _BY_MODEL else t for n, t in every.items()}
        about = {
            **entries, "protocols": [EXTERNAL, INTERNAL], "seed": seed,
            "words": {
                **(self.manifest.get("words") or {}), **words_of_changes(), **words_of_shares(),
            },
            "evaluated": {**runs.Run(self.run).identity, "by_site": self.sites is not None},
        }  # fmt: skip
        identity = runs.digest([about["evaluated"], about["data"]["digest"]])
        with runs.write_run(
            out, runs.RunKind.EXTERNAL, identity, command=command, echo=echo, **about
        ) as writer:
            writer.json("recalibration.json", recalibrated.rows)
            return writer.publish(
                rows, notes, every | dict(tables), {**report.figures, **recalibrated.figures},
                table_one=table_one[0],
            )  # fmt: skip


_BY_MODEL = ("external-beside-internal", "external-coverage", "external-recalibration")


def _only(scored: Scored, models: Sequence[str] | None) -> Scored:
    if models is None:
        return scored
    frames = {name: frame[frame["model"].isin(models)] for name, frame in scored.frames.items()}
    return replace(scored, frames=frames)


@runs.one_thread()
def evaluate_run(
    run: Path,
    inputs: Sequence[Path],
    question: runs.Question,
    out: Path,
    *,
    options: Any = None,
    device: str = "auto",
    executor: str = "local:1",
    echo: runs.Echo | None = None,
    command: Sequence[str] = (),
) -> Path:
    """Validate the final models of a finished run on other patients, and write the page.

    Parameters
    ----------
    run : Path
        A finished run, or an exported folder.
    inputs : sequence of Path
        A cohort table or folder with the outcome, as ``cardio run --data`` takes it.
    question : Question
    out : Path
        A new or empty folder.
    options : Given, optional
        Options of the plugin's task: how to read the recordings at hand.
    device, executor : str
        As for ``cardio run``.
    echo : callable, optional
        Takes progress lines.
    command : sequence of str
        As typed, for the page.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    ConfigError
        As `answer_others`; a column does not exist; `out` holds something.
    DataError, LeakageError
        As `answer_others`.

    Notes
    -----
    Nothing is fitted but the recalibrations, which stand in a table of their own. Features are
    kept in the cache, as those of a run are.
    """
    runs.guard_place(out, runs.RunKind.EXTERNAL)
    others = runs.answer_others(
        run, inputs, question, options=options, device=device, executor=executor, echo=echo
    )
    task, config = others.task, others.config.evaluate
    groups, sites = others.groups
    like, unlike = others.likeness()
    validation = Validation(
        run, others.opened.manifest, task, others.scored, config, question.seed, groups, sites,
        like, unlike,
    )  # fmt: skip
    tables = {
        "external-applicability": applicability_table(like),
        "external-in-training": overlap_table(others.overlap.counts),
    }
    return validation.publish(
        out, others.entries(), [*others.notes, *_withheld(others)], tables=tables,
        table_one=_table_one(others), command=command, echo=echo,
    )  # fmt: skip


def _withheld(others: runs.OtherPatients) -> list[Note]:
    """Say where `cardio predict` would give no verdict: here its score counts all the same."""
    return [
        Note(
            runs.NoteKind.APPLICABILITY,
            f"{others.task.model(name).title}: of {len(who)} that it would withhold its verdict "
            "on in practice, the score counts here.",
            model=name,
        )
        for name, who in others.answered.withheld.items()
        if who
    ]


def _table_one(others: runs.OtherPatients) -> tuple[TableOne | None, str]:
    """Return Table 1 of the validated patients beside the run's own, and a note without one."""
    try:
        return _with_internal(others.table_one(), runs.Run(others.opened.folder)), ""
    except DataError as error:
        return None, f"Table 1 is left out: {error}"


def _with_internal(made: TableOne, run: runs.Run) -> TableOne:
    """Return the table with the run's own patients in a column, where it described them."""
    path, sizes = run.artifact.table_one, run.manifest.table1.sizes
    if path is None or not sizes:
        return made
    own = table_as_it_was(pd.read_csv(path, dtype=str, keep_default_na=False))
    whole, n = next(iter(sizes.items()))
    # A level stands below its heading: both are needed to know a row again.
    known = dict(zip(_places(own["Variable"]), own[whole], strict=True))
    cells = [known.get(place, "") for place in _places(made.frame["Variable"])]
    if not any(cells):
        return made
    frame = made.frame.copy()
    frame.insert(2, f"In the run (n = {n})", cells)
    note = "The column of the run describes those whom its folds tested; no test compares them."
    return replace(made, frame=frame, notes=(*made.notes, note))


def _places(names: pd.Series) -> list[tuple[str, str]]:
    heading, found = "", []
    for name in names:
        indented = str(name)[:1].isspace()
        heading = heading if indented else str(name)
        found.append((heading, str(name).strip()))
    return found
