"""The configuration of `crt_response`; each block goes to the hook of its name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from cardio_core.api import Block, FollowUpBlock, RunConfig
from cardio_core.api import EvaluateBlock as CoreEvaluateBlock

COVARIATES = (
    "age_y", "male", "smoking", "nyha_bl", "ischemic_aetiology", "cad", "ckd", "acei_arb",
    "lvef_bl_pct", "lvesv_bl_ml", "lvedv_bl_ml", "scar_pct",
)  # fmt: skip
"""Of the paper's Table 1, without QRS duration and the phase indices."""


Azimuth = Annotated[float, Field(ge=-180, le=180)]
Elevation = Annotated[float, Field(ge=-89, le=89)]


class LoadBlock(FollowUpBlock):
    """Which studies, and which outcome."""

    min_lvesv_ml: float | None = Field(
        20.0,
        description="patients whose baseline LVESV is smaller are excluded by name, as the paper "
        "excluded one of 16 mL; null excludes nobody",
    )
    state: Literal["rest", "stress", "any"] = Field(
        "any", description="which study of a patient; any takes rest where there are both"
    )
    voxel_mm: tuple[float, float, float] | None = Field(
        None, description="slice, row and column distance where the header's are a dummy or absent"
    )
    base_mm: float | tuple[float, ...] | None = Field(
        None,
        description="an operator's base, in mm from the centre of a file's first slice: at "
        "end-diastole, or one number for each time slot; one in the JSON of the file comes first",
    )
    apex_mm: float | None = Field(
        None, description="an operator's apex, in mm from the centre of a file's first slice"
    )
    long_axis: Literal["find"] | tuple[Azimuth, Elevation] | None = Field(
        None,
        description="for slices along the body: find, or degrees to the left and up of the axis to "
        "the apex; one in the JSON of the file comes first",
    )
    min_slots: int = Field(
        8, ge=6, description="fewest time slots; with 6 or 7 a study is flagged, not quarantined"
    )
    max_drop_off: float = Field(
        0.65,
        ge=0,
        le=1,
        description="largest share of its counts that the last gate may have lost; above 0.3 a "
        "study is flagged, above this it is refused",
    )
    max_rejected: float = Field(
        0.35,
        ge=0,
        le=1,
        description="largest share of beats that may have been rejected; above 0.35 a study is "
        "flagged, not quarantined",
    )


class PreprocessBlock(Block):
    """From counts to the sampled wall."""

    mode: Literal["tracked", "independent"] = Field(
        "tracked", description="largest count near the mid-wall, or anywhere along the ray"
    )
    rings: Literal["moving", "fixed"] = Field(
        "moving",
        description="whether rings and cavity follow the base as it descends in systole, or stay "
        "at fixed slices",
    )
    correct_drop_off: bool = Field(True, description="undo the loss of counts in late slots")


class PerfusionLimitBlock(Block):
    """Below which perfusion a segment has which score, by a normal database."""

    segment: int = Field(ge=1, le=17, description="AHA segment")
    state: Literal["rest", "stress", "any"] = Field(
        "any", description="studies that it holds for; one of any state comes after that state's"
    )
    sex: Literal["men", "women", "any"] = Field(
        "any", description="patients whom it holds for; one of any sex comes after that sex's"
    )
    score_1_below_pct: float = Field(description="perfusion below which the score is 1")
    score_2_below_pct: float = Field(description="perfusion below which the score is 2")
    score_3_below_pct: float = Field(description="perfusion below which the score is 3")
    score_4_below_pct: float = Field(description="perfusion below which the score is 4")

    @property
    def cutoffs_pct(self) -> tuple[float, float, float, float]:
        """The four, which fall."""
        return (
            self.score_1_below_pct, self.score_2_below_pct, self.score_3_below_pct,
            self.score_4_below_pct,
        )  # fmt: skip

    @model_validator(mode="after")
    def _fall(self) -> PerfusionLimitBlock:
        if list(self.cutoffs_pct) != sorted(self.cutoffs_pct, reverse=True):
            raise ValueError(f"segment {self.segment}: expected limits that fall from score 1 to 4")
        return self


class FeaturizeBlock(Block):
    """From curves to phases, maps and indices."""

    n_harmonics: Literal[1, 3] = Field(
        1, description="harmonics of a wall curve; 3 also give the onset of thickening"
    )
    convention: Literal["peak", "onset"] = Field(
        "peak",
        description="what a phase marks: the peak of thickening, or its onset (three harmonics)",
    )
    weighting: Literal["samples", "area", "pixels"] = Field(
        "samples", description="what counts in indices: samples, their wall area, or polar pixels"
    )
    map: Literal["grid", "raster"] = Field(
        "grid", description="what networks see: a polar grid of 24 x 72, or a raster of 128 x 128"
    )
    perfusion_limits: tuple[PerfusionLimitBlock, ...] = Field(
        (),
        description="limits of a normal database by segment, for summed scores: a CSV file with "
        "these columns, or its rows; without any there are no scores",
    )

    @field_validator("perfusion_limits", mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        """Read a file at once, so that the run's configuration holds what was in it."""
        if not isinstance(given, str | Path):
            return given
        if not Path(given).is_file():
            raise ValueError("expected a CSV file of limits, found no file; check the path")
        try:
            with Path(given).open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
        except (csv.Error, UnicodeDecodeError):
            raise ValueError(
                "expected a CSV file of limits, found none; save it as UTF-8"
            ) from None
        return [{name: cell for name, cell in row.items() if name and cell} for row in rows]


class AutoencoderBlock(Block):
    """The codes of the phase map."""

    kind: Literal["rotated", "paper", "paper_relu"] = Field(
        "rotated",
        description="rotated: circular loss, several seeds, codes in their principal axes; paper: "
        "as published, raw codes; paper_relu: that with ReLU in the hidden layers",
    )
    hidden: int = Field(512, ge=1, description="width of layers 1 and 3; the paper does not say it")
    n_features: int = Field(
        64,
        ge=1,
        description="how many features the autoencoder finds, and how many principal components "
        "are added",
    )
    n_steps: int = Field(1000, ge=1, description="Adam steps of the published kinds")
    learning_rate: float = Field(1e-3, gt=0, description="step of the optimiser (Adam)")
    weight_decay: float = Field(
        1e-2, ge=0, description="L2 penalty on the weights of `rotated`; the paper has none"
    )
    n_seeds: int = Field(
        10,
        ge=1,
        description="how many times `rotated` is fitted from other initial weights, all in one "
        "batch",
    )
    max_epochs: int = Field(30, ge=1, description="of rotated; an epoch is ten full-batch steps")
    patience: int = Field(5, ge=1, description="epochs without a better validation loss")
    cells_per_step: int | None = Field(
        432, ge=1, description="cells of the map drawn for each step of rotated; null is all"
    )
    min_stability: float = Field(
        0.9, ge=0, le=1, description="mean |r| over the seeds below which a code is dropped"
    )


class ScreenBlock(Block):
    """Which codes enter the regression."""

    by: Literal["max_t", "bh", "p"] = Field(
        "max_t",
        description="max-T permutation p, Benjamini and Hochberg's q, or the plain p of a "
        "likelihood-ratio test, each on the training patients",
    )
    alpha: float = Field(0.1, gt=0, le=1, description="a code whose p or q is below it enters")
    at_least: int = Field(1, ge=0, description="the best codes enter even where none passes")
    at_most: int | None = Field(
        None, ge=1, description="most codes that enter, the best ones; null is no limit"
    )
    n_permutations: int = Field(
        2000,
        ge=99,
        description="how many times the outcomes of the training patients are permuted, for max_t",
    )


class RegressionBlock(Block):
    """The regression of every model."""

    method: Literal["ridge", "firth", "ml"] = Field(
        "ridge",
        description="ridge: penalised, on standardised columns; firth: Firth's penalty, for few "
        "columns; ml: maximum likelihood, and Firth's method under separation",
    )
    ridge_c: float = Field(
        0.1, gt=0, description="inverse strength of the ridge penalty: less is simpler"
    )
    screen_covariates: bool = Field(
        False, description="take only covariates whose univariable p is below screen.alpha"
    )


class TrainBlock(Block):
    """The codes of the phase map, their screen, and the regressions."""

    covariates: tuple[str, ...] = Field(
        COVARIATES,
        description="columns of the blocks clinical and indices that the clinical models take; "
        "without QRS duration, as in the paper, so that its own model shows what was left out",
    )
    autoencoder: AutoencoderBlock = AutoencoderBlock()
    screen: ScreenBlock = ScreenBlock()
    regression: RegressionBlock = RegressionBlock()


class ExplainBlock(Block):
    """Which features are drawn."""

    n_cases: int = Field(3, ge=0, description="features a fold whose traverse maps are drawn")
    n_studies: int = Field(
        3, ge=0, description="studies a fold whose sampled wall is shown, for the model psd"
    )
    size: float = Field(
        2.0,
        gt=0,
        json_schema_extra={"unit": "SD"},
        description="a traverse changes a code from -size to +size",
    )


class EvaluateBlock(CoreEvaluateBlock):
    """The default evaluation and the paper's tables."""

    entry_p: float = Field(
        0.1,
        gt=0,
        le=1,
        description="largest univariable p with which a variable enters the multivariable model",
    )
    n_optimism: int = Field(200, ge=0, description="bootstrap resamples of the optimism; 0 is none")


class Config(RunConfig):
    """Everything that `crt_response` can be told."""

    load: LoadBlock = LoadBlock()
    preprocess: PreprocessBlock = PreprocessBlock()
    featurize: FeaturizeBlock = FeaturizeBlock()
    train: TrainBlock = TrainBlock()
    explain: ExplainBlock = ExplainBlock()
    evaluate: EvaluateBlock = EvaluateBlock()
