"""Everything a plugin may import from the core, beside `cardio_core.stats` and its `ultrasound`.

Names are resolved when they are first used, so that a plugin module stays light: ``from
cardio_core.api import PluginInfo, Task`` imports neither numpy nor torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardio_core.config import Block as Block
    from cardio_core.config import EvaluateBlock as EvaluateBlock
    from cardio_core.config import RunConfig as RunConfig
    from cardio_core.context import Context as Context
    from cardio_core.errors import ConfigError as ConfigError
    from cardio_core.errors import DataError as DataError
    from cardio_core.evaluation.default import default_evaluate as default_evaluate
    from cardio_core.hookspecs import hookimpl as hookimpl
    from cardio_core.io.cohort import CohortTable as CohortTable
    from cardio_core.io.cohort import cohort_from_table as cohort_from_table
    from cardio_core.io.synthetic_folder import synthetic_folder as synthetic_folder
    from cardio_core.io.truth_file import write_truth as write_truth
    from cardio_core.report.figures import canvas as canvas
    from cardio_core.report.measured.default_sheet import (
        write_measurements as write_measurements,
    )
    from cardio_core.training.examples import ArrayExamples as ArrayExamples
    from cardio_core.training.examples import Examples as Examples
    from cardio_core.training.grad_cam import grad_cam_maps as grad_cam_maps
    from cardio_core.training.plan import FitPlan as FitPlan
    from cardio_core.types.artifact import ModelArtifact as ModelArtifact
    from cardio_core.types.features import FeatureBlock as FeatureBlock
    from cardio_core.types.features import FeatureSet as FeatureSet
    from cardio_core.types.file_names import SafeName as SafeName
    from cardio_core.types.info import Model as Model
    from cardio_core.types.info import Need as Need
    from cardio_core.types.info import Option as Option
    from cardio_core.types.info import PluginInfo as PluginInfo
    from cardio_core.types.info import Target as Target
    from cardio_core.types.info import Task as Task
    from cardio_core.types.notes import Note as Note
    from cardio_core.types.plans import Fixed as Fixed
    from cardio_core.types.plans import RandomSamples as RandomSamples
    from cardio_core.types.plans import Resubstitution as Resubstitution
    from cardio_core.types.predictions import Column as Column
    from cardio_core.types.predictions import Predictions as Predictions
    from cardio_core.types.predictions import Scored as Scored
    from cardio_core.types.report import Case as Case
    from cardio_core.types.report import EvaluationReport as EvaluationReport
    from cardio_core.types.report import Explanation as Explanation
    from cardio_core.types.report import Metric as Metric
    from cardio_core.types.report import Scope as Scope
    from cardio_core.types.samples import Cohort as Cohort
    from cardio_core.types.samples import SampleSet as SampleSet
    from cardio_core.types.targets import Targets as Targets

_HOME = {
    "cardio_core.config": "Block EvaluateBlock RunConfig",
    "cardio_core.context": "Context",
    "cardio_core.errors": "ConfigError DataError",
    "cardio_core.evaluation.default": "default_evaluate",
    "cardio_core.hookspecs": "hookimpl",
    "cardio_core.io.cohort": "CohortTable cohort_from_table",
    "cardio_core.io.synthetic_folder": "synthetic_folder",
    "cardio_core.io.truth_file": "write_truth",
    "cardio_core.report.measured.default_sheet": "write_measurements",
    "cardio_core.training.examples": "ArrayExamples Examples",
    "cardio_core.training.grad_cam": "grad_cam_maps",
    "cardio_core.training.plan": "FitPlan",
    "cardio_core.types.artifact": "ModelArtifact",
    "cardio_core.types.features": "FeatureBlock FeatureSet",
    "cardio_core.types.file_names": "SafeName",
    "cardio_core.types.info": "Model Need Option PluginInfo Target Task",
    "cardio_core.types.notes": "Note",
    "cardio_core.types.plans": "Fixed RandomSamples Resubstitution",
    "cardio_core.types.predictions": "Column Predictions Scored",
    "cardio_core.types.report": "Case EvaluationReport Explanation Metric Scope",
    "cardio_core.types.samples": "Cohort SampleSet",
    "cardio_core.types.targets": "Targets",
}
_LENT = {"canvas": "cardio_core.report.figures.canvas"}
"""A module that is lent as a whole."""

_WHERE = {name: home for home, names in _HOME.items() for name in names.split()}

__all__ = sorted([*_WHERE, *_LENT])

if not TYPE_CHECKING:  # so that a misspelt name is an error in an author's editor

    def __getattr__(name: str) -> Any:
        if name in _LENT:
            value = import_module(_LENT[name])
        elif name in _WHERE:
            value = getattr(import_module(_WHERE[name]), name)
        else:
            raise AttributeError(f"cardio_core.api has no {name!r}; it offers {', '.join(__all__)}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
