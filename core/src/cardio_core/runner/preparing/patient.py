"""One patient through `preprocess` and `featurize`, the way that nobody goes around.

The run, `cardio predict`, `cardio data check` and the contract of plugins all call `make_patient`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cardio_core.context import Context
from cardio_core.errors import DataError, HookError
from cardio_core.registry import Plugin
from cardio_core.runner.calls import call
from cardio_core.types.features import FeatureSet
from cardio_core.types.samples import Quarantined, SampleSet
from cardio_core.types.sealed import sealed
from cardio_core.types.wordless import text_of


@dataclass(frozen=True)
class MadePatient:
    """What was made of one patient's recordings.

    `samples` is None where no recording can be used, `features` where there is no sample or none
    was asked for; `quarantined` has one row a recording that was set aside.
    """

    samples: SampleSet | None
    features: FeatureSet | None
    quarantined: tuple[Quarantined, ...]


def make_patient(
    plugin: Plugin, config: Any, ctx: Context, samples: SampleSet, *, featurize: bool = True
) -> MadePatient:
    """Preprocess and featurize one patient.

    The hooks get values that the core opens one by one, and a context without inputs, needs, cache
    or a folder to fill: nothing from which the cohort table, and in it the label, could be found.
    `samples` are the patient's rows of what `load` returned.
    """
    own = ctx.replace(
        cache=None, _out=None, _inputs=(), _beside={}, _needs={}, _tested={}, _quarantined=[]
    )
    minted, features = None, None
    try:
        minted = call(plugin, "preprocess", own, config, samples=sealed(samples))
        if featurize and len(minted):
            features = call(plugin, "featurize", own, config, samples=minted)
    except (DataError, HookError) as error:
        # A hook that breaks on one new recording must not cost the others their answer.
        if isinstance(error, HookError) and ctx.mode == "fit":
            raise
        for recording in samples.table["recording_id"]:
            own.replace(hook="preprocess").quarantine(str(recording), text_of(error))
    # The first reason is the recording's own; a later one may speak for the whole patient.
    rows = {row.recording_id: row for row in reversed(own._quarantined)}
    return MadePatient(minted, features, tuple(reversed(rows.values())))
