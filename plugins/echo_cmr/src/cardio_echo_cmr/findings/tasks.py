"""What this plugin predicts, and the models that are compared."""

from __future__ import annotations

from typing import Literal

from cardio_core.api import Model, Need, Target, Task
from cardio_echo_cmr.views.names import CLIPS, OTHER, VIEW_TITLES, VIEWS
from cardio_ultrasound import LOOP_OPTIONS

SEGMENTAL = {"wma": "Wall motion abnormality", "lge": "Late gadolinium enhancement"}
"""Findings that the CMR gives by segment of the AHA model."""

MAPPED = {"t1": ("t1_ms", "ms"), "t2": ("t2_ms", "ms"), "ecv": ("ecv_pct", "%")}
"""Findings that the CMR measures: column of the cohort table and its unit."""

Kind = Literal["binary", "multiclass", "continuous"]
_ANY: tuple[Kind, ...] = ("binary", "multiclass", "continuous")
_FUSABLE: tuple[Kind, ...] = ("binary", "continuous")

_NO_YES = ("no", "yes")
_FAMILY, _FOLDER = "loops", "cardio_echo_cmr.findings"

_CLIPS = {
    name: f"clips, {VIEW_TITLES[view]}" if view else "clips whose view nobody named"
    for name, view in CLIPS.items()
}
_KNOWN = {
    "timepoint": "which studies are taken; empty is baseline",
    "lvef_bl_pct": "model LVEF alone",
    "age_y": "model age and sex, Table 1",
    "sex": "model age and sex, Table 1",
    "subject_link": "people with several patient_id",
    "site_id": "leaving one hospital out",
    "scanner_id": "which scanner",
}
_CMR = {"days_echo_to_cmr": "pairs of echocardiogram and CMR that are too far apart"}


def _columns(*outcome: str) -> dict[str, str]:
    """Return what a task reads of a cohort table: clips, its outcome, what is known."""
    of_cmr = _CMR if outcome else {}
    return {**_CLIPS, **dict.fromkeys(outcome, "outcome"), **of_cmr, **_KNOWN}


VIEW = Task(
    name="view",
    title="View of an echo loop",
    unit="recording",
    targets=(Target("view", "multiclass", (*VIEWS, OTHER)),),
    models=(Model("resnet", "ResNet on eight frames"),),
    family=_FAMILY,
    folder=_FOLDER,
    options=LOOP_OPTIONS,
    columns=_columns(),
)


def _baselines(targets: tuple[str, ...]) -> tuple[Model, ...]:
    """Return the models to be beaten; a study without the measurement has no score."""
    return (
        Model("lvef", "LVEF alone", baseline=True, partial=True, targets=targets, kinds=_ANY),
        Model("age_sex", "Age and sex", baseline=True, partial=True, targets=targets, kinds=_ANY),
    )


def _networks(named: dict[str, tuple[str, ...]], fused: str, suffix: str = "") -> tuple[Model, ...]:
    """Return a model for each view, whose inner folds score its first target, and their fusion."""
    views = tuple(
        Model(
            f"{view}{suffix}",
            f"R(2+1)D-18, {VIEW_TITLES[view]}" + (", value" if suffix else ""),
            partial=True,
            targets=targets,
            kinds=_ANY,
        )
        for view, targets in named.items()
    )
    all_views = Model(
        f"fused{suffix}",
        "R(2+1)D-18, views fused" + (", value" if suffix else ""),
        targets=(fused,),
        fuses=tuple(model.name for model in views),
        kinds=_FUSABLE,
    )
    return (all_views, *views)  # first, because it leads the report


def _view_for(models: tuple[Model, ...]) -> tuple[Need, ...]:
    """Return the need of the networks, each of which looks at the loops of its view."""
    networks = tuple(model.name for model in models if not model.baseline and not model.fuses)
    return (Need("view", "same", for_new=True, optional=True, models=networks),)


def _segmental(name: str) -> Task:
    """Return the task of a finding by segment: anywhere, and in the segments that a view shows."""
    models = (
        *_networks({view: (f"{name}_{view}", name) for view in VIEWS}, name),
        *_baselines((name,)),
    )
    segments = tuple(f"{name}_seg_{segment:02d}" for segment in range(1, 18))
    return Task(
        name=name,
        title=f"{SEGMENTAL[name]} at CMR from echo loops",
        unit="study",
        targets=(
            Target(name, "binary", _NO_YES),
            *(Target(f"{name}_{view}", "binary", _NO_YES) for view in VIEWS),
        ),
        models=models,
        needs=_view_for(models),
        family=_FAMILY,
        folder=_FOLDER,
        options=LOOP_OPTIONS,
        columns=_columns(*segments),
        outcome_columns=segments,
    )


def _mapped(name: str) -> Task:
    """Return the task of a measured finding: raised or not, and its value."""
    value, unit = MAPPED[name]
    high = f"{name}_high"
    models = (
        *_networks(dict.fromkeys(VIEWS, (high,)), high),
        *_networks(dict.fromkeys(VIEWS, (value,)), value, "_value"),
        *_baselines((high, value)),
    )
    return Task(
        name=name,
        title=f"{name.upper()} at CMR from echo loops",
        unit="study",
        targets=(Target(high, "binary", _NO_YES), Target(value, "continuous", unit=unit)),
        models=models,
        needs=_view_for(models),
        family=_FAMILY,
        folder=_FOLDER,
        options=LOOP_OPTIONS,
        columns=_columns(value, "field_T"),
        outcome_columns=(value, "field_T"),
    )


STAND_IN = "responder"
"""What `outcome` predicts where nothing else is asked for: a column of the synthetic cohort."""

_FOR_ANY = (*_networks(dict.fromkeys(VIEWS, (STAND_IN,)), STAND_IN), *_baselines((STAND_IN,)))

OUTCOME = Task(
    name="outcome",
    title="An outcome of your own from echo loops",
    unit="study",
    targets=(Target(STAND_IN, "binary", _NO_YES),),
    models=_FOR_ANY,
    needs=_view_for(_FOR_ANY),
    family=_FAMILY,
    folder=_FOLDER,
    options=LOOP_OPTIONS,
    primary="fused",
    any_outcome=True,
    columns=_columns(),
)

OF_THE_ECHO = (VIEW.name, OUTCOME.name)
"""Tasks that ask nothing of a CMR."""

TASKS = (
    *(_segmental(name) for name in SEGMENTAL),
    *(_mapped(name) for name in MAPPED),
    OUTCOME,
    VIEW,
)
