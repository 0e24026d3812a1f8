"""The items of TRIPOD+AI and of CLAIM 2024 in our own words, and what of a run answers them.

References
----------
Collins GS et al. TRIPOD+AI statement. BMJ 2024;385:e078378. Tejani AS et al. Checklist for
artificial intelligence in medical imaging (CLAIM): 2024 update. Radiol Artif Intell 2024;6:e240300.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One item.

    Attributes
    ----------
    number, asks : str
        As the statement numbers it; what it asks.
    told : tuple of str
        Keys of `evidence` that answer it, all of them needed; empty where no run can.
    rest : str
        What stays for the authors where a run answers the rest.
    """

    number: str
    asks: str
    told: tuple[str, ...] = ()
    rest: str = ""


TRIPOD_AI = (
    Item("1", "A title that names development or evaluation, population and outcome"),
    Item("2", "An abstract by the statement's own list"),
    Item("3", "Why the model is needed, for whom, and known inequalities"),
    Item("4", "Aim, and whether the model is developed, evaluated or both", ("aim",)),
    Item("5", "Where the data come from and when they were collected", ("source",),
         "dates, and why these data"),
    Item("6", "Setting, who was eligible, treatments received", ("participants",),
         "setting, eligibility, treatments"),
    Item("7", "How data were prepared and checked", ("quarantined", "settings")),
    Item("8", "What the outcome is, how and when it was assessed, by whom", ("outcome",),
         "who assessed it, and whether blinded"),
    Item("9", "Which predictors, how chosen and measured", ("models", "settings")),
    Item("10", "How the size was settled, and the number of events", ("events",),
         "the reason for the size"),
    Item("11", "How missing values were handled", ("missing",), "missing predictors"),
    Item("12", "Model type, building, tuning, internal validation, measures of performance",
         ("models", "partition", "choice", "statistics")),
    Item("13", "What was done about unequal classes", ("choice",), "any reweighting of classes"),
    Item("14", "How fairness was looked at", ("subgroups",), "which groups and why"),
    Item("15", "What the model returns, and how it is classified", ("output", "choice")),
    Item("16", "How training and evaluation data differ", ("partition",)),
    Item("17", "Ethical approval and consent"),
    Item("18", "Funding, conflicts, protocol, registration, data and code", ("code",),
         "funding, conflicts, protocol, registration, data sharing"),
    Item("19", "What patients and the public did in the study"),
    Item("20", "Flow of participants, their characteristics, their events",
         ("participants", "table_1")),
    Item("21", "Participants and events in each analysis", ("events", "by_fold")),
    Item("22", "The whole model, so that it can be used", ("final",)),
    Item("23", "Performance with intervals, also in groups and over folds",
         ("performance", "by_fold")),
    Item("24", "Any updating of the model, and its results", ("updating",)),
    Item("25", "Interpretation beside earlier studies, and fairness"),
    Item("26", "Limits and their likely effect", ("limits",)),
    Item("27", "How the model would be used, by whom, on which input"),
)  # fmt: skip

CLAIM = (
    Item("1", "Title or abstract names the kind of method"),
    Item("2", "A structured abstract"),
    Item("3", "Background, and what the method is for"),
    Item("4", "Aims and hypotheses", ("aim",), "the hypothesis"),
    Item("5", "Prospective or retrospective"),
    Item("6", "The study's goal", ("aim",)),
    Item("7", "Sources of the data", ("source",), "how others may have them"),
    Item("8", "Who was included and who was not", ("participants",), "the criteria's reasons"),
    Item("9", "Preparation of the data", ("quarantined", "settings")),
    Item("10", "Which parts of the data were used", ("participants", "settings")),
    Item("11", "How data were de-identified"),
    Item("12", "How missing data were handled", ("missing",), "missing predictors"),
    Item("13", "How images or signals were acquired"),
    Item("14", "What the reference standard is", ("outcome",)),
    Item("15", "Why this reference standard"),
    Item("16", "Who annotated, and their expertise"),
    Item("17", "How the test set was annotated"),
    Item("18", "Agreement between and within annotators"),
    Item("19", "How data were parted", ("partition",)),
    Item("20", "The level at which the parts are disjoint", ("partition",)),
    Item("21", "The intended size, and why", ("events",), "the reason for the size"),
    Item("22", "The model in detail: inputs, layers, outputs", ("models", "settings")),
    Item("23", "Libraries and versions", ("software",)),
    Item("24", "Initial weights", ("settings",), "where pretrained weights come from"),
    Item("25", "Training in detail", ("settings", "seed")),
    Item("26", "How the final model was chosen", ("choice", "primary")),
    Item("27", "How models were fused, if they were", ("fusion",)),
    Item("28", "Measures of performance", ("statistics",)),
    Item("29", "Uncertainty and significance", ("statistics",)),
    Item("30", "Robustness and sensitivity", ("by_fold",), "other analyses"),
    Item("31", "How the model is explained", ("explained",)),
    Item("32", "Evaluation on internal data", ("internal",)),
    Item("33", "Test on external data"),
    Item("34", "Registration"),
    Item("35", "Numbers included and excluded", ("participants",)),
    Item("36", "Characteristics in each part", ("table_1",), "by part"),
    Item("37", "Performance with uncertainty in each part", ("performance", "by_fold")),
    Item("38", "Diagnostic estimates and their precision", ("performance",)),
    Item("39", "Which cases the model gets wrong", ("explained",), "why they fail"),
    Item("40", "Limits", ("limits",)),
    Item("41", "What it means for practice"),
    Item("42", "The full protocol", ("settings", "code"), "the study's protocol"),
    Item("43", "Where software, model and data are", ("code", "final"), "where they are published"),
    Item("44", "Funding and roles"),
)  # fmt: skip
