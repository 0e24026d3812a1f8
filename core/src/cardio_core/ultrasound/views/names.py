"""The views of a loop by name; nothing heavy is imported here."""

from __future__ import annotations

VIEW_TITLES = {
    "a4c": "apical four-chamber",
    "a2c": "apical two-chamber",
    "a3c": "apical three-chamber",
    "plax": "parasternal long-axis",
    "psax": "parasternal short-axis",
    "subcostal": "subcostal",
    "other": "another view",
}
"""The field's words for every view."""

VIEW_NAMES = tuple(VIEW_TITLES)
"""The views that are told apart; ``other`` is none of those before it."""

UNKNOWN = "unknown"
"""No view is sure enough, or the loop cannot be looked at."""

NOT_CHECKED = "not checked"
"""Nothing looked at the loop."""
