"""What an identifier is called on a page: a plugin's words, the core's, or itself spelled out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from markupsafe import Markup, escape

from cardio_core.io.cohort_columns import COLUMNS as COHORT_COLUMNS
from cardio_core.io.run_artifact import RunManifest, SplitRecord
from cardio_stats.words import METRICS

UNITS = {
    "bpm": "/min", "cm": "cm", "deg": "°", "hz": "Hz", "kg": "kg", "ml": "mL", "mm": "mm",
    "ms": "ms", "mv": "mV", "pct": "%", "pts": "points", "y": "years",
}  # fmt: skip
"""The last part of a name that carries its unit."""

PARTS = {
    "ae": "autoencoder feature", "auc": "AUC", "avo": "aortic valve opening", "bl": "at baseline",
    "bmi": "BMI", "cad": "coronary artery disease", "ci": "CI", "ckd": "chronic kidney disease",
    "cmr": "CMR", "crt": "CRT", "dm": "diabetes", "ecg": "ECG", "ecv": "ECV", "ef": "EF",
    "fpr": "false-positive rate", "fu": "at follow-up", "hr": "heart rate", "iou": "overlap",
    "lbbb": "LBBB", "lge": "LGE", "lv": "LV", "lvedv": "LVEDV", "lvef": "LVEF", "lvesv": "LVESV",
    "mae": "mean absolute error", "mfr": "flow reserve", "mvc": "mitral valve closure",
    "brier": "Brier", "gini": "Gini", "rd": "risk difference", "vif": "VIF",
    "npv": "negative predictivity", "nyha": "NYHA class", "pbw": "phase bandwidth",
    "ppv": "positive predictivity", "psd": "phase SD", "qrs": "QRS", "r2": "R²", "rr": "RR",
    "sd": "SD", "sf": "septal flash", "t1": "T1", "t2": "T2", "tpr": "true-positive rate",
    "wma": "wall motion abnormality", "mult": "multiplier",
}  # fmt: skip
"""Parts of names that medicine writes otherwise."""

WORDS = {
    "age_sex": "age and sex",
    "code": "feature",
    "dob_y": "year of birth",
    "df": "degrees of freedom",
    "grad_cam_pp": "Grad-CAM++",
    "k": "with",
    "layer_cam": "LayerCAM",
    "chi2": "χ²",
    "added_chi2": "added χ²",
    "n_cases": "cases",
    "n_dropped": "left out",
    "n_events": "events",
    "n_missing": "missing",
    "n_patients": "patients",
    "n_rows": "n",
    "n_studies": "studies",
    "n_codes": "features",
    "p_holm": "p (Holm)",
    "p_likelihood_ratio": "p (likelihood ratio)",
    "p_max_t": "p (max-T)",
    "p_value": "p",
    "p_wald": "p (Wald)",
    "pearson_r2": "squared correlation r²",
    "recording_id": "recording",
    "sample_id": "sample",
    "subject_id": "patient",
}
"""Names whose parts do not tell what they mean."""

CELLS = {
    "bl": "baseline", "chi2": "chi-square", "firth": "Firth", "fu": "follow-up",
    "ls": "least squares", "ml": "maximum likelihood", "sf": "sf",
}  # fmt: skip
"""What a cell says in one short code."""

IDENTIFIER = re.compile(r"(?<![\w./#-])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+(?![\w/#])")
"""An identifier of code in a sentence: words tied by underscores."""


def spelled(name: str) -> str:
    """Return a name in words, its unit in brackets; what is not known stays as it is.

    Examples
    --------
    >>> spelled("lvesv_bl_ml"), spelled("ecv_high"), spelled("ae_07"), spelled("p_max_t")
    ('LV end-systolic volume (mL)', 'ECV high', 'autoencoder feature 07', 'p (max-T)')
    """
    known = WORDS.get(name) or _columns_of_a_cohort().get(name)
    if known is not None:
        return known
    if name.startswith("n_"):
        return f"{spelled(name.removeprefix('n_'))} (n)"
    parts = [part for part in re.split(r"[_ ]+", name) if part]
    unit = UNITS.get(parts[-1]) if len(parts) > 1 else None
    body = parts[:-1] if unit else parts
    words = " ".join(filter(None, (PARTS.get(part, part) for part in body)))
    return f"{words} ({unit})" if unit else words


@cache
def _columns_of_a_cohort() -> dict[str, str]:
    """Return the words of the cohort table's own columns, as they stand inside a sentence."""
    found = {}
    for column in COHORT_COLUMNS.values():
        title = column.title or column.name
        title = title[:1].lower() + title[1:] if title[1:2].islower() else title
        found[column.name] = f"{title} ({column.unit})" if column.unit else title
    return found


def cell_words(text: str) -> str:
    """Return what stands in a cell for a short code of a method or a measurement.

    Examples
    --------
    >>> cell_words("chi2"), cell_words("cad"), cell_words("anterior")
    ('chi-square', 'coronary artery disease', 'anterior')
    """
    known = CELLS.get(text) or _columns_of_a_cohort().get(text) or PARTS.get(text)
    return known if known and len(text) > 1 else text


def capital(words: str) -> str:
    """Return words with a large first letter, single letters (p, r, n) apart.

    Examples
    --------
    >>> capital("phase SD (°)"), capital("p (max-T)"), capital("n")
    ('Phase SD (°)', 'p (max-T)', 'n')
    """
    return words if len(words.split(" ")[0]) < 2 else words[:1].upper() + words[1:]


# The names of one run: its models, measurements and folds as a reader is told them.

_FOLD = re.compile(r"\br(\d+)-f(\d+)\b")
_SETTING = re.compile(r"(?<![\w/.-])(?:--[a-z-]+|[a-z_]+(?:\.[a-z_]+)+(?:=\w+)?)(?![\w/])")
_AS_TYPED = re.compile(rf"{_SETTING.pattern}|{IDENTIFIER.pattern}")
_FILE_ENDINGS = (".csv", ".json", ".svg", ".yaml", ".html")
_BRACKETS = re.compile(r" ?\((?:--[a-z-]+|[a-z_]+(?:\.[a-z_]+)+)\)")
_MODEL_FIRST = re.compile(r"^([A-Za-z0-9_]+)(, (?:every fold|r\d+-f\d+)| of )")
_MODEL_NAMED = re.compile(r"\b(of|model) ([A-Za-z0-9_]+)(?=[:,.)]|$)")


def without_settings(sentence: str) -> str:
    """Return a sentence without the settings that it names in brackets.

    Examples
    --------
    >>> without_settings("volume below 20 mL (load.min_lvesv_ml)")
    'volume below 20 mL'
    """
    return _BRACKETS.sub("", sentence)


@dataclass(frozen=True)
class Names:
    """How a run's identifiers are written for a reader.

    `models` are the titles of models, `words` those that the plugin gives, `repeated` whether the
    folds were drawn more than once.
    """

    models: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    repeated: bool = False

    @classmethod
    def of(cls, manifest: RunManifest, splits: Mapping[str, SplitRecord] | None = None) -> Names:
        """Return the names of a run from its manifest and splits."""
        folds = [fold for split in (splits or {}).values() for fold in split.folds]
        repeated = any(str(fold.name).startswith("r1-") for fold in folds)
        return cls(manifest.model_titles, manifest.words, repeated)

    def model(self, name: str) -> str:
        """Return a model's title."""
        return self.models.get(name) or self.heading(name)

    def word(self, name: str) -> str:
        """Return what stands for an identifier inside a sentence.

        Examples
        --------
        >>> Names(words={"ae_07": "feature 7"}).word("ae_07"), Names().word("peak_ms")
        ('feature 7', 'peak (ms)')
        """
        return self.models.get(name) or self.words.get(name) or spelled(name)

    def heading(self, name: str) -> str:
        """Return what stands for an identifier at the head of a column or a line.

        Examples
        --------
        >>> Names().heading("n_patients"), Names().heading("auc"), Names().heading("ece")
        ('Patients', 'AUC', 'Expected calibration error')
        """
        if name in self.words:
            return capital(self.words[name])
        if ":" in name:
            of, _, what = name.partition(":")
            return f"{self.heading(of)}: {self.word(what)}"
        if ", " in name:
            first, _, rest = name.partition(", ")
            return f"{METRICS.get(first) or capital(self.text(first))}, {self.text(rest)}"
        return METRICS.get(name) or capital(self.text(name if " " in name else spelled(name)))

    def fold(self, name: str) -> str:
        """Return a fold in words.

        Examples
        --------
        >>> Names().fold("r0-f2"), Names(repeated=True).fold("r1-f0")
        ('fold 3', 'fold 1 of repeat 2')
        """
        return _FOLD.sub(self._fold, name)

    def _fold(self, found: re.Match[str]) -> str:
        words = f"fold {int(found[2]) + 1}"
        return f"{words} of repeat {int(found[1]) + 1}" if self.repeated else words

    def text(self, sentence: str) -> str:
        """Return a sentence without identifiers of code.

        Examples
        --------
        >>> Names({"pca": "Latent"}).text("npv of pca: peak_ms, r0-f0 (load.min_ml)")
        'Negative predictivity of Latent: peak (ms), fold 1'
        """
        found = _MODEL_FIRST.sub(self._first, without_settings(sentence))
        found = _MODEL_NAMED.sub(self._named, found)
        return self.fold(IDENTIFIER.sub(lambda m: self.word(m[0]), found))

    def marked(self, sentence: str) -> Markup:
        """Return a sentence in words, what a user types (settings, files) set as code."""
        pieces, end = [], 0
        for found in _SETTING.finditer(sentence):
            if "." in found[0] and "_" not in found[0] and not _typed(found[0]):
                continue
            pieces += [escape(self.text(sentence[end : found.start()]))]
            pieces += [Markup("<code>{}</code>").format(found[0])]
            end = found.end()
        return Markup("").join([*pieces, escape(self.text(sentence[end:]))])

    def quoted(self, reason: str) -> Markup:
        """Return what is said of a file of the user's: its columns and keys stay, set as code."""
        pieces, end = [], 0
        for found in _AS_TYPED.finditer(reason):
            pieces += [escape(reason[end : found.start()])]
            pieces += [Markup("<code>{}</code>").format(found[0])]
            end = found.end()
        return Markup("").join([*pieces, escape(reason[end:])])

    def _first(self, found: re.Match[str]) -> str:
        known = self.models.get(found[1])
        return (known or (METRICS[found[1]] if found[1] in METRICS else found[1])) + found[2]

    def _named(self, found: re.Match[str]) -> str:
        return f"{found[1]} {self.models.get(found[2], found[2])}"


def _typed(name: str) -> bool:
    """Return whether a dotted name is a setting or a file."""
    stages = ("load", "preprocess", "featurize", "train", "predict", "explain", "evaluate", "needs",
              "split", "inner", "outcome", "config")  # fmt: skip
    return name.split(".")[0] in stages or name.endswith(_FILE_ENDINGS)


# What each metric says, in one sentence, and which values it takes.

MEANINGS = {
    "accuracy": "Share of cases decided right; hangs on how common the event is. 0 to 1.",
    "accuracy_difference": "Share decided right by one model less that of another.",
    "auc": "Probability that a random case with the event scores above one without. 0.5 is chance.",
    "auc_at": "Probability that who has the event by the horizon scores above who has it later.",
    "auc_difference": "AUC of one model less that of another, on the same patients.",
    "average_precision": "Area under precision over recall; chance is the share with the event.",
    "balanced_accuracy": "Mean of the sensitivities of all classes. 1 / classes is chance.",
    "base_rate": "Share of the tested who have the event.",
    "bias": "Mean of predicted less measured, in the unit of the target. 0 is none.",
    "brier": "Mean squared error of the probability. 0 is best; the base rate p gives p (1 - p).",
    "brier_at": "Mean squared error of the risk by the horizon, weighted for censoring.",
    "brier_difference": "Brier score of one model less that of another, on the same patients.",
    "c_index": "Of pairs of patients whose order of events is known, the share ranked right.",
    "calibration_in_the_large": "Log odds by which predictions are too low on average. 0 is none.",
    "calibration_intercept": "Log odds of the event where 50 % is predicted. 0 is right.",
    "calibration_slope": "Slope of outcome on log odds; below 1 predictions are too extreme.",
    "calibration_slope_at": "Slope of the log hazard on the predicted; below 1 too extreme.",
    "ccc": "Agreement of two measurements in value, not only in rank. 1 is equality.",
    "conformal_coverage": "Share of cases whose set holds the truth; 0.9 for sets of 90 %.",
    "conformal_coverage_pooled": "Share of cases whose set held it, one threshold for all. 0 to 1.",
    "e50": "Median distance of the smooth calibration curve from the diagonal.",
    "e50_at": "Median distance of the smooth curve of risks by the horizon from the diagonal.",
    "e90": "90th percentile of the distance of the smooth calibration curve from the diagonal.",
    "e90_at": "90th percentile of that distance of risks by the horizon.",
    "ece": "Mean distance of observed from predicted share in bins; hangs on the bins.",
    "emax": "Largest distance of the smooth calibration curve from the diagonal.",
    "empty_sets": "Share of cases for which no class remained possible. 0 to 1.",
    "f1": "Harmonic mean of sensitivity and +P of a class. 0 to 1.",
    "fpr": "Share of those without the event who are called positive: 1 - specificity.",
    "harrell_c": "Of pairs whose order of events is known, the share ranked right. 0.5 is chance.",
    "ici": "Mean distance of the smooth calibration curve from the diagonal; chance makes it > 0.",
    "ici_at": "Mean distance of the smooth curve of risks by the horizon from the diagonal.",
    "idi": "Mean rise of probability in cases less that in the others, one model against another.",
    "interval_half_width": "Half the width of a prediction interval, in the unit of the target.",
    "kappa": "Agreement beyond what the margins give by chance. 0 is chance, 1 is equality.",
    "likelihood_ratio_added": "χ² by which the second score improves when the first is added.",
    "loa_lower": "Bias less 1.96 SD of the differences, in the unit of the target.",
    "loa_upper": "Bias plus 1.96 SD of the differences, in the unit of the target.",
    "log_score_difference": "Mean log likelihood of one model's probabilities less another's.",
    "macro_f1": "F1 averaged over classes, each counting alike.",
    "macro_f1_difference": "Macro F1 of one model less that of another, on the same patients.",
    "macro_ppv": "Positive predictivity averaged over classes.",
    "macro_sensitivity": "Sensitivity averaged over classes.",
    "mae": "Mean absolute error, in the unit of the target.",
    "mae_constant": "Mean absolute error of always saying the median of the training patients.",
    "mae_difference": "Mean absolute error of one model less that of another.",
    "mean_error": "Mean of measured less predicted, in the unit of the target. 0 is none.",
    "mean_set_size": "Mean number of classes that a prediction set holds. 0 to all classes.",
    "multiclass_auc": "AUC averaged over pairs of classes (Hand and Till 2001). 0.5 is chance.",
    "net_benefit": "True positives less weighted false ones, at a threshold of action.",
    "net_benefit_over_everybody": "Net benefit less that of treating everybody.",
    "net_benefit_at": "Net benefit at a threshold of risk, for events by the horizon.",
    "net_benefit_difference": "Net benefit of one model less another's, at a threshold of action.",
    "npv": "Of those called negative, the share without the event.",
    "nri": "Cases whose probability rises less those whose falls, and the reverse in the others.",
    "observed_over_expected_at": "Risk that occurred by the horizon over that predicted.",
    "oe_ratio": "Events that occurred over events predicted. 1 is right.",
    "pearson_r": "Correlation of predicted and measured; says nothing of bias. -1 to 1.",
    "pearson_r2": "Square of the correlation; not the share explained where there is bias.",
    "ppv": "Of those called positive, the share with the event; hangs on how common it is.",
    "r2": "1 less squared error over that of the mean; below 0 is worse than the mean.",
    "rmse": "Root of the mean squared error, in the unit of the target.",
    "scaled_brier": "1 less Brier score over that of the base rate; 0 is the base rate alone.",
    "scaled_brier_at": "1 less Brier score over that of the same risk for all; 0 is that.",
    "sd_of_differences": "SD of predicted less measured, in the unit of the target.",
    "sensitivity": "Of those with the event, the share called positive.",
    "sets_of_several": "Share of cases for which more than one class remained possible. 0 to 1.",
    "specificity": "Of those without the event, the share called negative.",
    "support": "Number of cases of a class, by the reference.",
    "uno_c": "Concordance weighted for censoring, of events up to the horizon. 0.5 is chance.",
    "youden": "Sensitivity plus specificity less 1. 0 is chance.",
}
"""By the name in ``metrics.json``; `report.words.METRICS` has what a page calls them."""
