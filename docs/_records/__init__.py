"""Measured numbers of the pages: kept in JSON records, shown from there, and looked for there.

``python -m docs._records`` writes what pages show of their records, and ends with an error where a
page states a number that no record holds; ``--stale`` lists records whose code changed since.
"""

from __future__ import annotations

from .pages import found_wrong

__all__ = ["found_wrong"]
