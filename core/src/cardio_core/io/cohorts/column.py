"""One column of a cohort table, as data: kind, unit, limits, words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
