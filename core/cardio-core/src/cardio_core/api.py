"""Everything a plugin may import from the core, beside `cardio_stats` and its `ultrasound`.

Names are resolved when they are first used, so that a plugin module stays light: ``from
cardio_core.api import PluginInfo, Task`` imports neither numpy nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.config import Block as Block
    from cardio_core.config import CasesBlock as CasesBlock
    from cardio_core.config import EvaluateBlock as EvaluateBlock
    from cardio_core.config import FollowUpBlock as FollowUpBlock
    from cardio_core.config import NetworkBlock as NetworkBlock
    from cardio_core.config import RunConfig as RunConfig
    from cardio_core.config import ScoringBlock as ScoringBlock
    from cardio_core.context import Context as Context
    from cardio_core.evaluation.default import default_evaluate as default_evaluate
    from cardio_core.hookspecs import hookimpl as hookimpl
    from cardio_core.io.cohort import CohortTable as CohortTable
    from cardio_core.io.cohort import cohort_from_table as cohort_from_table
    from cardio_core.io.synthetic import synthetic_cohort as synthetic_cohort
    from cardio_core.io.synthetic import synthetic_folder as synthetic_folder
    from cardio_core.io.synthetic import write_truth as write_truth
    from cardio_core.report.measured import write_measurements as write_measurements
    from cardio_core.training.examples import ArrayExamples as ArrayExamples
    from cardio_core.training.examples import Examples as Examples
    from cardio_core.training.plan import FitPlan as FitPlan
    from cardio_core.training.prediction import grad_cam_maps as grad_cam_maps
    from cardio_core.training.resnet import ResNet as ResNet
    from cardio_core.types.artifact import ModelArtifact as ModelArtifact
    from cardio_core.types.features import Difference as Difference
    from cardio_core.types.features import FeatureBlock as FeatureBlock
    from cardio_core.types.features import FeatureSet as FeatureSet
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
    from cardio_core.types.samples import Fact as Fact
    from cardio_core.types.samples import SampleSet as SampleSet
    from cardio_core.types.targets import Targets as Targets
    from cardio_stats.errors import ConfigError as ConfigError
    from cardio_stats.errors import DataError as DataError
    from cardio_stats.figures import canvas as canvas
    from cardio_stats.files import SafeName as SafeName

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
