"""The command of the ultrasound library, for the entry-point group ``cardio.commands``."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "data deidentify": (
        "cardio_ultrasound.cli:deidentify",
        "Keep the sector of ultrasound loops, and nothing that names a patient.",
    ),
}
"""Module and attribute of each command, and its line in the list, by the words that call it."""

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "data deidentify": (
        ("loops/ clean/", "ultrasound loops without header names and printed text"),
    ),
}  # fmt: skip
"""Arguments and what they do, by the words of the command."""
