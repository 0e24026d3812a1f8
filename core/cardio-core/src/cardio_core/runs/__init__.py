"""Run directories from outside the core: open, answer, refit, repeat, write.

Everything that `cardio-studies` needs of runs, and what a notebook uses as ``import cardio_core as
cardio``. Names are imported when they are first used.

- Open: `Run` (predictions, metrics, splits, notes), `finished` (the manifest of a run that can be
  studied), `FinalModels` (what answers for new patients: files, rules, settings).
- Answer: `predict_new`; `answer_others`, beside what really happened to other patients.
- Fit again: `reopen` prepares the run's own patients, `Reopened.fit` spreads refits.
- Repeat: `Repetition` makes a run again by its own command; `differences_between` two runs.
- Write: `write_run` holds a folder (lock, state, resume), `RunWriter.publish` finishes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.compute.processes import one_thread as one_thread
    from cardio_core.compute.resource_errors import install_extra as install_extra
    from cardio_core.errors import LeakageError as LeakageError
    from cardio_core.fold_assignment import SplitPlan as SplitPlan
    from cardio_core.fold_assignment import link_subjects as link_subjects
    from cardio_core.fold_assignment import plan_folds as plan_folds
    from cardio_core.io.hashing import digest as digest
    from cardio_core.io.hashing import file_digest as file_digest
    from cardio_core.io.run_artifact import MetricRow as MetricRow
    from cardio_core.io.run_artifact import RunArtifact as RunArtifact
    from cardio_core.io.run_artifact import RunKind as RunKind
    from cardio_core.runner.manifest import finished as finished
    from cardio_core.runner.predict import predict_new as predict_new
    from cardio_core.runner.predict import without_decisions as without_decisions
    from cardio_core.runner.progress import Display as Display
    from cardio_core.runner.progress import Echo as Echo
    from cardio_core.runs.finals import FinalModels as FinalModels
    from cardio_core.runs.finals import looking_into as looking_into
    from cardio_core.runs.notebook import Run as Run
    from cardio_core.runs.notebook import make_run as make_run
    from cardio_core.runs.notebook import measure as measure
    from cardio_core.runs.notebook import open_run as open_run
    from cardio_core.runs.notebook import plugins as plugins
    from cardio_core.runs.other_patients import OtherPatients as OtherPatients
    from cardio_core.runs.other_patients import Question as Question
    from cardio_core.runs.other_patients import answer_others as answer_others
    from cardio_core.runs.other_patients import coverage_metrics as coverage_metrics
    from cardio_core.runs.other_patients import source_of as source_of
    from cardio_core.runs.refitting import Refit as Refit
    from cardio_core.runs.refitting import Reopened as Reopened
    from cardio_core.runs.refitting import reopen as reopen
    from cardio_core.runs.repeating import Repetition as Repetition
    from cardio_core.runs.repeating import differences_between as differences_between
    from cardio_core.runs.writing import RunWriter as RunWriter
    from cardio_core.runs.writing import guard_place as guard_place
    from cardio_core.runs.writing import write_run as write_run
    from cardio_core.types.notes import NoteKind as NoteKind
    from cardio_core.types.plans import Nested as Nested

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
