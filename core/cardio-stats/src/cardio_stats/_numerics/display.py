"""How numbers are printed in tables: p-values, ratios, and measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio_stats.estimate import Estimate
from cardio_stats.words import DASH
from cardio_stats.words import p_text as p_text

if TYPE_CHECKING:
    import pandas as pd

BLANK = DASH
"""What stands in a cell that has no number; a note says why."""


def number_text(value: float, *, spread: float | None = None) -> str:
    """Print a measurement with the decimals that its spread deserves.

    Examples
    --------
    >>> number_text(161.2345, spread=28.7), number_text(0.012345), number_text(98765.4)
    ('161.2', '0.012', '98765')
    """
    size = abs(spread if spread else value)
    if size == 0 or not math.isfinite(size):
        return f"{value:g}"
    decimals = 0 if size >= 100 else min(max(1 - math.floor(math.log10(size)), 1), 6)
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def ratio_text(estimate: Estimate) -> str:
    """Print a ratio with its interval, with as many decimals as tell the limits from 1.

    Examples
    --------
    >>> ratio_text(Estimate("odds_ratio", 2.228, 0.908, 5.468, 0.95))
    '2.23 (0.91 to 5.47)'
    >>> ratio_text(Estimate("odds_ratio", 1.00031, 1.00008, 1.00054, 0.95))
    '1.0003 (1.0001 to 1.0005)'
    """
    values = [v for v in (estimate.value, estimate.low, estimate.high) if v is not None]
    decimals = 2
    nearest = min((abs(math.log(v)) for v in values if v > 0 and v != 1), default=1.0)
    while decimals < 6 and max(values) < 2 and 10**-decimals > 2 * nearest:
        decimals += 1
    texts = [f"{v:.{decimals}f}" if 1e-3 < v < 1e4 else f"{v:.2g}" for v in values]
    return texts[0] if len(texts) < 3 else f"{texts[0]} ({texts[1]} to {texts[2]})"


def interval_text(estimate: Estimate, print_value: Callable[[float], str] = "{:.3f}".format) -> str:
    """Print a number with its interval, if it has one; a limit that is not known is a dash.

    Examples
    --------
    >>> interval_text(Estimate("auc", 0.8123, 0.71, 0.9, 0.95))
    '0.812 (0.710 to 0.900)'
    >>> interval_text(Estimate("median", 8.5, 7.0, None, 0.95), number_text)
    '8.5 (7.0 to –)'
    """
    if estimate.low is None and estimate.high is None:
        return print_value(estimate.value)
    low, high = (
        BLANK if value is None else print_value(value) for value in (estimate.low, estimate.high)
    )
    return f"{print_value(estimate.value)} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table as it is printed, with the estimates that it prints.

    Attributes
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuple of str
        One cell a column; a cell without a number holds a dash, never NaN.
    notes : tuple of str
        Sentences below the table: methods, dropped rows, caveats.
    estimates : tuple of Estimate
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    estimates: tuple[Estimate, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the printed cells as a DataFrame of text."""
        import pandas as pd

        return pd.DataFrame([list(row) for row in self.rows], columns=list(self.columns))

    def to_text(self) -> str:
        """Return the table in columns for a terminal, with title and notes.

        Examples
        --------
        >>> print(ResultTable("T", ("a", "b"), (("x", "1"), ("yy", "22")), ("Note.",)).to_text())
        T
        a    b
        --  --
        x    1
        yy  22
        Note.
        """
        cells = [self.columns, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [_aligned(self.columns, widths), "  ".join("-" * width for width in widths)]
        lines += [_aligned(row, widths) for row in self.rows]
        return "\n".join([self.title, *lines, *self.notes])

    def to_html(self) -> str:
        """Return title, table and notes as HTML, without a page around them."""
        from html import escape

        head = "".join(f"<th>{escape(column)}</th>" for column in self.columns)
        body = "\n".join(
            "<tr>"
            + "".join(f"<td>{escape(cell).replace('  ', '&emsp;')}</td>" for cell in row)
            + "</tr>"
            for row in self.rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<h1>{escape(self.title)}</h1>\n"
            f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n{notes}\n"
        )

    def _repr_html_(self) -> str:
        return self.to_html().replace("h1>", "b>")

    def to_latex(self) -> str:
        r"""Return a table environment for a manuscript, with the package booktabs.

        Examples
        --------
        >>> print(ResultTable("T", ("a", "n (%)"), (("x", "1 (5)"),), ("p < .05.",)).to_latex())
        \begin{table}
        \caption{T}
        \begin{tabular}{lr}
        \toprule
        a & n (\%) \\
        \midrule
        x & 1 (5) \\
        \bottomrule
        \end{tabular}
        <BLANKLINE>
        \footnotesize p \ensuremath{<} .05.
        \end{table}
        """
        lines = [" & ".join(map(_latex, row)) + r" \\" for row in (self.columns, *self.rows)]
        notes = [rf"\footnotesize {' '.join(map(_latex, self.notes))}"] if self.notes else []
        return "\n".join(
            [r"\begin{table}", rf"\caption{{{_latex(self.title)}}}",
             rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}", r"\toprule", lines[0],
             r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}", "", *notes, r"\end{table}"]
        )  # fmt: skip


_LATEX = {
    **{sign: rf"\{sign}" for sign in "&%$#_{}"}, "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: rf"\ensuremath{{{command}}}" for sign, command in
       {"<": "<", ">": ">", "±": r"\pm", "≥": r"\geq", "≤": r"\leq", "−": "-", "²": "^2",
        "χ": r"\chi", "β": r"\beta", "Δ": r"\Delta"}.items()},
    "–": "--", "\u2003": r"\quad ",
}  # fmt: skip
"""Signs that LaTeX would read otherwise, or does not know."""


def _latex(text: str) -> str:
    indent = r"\quad " if text.startswith("  ") else ""
    return indent + "".join(_LATEX.get(sign, sign) for sign in text.strip())


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Left-align the first cell and right-align the others."""
    first, *others = row
    cells = [first.ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join(cells).rstrip()
