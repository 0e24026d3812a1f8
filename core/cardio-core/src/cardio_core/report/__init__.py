"""The HTML report of a run, and the figures in it.

The names here are what `cardio-studies` words a page with; they are imported when they are first
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_stats._lazy import offer

if TYPE_CHECKING:
    from cardio_core.report.panels import Panel as Panel
    from cardio_core.report.results import bare_name as bare_name
    from cardio_core.report.terms import spelled as spelled
    from cardio_core.report.text.answer import answer_lines as answer_lines
    from cardio_core.report.text.model_card import model_card as model_card
    from cardio_core.report.text.ranking import leading_protocol as leading_protocol

if not TYPE_CHECKING:  # or a misspelt name would be no error of the type checker
    __getattr__, __dir__, __all__ = offer(__name__)
