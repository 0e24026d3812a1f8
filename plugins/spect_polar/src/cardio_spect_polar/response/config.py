"""The configuration of `crt_response`; each block goes to the hook of its name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cardio_core.api import Block, RunConfig
from cardio_core.api import EvaluateBlock as CoreEvaluateBlock
from cardio_spect_polar.response.training_config import (
    AutoencoderBlock,
    RegressionBlock,
    ScreenBlock,
)

COVARIATES = (
    "age_y", "male", "smoking", "nyha_bl", "ischemic_aetiology", "cad", "ckd", "acei_arb",
    "lvef_bl_pct", "lvesv_bl_ml", "lvedv_bl_ml", "scar_pct",
)  # fmt: skip
"""Of the paper's Table 1, without QRS duration and the phase indices."""


class LoadBlock(Block):
    """Which studies, and which outcome."""

    outcome: Literal["LVESV15", "LVEF5", "LVEF5ge", "NYHA1", "composite_VISION"] = Field(
        "LVESV15", description="how response is computed from the cohort table"
    )
    died_or_transplanted: Literal["na", "nonresponder"] = Field(
        "na", description="what death or transplantation before follow-up counts as"
    )
    min_lvesv_ml: float | None = Field(
        20.0,
        description="patients whose baseline LVESV is smaller are excluded by name, as the paper "
        "excluded one of 16 mL; null excludes nobody",
    )
    state: Literal["rest", "stress", "any"] = Field(
        "any", description="which study of a patient; any takes rest where there are both"
    )
    voxel_mm: tuple[float, float, float] | None = Field(
        None, description="slice, row and column distance where a NIfTI header's is a dummy"
    )
    min_slots: int = Field(
        8, ge=6, description="fewest time slots; with 6 or 7 a study is flagged, not quarantined"
    )


class PreprocessBlock(Block):
    """From counts to the sampled wall."""

    mode: Literal["tracked", "independent"] = Field(
        "tracked", description="largest count near the mid-wall, or anywhere along the ray"
    )
    correct_drop_off: bool = Field(True, description="undo the loss of counts in late slots")


class FeaturizeBlock(Block):
    """From curves to phases, maps and indices."""

    n_harmonics: Literal[1, 3] = Field(1, description="3 also gives the onset of thickening")
    convention: Literal["peak", "onset"] = "peak"
    weighting: Literal["samples", "area", "pixels"] = Field(
        "samples", description="what counts in indices: samples, their wall area, or polar pixels"
    )
    map: Literal["grid", "raster"] = Field(
        "grid", description="24 x 72 polar grid, or 128 x 128 raster"
    )


class TrainBlock(Block):
    """The codes of the phase map, their screen, and the regressions."""

    covariates: tuple[str, ...] = Field(
        COVARIATES,
        description="columns of the blocks clinical and indices that the clinical rows take; "
        "without QRS duration, as in the paper, so that its own row shows what was left out",
    )
    autoencoder: AutoencoderBlock = AutoencoderBlock()
    screen: ScreenBlock = ScreenBlock()
    regression: RegressionBlock = RegressionBlock()


class PredictBlock(Block):
    """Nothing to set."""


class ExplainBlock(Block):
    """Which features are drawn."""

    n_cases: int = Field(3, ge=0, description="features a fold whose traverse maps are drawn")
    n_studies: int = Field(
        3, ge=0, description="studies a fold whose sampled wall is shown, beside the row psd"
    )
    size: float = Field(2.0, gt=0, description="a traverse goes from -size to +size SD of a code")


class EvaluateBlock(CoreEvaluateBlock):
    """The default evaluation and the paper's tables."""

    entry_p: float = Field(0.1, gt=0, le=1, description="univariable p of the multivariable model")
    n_optimism: int = Field(200, ge=0, description="bootstrap resamples of the optimism; 0 is none")


class ResponseConfig(RunConfig):
    """Everything that `crt_response` can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: FeaturizeBlock = FeaturizeBlock()
    train: TrainBlock = TrainBlock()
    predict: PredictBlock = PredictBlock()
    explain: ExplainBlock = ExplainBlock()
    evaluate: EvaluateBlock = EvaluateBlock()
