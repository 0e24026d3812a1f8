"""What `crt_response` predicts, the models that are compared, and what each one looks at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from cardio_core.api import Model, Option, Resubstitution, Target, Task

_COMPARED = (
    Model("clinical_autoencoder", "Clinical variables and autoencoder features"),
    Model("autoencoder", "Autoencoder features"),
    Model("clinical", "Clinical variables", baseline=True),
    Model("clinical_psd", "Clinical variables and phase SD"),
    Model("clinical_pbw", "Clinical variables and phase bandwidth"),
    Model("pca", "Principal components of the phase map", baseline=True),
    Model("psd", "Phase SD", baseline=True),
    Model("pbw", "Phase bandwidth", baseline=True),
    Model("indices", "Phase SD, bandwidth and entropy", baseline=True),
    Model("delay", "Delay of the lateral wall and latest viable segment", baseline=True),
    Model("qrs_duration", "QRS duration", baseline=True),
)

_OUTCOME = {
    "lvesv_bl_ml": "outcome LVESV15, the default",
    "lvesv_fu_ml": "outcome LVESV15, the default",
    "lvef_bl_pct": "outcomes LVEF5 and LVEF5ge",
    "lvef_fu_pct": "outcomes LVEF5 and LVEF5ge",
    "nyha_bl": "outcome NYHA1",
    "nyha_fu": "outcome NYHA1",
    "mlhfq_bl": "outcome composite_VISION",
    "mlhfq_fu": "outcome composite_VISION",
    "vol_method": "outcome: one method at both times",
    "vol_method_fu": "outcome: the method at follow-up, where it is another",
    "days_to_followup": "outcome: a follow-up in its time (load.window_days)",
    "followup_status": "outcome: why there is none (load.died_or_transplanted)",
}
_COLUMNS = {
    "path_spect": "the recordings",
    "timepoint": "rows at baseline are taken; empty is baseline",
    **_OUTCOME,
    **dict.fromkeys(
        ("age_y", "sex", "smoking", "ischemic_aetiology", "cad", "htn", "dm", "ckd", "acei_arb",
         "betablocker", "spironolactone", "digoxin", "diuretic", "qrs_ms", "qrs_morph",
         "lvedv_bl_ml"),
        "clinical models, Table 1",
    ),
    "subject_link": "people with several patient_id",
    "site_id": "leaving one hospital out",
    "scanner_id": "calibration by scanner",
}  # fmt: skip
"""What is read of a cohort table."""

_OPTIONS = (
    Option(
        "voxel-mm", "Distances of slices, rows and columns, where the header has none or 1,1,1",
        setting="load.voxel_mm", form="SLICE,ROW,COLUMN", unit="mm", for_new=True,
    ),
    Option(
        "base", "An operator's base from the centre of the file's first slice: at end-diastole, or "
        "one number a gate",
        setting="load.base_mm", form="NUMBER[,...]", unit="mm", for_new=True,
    ),
    Option(
        "apex", "An operator's apex, from the same place",
        setting="load.apex_mm", form="NUMBER", unit="mm", for_new=True,
    ),
    Option(
        "long-axis", "For slices along the body: how far the axis to the apex points left and up, "
        "or have it found",
        setting="load.long_axis", form="AZIMUTH,ELEVATION|find", unit="degrees", for_new=True,
    ),
    Option(
        "min-gates", "Fewest gates of a study; 6 at least", setting="load.min_slots",
        form="NUMBER", for_new=True,
    ),
    Option(
        "max-drop-off", "Largest share of its counts that the last gate may have lost",
        setting="load.max_drop_off", form="SHARE", for_new=True,
    ),
    Option(
        "max-rejected", "Largest share of beats that may have been rejected",
        setting="load.max_rejected", form="SHARE", for_new=True,
    ),
    Option(
        "state", "Which studies are taken; of a file that does not say, its state",
        setting="load.state", form="rest|stress|any",
    ),
    Option(
        "perfusion-limits", "A normal database's limits by segment (CSV), for summed scores",
        setting="featurize.perfusion_limits", form="FILE",
    ),
)  # fmt: skip

CRT_RESPONSE = Task(
    name="crt_response",
    title="Response to cardiac resynchronization therapy from gated SPECT",
    unit="patient",
    folder="cardio_spect_polar.response",
    columns=_COLUMNS,
    outcome_columns=tuple(_OUTCOME),
    options=_OPTIONS,
    targets=(Target("response", "binary", ("no", "yes")),),
    models=tuple(
        replace(model, kinds=("binary", "multiclass", "continuous")) for model in _COMPARED
    ),
    primary="clinical_autoencoder",
    any_outcome=True,
    uses_unlabelled=True,
    plans={
        "apparent": Resubstitution(
            overlap="autoencoder, screening and regression see every patient they are tested on"
        )
    },
)


@dataclass(frozen=True)
class Recipe:
    """What enters one model's regression.

    Attributes
    ----------
    clinical : bool
        The covariates of `train.covariates`.
    indices : tuple of str
        Columns of the block `indices`.
    columns : tuple of str
        Columns of the block `clinical`.
    codes : {"", "autoencoder", "pca"}
        Codes of the phase map, screened before they enter.
    """

    clinical: bool = False
    indices: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    codes: Literal["", "autoencoder", "pca"] = ""


RECIPES = {
    "clinical_autoencoder": Recipe(clinical=True, indices=("psd_deg",), codes="autoencoder"),
    "autoencoder": Recipe(codes="autoencoder"),
    "clinical": Recipe(clinical=True),
    "clinical_psd": Recipe(clinical=True, indices=("psd_deg",)),
    "clinical_pbw": Recipe(clinical=True, indices=("pbw_deg",)),
    "pca": Recipe(codes="pca"),
    "psd": Recipe(indices=("psd_deg",)),
    "pbw": Recipe(indices=("pbw_deg",)),
    "indices": Recipe(indices=("psd_deg", "pbw_deg", "entropy")),
    "delay": Recipe(indices=("delay_deg", "latest_viable_deg")),
    "qrs_duration": Recipe(columns=("qrs_ms",)),
}
"""By the name under which the task declares them."""
