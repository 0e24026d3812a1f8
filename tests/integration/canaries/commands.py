"""Every command of `cardio`, and why some are not in the matrix."""

from __future__ import annotations

NOTHING_OF_PATIENTS = {
    "completion": "prints a script for the shell",
    "data convert-weights": "takes the weights of a network",
    "data fetch": "takes the name of a public data set",
    "data list": "lists public data sets",
    "data synth": "writes a synthetic cohort",
    "plugins check": "calls a plugin on its synthetic cohort",
    "plugins info": "tells what a plugin declares",
    "plugins list": "tells what is installed",
    "plugins new": "writes an empty plugin",
    "stats forensics": "takes the printed numbers of a paper",
    "stats planner auc": "takes numbers that are typed",
    "stats planner compare": "takes numbers that are typed",
    "stats planner model": "takes numbers that are typed",
    "stats planner proportion": "takes numbers that are typed",
    "stats planner validation": "takes numbers that are typed",
}
"""Commands that take no recording, no table of patients and no run."""

OF_TABLES = ("compare", "doctor", "judge", "stats ")
"""Begin the commands that know no plugin."""

OF_BOTH = ("compare", "judge")
"""Take tables, and runs of a plugin or what these predicted."""


def nowhere(command: str, kind: str) -> bool:
    """Say whether a command has nothing to do in a column of the table.

    Parameters
    ----------
    command : str
    kind : str
        Of a plugin's files; empty of tables alone.
    """
    if not kind:
        return not command.startswith(OF_TABLES)
    if command.startswith(OF_TABLES):
        return not command.startswith(OF_BOTH)
    return command == "data deidentify" and kind == "toy"
