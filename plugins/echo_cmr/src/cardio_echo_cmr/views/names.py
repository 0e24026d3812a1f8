"""The views of a loop by name; nothing heavy is imported here."""

from __future__ import annotations

VIEWS = ("a4c", "a2c", "plax")
"""The views that networks look at."""

OTHER = "other"
"""A view that no network of the findings looks at."""

UNKNOWN = "unknown"
"""No view is probable enough, or nobody named it."""

LEAST_PROBABILITY = 0.8
"""Below it a view is unknown, where nothing else is said."""

VIEW_TITLES = {
    "a4c": "apical four-chamber",
    "a2c": "apical two-chamber",
    "plax": "parasternal long-axis",
    OTHER: "another view",
}

CLIPS = {f"path_echo_{view}": view for view in VIEW_TITLES} | {"path_echo": ""}
"""Columns of clips and the view that each stands for; in the last nobody named it."""
