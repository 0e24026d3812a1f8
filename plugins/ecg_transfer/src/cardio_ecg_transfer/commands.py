"""The commands of this plugin, for the entry-point group ``cardio.commands``."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "data rpeaks": (
        "cardio_ecg_transfer.shared.rpeaks_command:rpeaks",
        "R peaks of one ECG recording.",
    ),
}
"""Module and attribute of each command, and its line in the list, by the words that call it."""

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "data": (("fetch mitdb --out data", "a public data set"),),
    "data fetch": (("mitdb --out data", "download into data/mitdb; every file is verified"),),
    "data rpeaks": (("record.hea", "R peaks, the lead, the rate"),),
}
"""Arguments and what they do, by the words of the command."""
