"""One sentence on what is predicted and how it came about, for the head of the report."""

from __future__ import annotations

from cardio_core.api import Task
from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.tasks import MAPPED, SEGMENTAL, VIEW

_MEASURED = {"t1": "native T1", "t2": "T2", "ecv": "extracellular volume"}


def outcome_sentence(task: Task, config: LoadBlock) -> str:
    """Say what the targets are.

    Examples
    --------
    >>> from cardio_echo_cmr.findings.config import LoadBlock
    >>> from cardio_echo_cmr.findings.tasks import TASKS
    >>> named = {task.name: task for task in TASKS}
    >>> print(outcome_sentence(named["lge"], LoadBlock()))
    late gadolinium enhancement in any of 17 segments, or in those that a view shows, at the \
nearest CMR within 30 days of the echo.
    >>> print(outcome_sentence(named["t2"], LoadBlock()))
    T2 and whether it is raised (58 ms or more) at the nearest CMR within 30 days of the echo.
    """
    if task.name == VIEW.name:
        return "the view of a loop as the cohort table names it."
    when = f"at the nearest CMR within {config.max_days_to_cmr} days of the echo"
    if task.name in SEGMENTAL:
        finding = SEGMENTAL[task.name].lower()
        return f"{finding} in any of 17 segments, or in those that a view shows, {when}."
    column, unit = MAPPED[task.name]
    cut = f"{getattr(config.cutoffs, column):g} {unit} or more"
    by_scanner = any(getattr(rule, column) is not None for rule in config.scanner_cutoffs)
    other = "; other cut-offs by scanner" if by_scanner else ""
    return f"{_MEASURED[task.name]} and whether it is raised ({cut}{other}) {when}."
