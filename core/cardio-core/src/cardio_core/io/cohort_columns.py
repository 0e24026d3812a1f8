"""The columns of a cohort table, as data: kind, unit, allowed values and one sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from cardio_stats.cells import cell_text, mark_of, notation_of

# One column of a cohort table, as data: kind, unit, limits, words.

Kind = Literal["text", "path", "number", "count", "flag", "code", "date"]
Use = Literal["identity", "recording", "patient", "follow-up", "reference", "method"]


@dataclass(frozen=True)
class ColumnSpec:
    """One column of the cohort table.

    Attributes
    ----------
    name : str
        In the header.
    kind : str
        What a cell is: ``count`` a whole number, ``flag`` yes or no as 1 and 0, ``code`` one of
        `allowed`, ``date`` YYYY-MM-DD, ``path`` a file, a folder or several of them with ``;``
        between.
    sentence : str
        What the column means.
    unit : str
        Empty where there is none.
    allowed : tuple of str
        The codes.
    low, high : float or None
        Numbers outside are impossible, not merely unusual.
    required : bool
        Whether every row must have a value.
    title : str
        What a table for readers calls it, without the unit.
    use : str
        ``patient`` what was known of the patient when the recording was made, and so what Table 1
        describes; ``follow-up`` what became known afterwards; ``reference`` what another
        examination says, of which outcomes are made; ``method`` how it was measured; ``identity``;
        ``recording``.
    example : str
        A cell to copy.
    aliases : mapping of str to str
        Other words for the codes, in small letters.
    """

    name: str
    kind: Kind
    sentence: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = False
    title: str = ""
    use: Use = "patient"
    example: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The title with its unit, as a table for readers has it: ``"Age (years)"``."""
        title = self.title or title_of(self.name)
        return f"{title} ({self.unit})" if self.unit else title

    def range_words(self) -> str:
        """Return what a cell may hold, in a few words, with the unit."""
        match self.kind:
            case "path":
                return "a file, a folder, or several with ; between"
            case "flag":
                return "1 or 0 (also yes, no)"
            case "code":
                return ", ".join(self.allowed)
            case "date":
                return "YYYY-MM-DD"
            case "text":
                return "text"
        whole = "whole number" if self.kind == "count" else "number"
        whole += f" in {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{whole}, {self.low:g} to {self.high:g}"
        return whole if self.low is None else f"{whole}, {self.low:g} or more"


def title_of(name: str) -> str:
    """Return the words of a column that nobody described: no ``x_``, no underscores.

    Examples
    --------
    >>> title_of("x_nt_probnp"), title_of("Albumin")
    ('Nt probnp', 'Albumin')
    """
    words = name.removeprefix("x_").replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


# The columns that have a meaning in every cohort table, with their words.
#
# Those of recordings are the plugins' own: `PluginInfo.paths` names them.

N_SEGMENTS = 17
"""Segments of the left ventricle in the AHA model, numbered 01 to 17."""

_TIMES: tuple[tuple[str, str, Use], ...] = (
    ("bl", "at baseline", "patient"),
    ("fu", "at follow-up", "follow-up"),
)
_SEXES = {"male": "M", "man": "M", "female": "F", "woman": "F"}


def known_columns() -> Iterable[ColumnSpec]:
    """Yield every column that a stage of cardio may read, in the order of the documentation."""
    for part in (_identity, _response, _person, _ecg, _history, _imaging):
        yield from part()


def columns_of_patients() -> Iterable[ColumnSpec]:
    """Yield what is known of patients when they are recorded, in the order of a Table 1."""
    for part in (_person, _history, _response, _ecg, _imaging):
        yield from (column for column in part() if column.use == "patient")


def columns_of_persons() -> Iterable[ColumnSpec]:
    """Yield what is known of a person whatever is recorded: age, sex, history and drugs."""
    for part in (_person, _history):
        yield from part()


def _identity() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "patient_id", "text", "The patient, by whom everything is grouped.", required=True,
        title="Patient", use="identity", example="P001",
    )  # fmt: skip
    yield ColumnSpec(
        "subject_link", "text",
        "A token that all ids of one person share; linked ids never straddle a split.",
        title="Person", use="identity", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "study_id", "text", "The study, unique in the table; running numbers if NA.",
        title="Study", use="identity", example="P001-1",
    )  # fmt: skip
    yield ColumnSpec(
        "site_id", "text", "The hospital, for leave-one-site-out.",
        title="Hospital", use="identity", example="A",
    )  # fmt: skip
    yield ColumnSpec(
        "scanner_id", "text", "The scanner within the site.",
        title="Scanner", use="identity", example="1",
    )  # fmt: skip
    yield ColumnSpec(
        "timepoint", "text", "When in the protocol: baseline, follow-up, ...",
        title="Time point", use="identity", example="baseline",
    )  # fmt: skip
    yield ColumnSpec(
        "study_date", "date", "Date of the study, shifted, never the true one.",
        title="Study date", use="identity", example="2024-03-01",
    )  # fmt: skip
    yield ColumnSpec(
        "days_from_implant", "count", "From implantation to this study; before is negative.",
        "days", title="Days from implantation", use="identity", example="-14",
    )  # fmt: skip
    yield ColumnSpec(
        "days_echo_to_cmr", "count",
        "From the echocardiogram to the CMR; pairs lie at most 30 days apart.", "days",
        title="Days from echocardiogram to CMR", use="identity", example="3",
    )  # fmt: skip


def _response() -> Iterable[ColumnSpec]:
    methods = ("echo_biplane", "echo_mod_simpson", "spect", "cmr")
    volumes = (
        ("lvesv", "end-systolic", ("150", "120")),
        ("lvedv", "end-diastolic", ("210", "190")),
    )
    for short, words, examples in volumes:
        for (suffix, when, use), example in zip(_TIMES, examples, strict=True):
            yield ColumnSpec(
                f"{short}_{suffix}_ml", "number", f"Left-ventricular {words} volume {when}.", "mL",
                low=0, title=f"LV {words} volume{_later(use)}", use=use, example=example,
            )  # fmt: skip
    for (suffix, when, use), example in zip(_TIMES, ("28", "37"), strict=True):
        yield ColumnSpec(
            f"lvef_{suffix}_pct", "number", f"Left-ventricular ejection fraction {when}.", "%",
            low=0, high=100, title=f"LV ejection fraction{_later(use)}", use=use, example=example,
        )  # fmt: skip
    yield ColumnSpec(
        "vol_method", "code", "Method of volumes and ejection fractions.", allowed=methods,
        title="Method of volumes", use="method", example="echo_biplane",
    )  # fmt: skip
    # Response needs one method at both times, and a follow-up inside its window. A row holds both
    # times, so what differs at follow-up needs columns of its own.
    yield ColumnSpec(
        "vol_method_fu", "code", "Method at follow-up; NA if it is vol_method.", allowed=methods,
        title="Method of volumes at follow-up", use="follow-up", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "days_to_followup", "count", "From implantation to the follow-up values of this row.",
        "days", low=0, title="Days to follow-up", use="follow-up", example="182",
    )  # fmt: skip
    for (suffix, when, use), grade, score in zip(_TIMES, ("3", "2"), ("45", "30"), strict=True):
        yield ColumnSpec(
            f"nyha_{suffix}", "count", f"NYHA class {when}.", low=1, high=4,
            title=f"NYHA class{_later(use)}", use=use, example=grade,
        )  # fmt: skip
        yield ColumnSpec(
            f"mlhfq_{suffix}", "number",
            f"Minnesota Living with Heart Failure score {when}; more is worse.", "points",
            low=0, high=105, title=f"Minnesota Living with Heart Failure score{_later(use)}",
            use=use, example=score,
        )  # fmt: skip
    yield ColumnSpec(
        "followup_status", "code", "What happened before the follow-up visit.",
        allowed=("complete", "died", "transplant", "lost"),
        title="Follow-up", use="follow-up", example="complete",
    )  # fmt: skip


def _later(use: str) -> str:
    return " at follow-up" if use == "follow-up" else ""


def _person() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "age_y", "number", "Age at the study.", "years", low=0, high=130, title="Age", example="67"
    )
    yield ColumnSpec(
        "sex", "code", "M male, F female.", allowed=("M", "F"), title="Male sex", example="F",
        aliases=_SEXES,
    )  # fmt: skip
    yield ColumnSpec(
        "height_cm", "number", "Body height.", "cm", low=0, high=300, title="Body height",
        example="171",
    )  # fmt: skip
    yield ColumnSpec(
        "weight_kg", "number", "Body weight.", "kg", low=0, high=700, title="Body weight",
        example="78",
    )  # fmt: skip
    yield ColumnSpec(
        "bmi", "number", "Body mass index.", "kg/m²", low=0, high=300, title="Body mass index",
        example="26.7",
    )  # fmt: skip
    yield ColumnSpec(
        "race_ethnicity", "text", "As the cohort records it, for audits.",
        title="Race or ethnicity", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "gls_pct", "number", "Global longitudinal strain.", "%", low=-100, high=100,
        title="Global longitudinal strain", example="-11",
    )  # fmt: skip


def _ecg() -> Iterable[ColumnSpec]:
    yield ColumnSpec(
        "qrs_ms", "number", "QRS duration.", "ms", low=0, high=1000, title="QRS duration",
        example="158",
    )  # fmt: skip
    yield ColumnSpec(
        "qrs_morph", "code", "QRS morphology.",
        allowed=("LBBB", "RBBB", "IVCD", "paced", "narrow"), title="QRS morphology",
        example="LBBB",
    )  # fmt: skip
    yield ColumnSpec(
        "lbbb_criterion", "code", "Whose definition of LBBB was used.",
        allowed=("ESC", "AHA", "MADIT", "Strauss"), title="Definition of LBBB", use="method",
        example="ESC",
    )  # fmt: skip
    yield ColumnSpec("rhythm", "text", "Rhythm at the study.", title="Rhythm", example="sinus")
    yield ColumnSpec(
        "hr_bpm", "number", "Heart rate.", "1/min", low=0, high=500, title="Heart rate",
        example="68",
    )  # fmt: skip


def _history() -> Iterable[ColumnSpec]:
    named = {
        "cad": "Coronary artery disease.",
        "ischemic_aetiology": "Ischaemic cause of the heart failure.",
        "ckd": "Chronic kidney disease.",
        "dm": "Diabetes mellitus.",
        "htn": "Arterial hypertension.",
        "dyslipidaemia": "Dyslipidaemia.",
        "smoking": "Smoker.",
        "acei_arb": "ACE inhibitor or angiotensin receptor blocker.",
        "betablocker": "Beta blocker.",
        "spironolactone": "Spironolactone.",
        "digoxin": "Digoxin.",
        "diuretic": "Diuretic.",
    }
    for name, sentence in named.items():
        yield ColumnSpec(
            name, "flag", f"{sentence} 1 yes, 0 no; NA is not 0.",
            title=sentence.removesuffix("."), example="0",
        )  # fmt: skip


def _imaging() -> Iterable[ColumnSpec]:
    spect = (
        ("lvedv_spect_ml", "End-diastolic volume by SPECT", "mL", None, "198"),
        ("lvesv_spect_ml", "End-systolic volume by SPECT", "mL", None, "139"),
        ("lvef_spect_pct", "Ejection fraction by SPECT", "%", 100, "30"),
    )
    numbers = (
        ("scar_pct", "Scar share of the left ventricle", "%", 100, "12"),
        ("psd_deg", "Phase standard deviation", "°", 360, "42"),
        ("pbw_deg", "Phase bandwidth", "°", 360, "150"),
        *spect,
    )
    for name, words, unit, high, example in numbers:
        yield ColumnSpec(
            name, "number", f"{words}.", unit, low=0, high=high, title=words, example=example
        )
    findings = (("wma", "Wall motion abnormality"), ("lge", "Late gadolinium enhancement"))
    for short, words in findings:
        for segment in range(1, N_SEGMENTS + 1):
            sentence = f"{words} in segment {segment} of the AHA model. 1 yes, 0 no."
            yield ColumnSpec(
                f"{short}_seg_{segment:02d}", "flag", sentence, use="reference", example="0",
                title=f"{words}, segment {segment}",
            )  # fmt: skip
    mapping = (
        ("t1_ms", "Native myocardial T1", "ms", None, "1020"),
        ("t2_ms", "Myocardial T2", "ms", None, "50"),
        ("ecv_pct", "Extracellular volume fraction", "%", 100, "27"),
    )
    for name, words, unit, high, example in mapping:
        yield ColumnSpec(
            name, "number", f"{words}.", unit, low=0, high=high, title=words, use="reference",
            example=example,
        )  # fmt: skip
    yield ColumnSpec(
        "field_T", "number", "Field strength of the magnet.", "T", low=0, high=20,
        title="Field strength", use="method", example="1.5",
    )  # fmt: skip
    yield ColumnSpec(
        "scanner_vendor", "text", "Maker of the scanner.", title="Maker of the scanner",
        use="method", example="",
    )  # fmt: skip
    yield ColumnSpec(
        "sf_label", "flag", "Septal flash seen by the reader. 1 yes, 0 no.", use="reference",
        title="Septal flash seen by the reader", example="1",
    )  # fmt: skip
    yield ColumnSpec(
        "mvc_ms", "number", "Mitral valve closure after the R peak.", "ms", use="method",
        title="Mitral valve closure after the R peak", example="45",
    )  # fmt: skip
    yield ColumnSpec(
        "avo_ms", "number", "Aortic valve opening after the R peak.", "ms", use="method",
        title="Aortic valve opening after the R peak", example="120",
    )  # fmt: skip


OWN_PREFIX = "x_"
"""A cohort's own columns may start with this; they need not."""

FILES_PREFIX = "path_"
"""A column that starts with this names files, whichever plugin reads them."""

COLUMNS: dict[str, ColumnSpec] = {column.name: column for column in known_columns()}
"""Every column that a stage of cardio may read, by name, in the order of the documentation."""


def label_of(name: str) -> str:
    """Return what a table for readers calls a column, with its unit.

    Examples
    --------
    >>> label_of("age_y"), label_of("x_nt_probnp")
    ('Age (years)', 'Nt probnp')
    """
    return COLUMNS[name].label if name in COLUMNS else title_of(name)


# A cohort's own columns: what kind of thing they hold, found out from their cells.

OwnKind = Literal["number", "yes or no", "two words", "several words", "date", "text", "empty"]

YES = frozenset({"yes", "y", "true", "1", "ja", "oui", "si", "positive", "present"})
NO = frozenset({"no", "n", "false", "0", "nein", "non", "negative", "absent"})
MOST_WORDS = 20
"""A column of more different words names things; it does not group patients."""


@dataclass(frozen=True)
class OwnColumn:
    """What a column of a cohort's own turned out to hold.

    `classes` are the different values of a column of words, or of yes and no, in order: no first.
    """

    kind: OwnKind
    classes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """``"two words (mild, severe)"``."""
        shown = ", ".join(self.classes[:6]) + (", ..." if len(self.classes) > 6 else "")
        return f"{self.kind} ({shown})" if shown and self.kind != "text" else self.kind


def own_column(values: pd.Series) -> OwnColumn:
    """Find out what a column holds.

    Parameters
    ----------
    values : Series
        As a read cohort table has it: numbers, or text; NA is missing.

    Examples
    --------
    >>> own_column(pd.Series(["no", "yes", None])).words
    'yes or no (no, yes)'
    >>> own_column(pd.Series(["mild", "severe"])).kind, own_column(pd.Series([1.5, 2])).kind
    ('two words', 'number')
    """
    known = values.dropna()
    if not len(known):
        return OwnColumn("empty")
    if pd.api.types.is_numeric_dtype(values):
        numbers = known.astype(float)
        if set(numbers.unique()) <= {0.0, 1.0} and numbers.nunique() == 2:
            return OwnColumn("yes or no", ("0", "1"))
        return OwnColumn("number")
    texts = known.astype(str)
    if texts.str.fullmatch(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?").all():
        return OwnColumn("date")
    classes = sorted(texts.unique())
    lowered = {label.lower() for label in classes}
    if len(classes) == 2 and lowered & YES and lowered & NO:
        return OwnColumn(
            "yes or no", tuple(sorted(classes, key=lambda label: label.lower() in YES))
        )
    if len(classes) <= 2:
        return OwnColumn("two words", tuple(classes))
    if len(classes) <= MOST_WORDS and len(classes) < len(texts):
        return OwnColumn("several words", tuple(classes))
    return OwnColumn("text")


def read_own(cells: pd.Series, *, decimal_comma: bool = False) -> pd.Series:
    """Return a cohort's own column: numbers where every cell is one, else text.

    Words that differ only in large and small letters are one word, spelt as it stands most often.
    """
    texts = pd.Series([cell_text(cell) for cell in cells], dtype="string")
    different = [str(text) for text in texts.dropna().unique()]
    notation = notation_of(different)
    # A leading zero belongs to a code (a ward, a postal code), not to a number.
    mark = mark_of(notation, different, "," if decimal_comma else ".")
    if mark is not None and not notation.code:
        numbers = notation.numbers(mark)
        return pd.Series(
            [math.nan if pd.isna(item) else numbers[item] for item in texts], dtype="float64"
        )
    counts = texts.value_counts()
    usual: dict[str, str] = {}
    for word in counts.index:
        usual.setdefault(str(word).casefold(), str(word))
    return texts.map(lambda item: usual[item.casefold()], na_action="ignore").astype("string")
