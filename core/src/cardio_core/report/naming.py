"""The names of one run: its models, measurements and folds as a reader is told them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from cardio_core.io.run_artifact import RunManifest, SplitRecord
from cardio_core.report.spelling import IDENTIFIER, capital, spelled
from cardio_core.report.words import METRICS

_FOLD = re.compile(r"\br(\d+)-f(\d+)\b")
_SETTING = re.compile(r"(?<![\w/.-])(?:--[a-z-]+|[a-z_]+(?:\.[a-z_]+)+(?:=\w+)?)(?![\w/])")
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
        for found in IDENTIFIER.finditer(reason):
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
