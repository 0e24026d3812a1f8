"""Has no `predict`, and so cannot run."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed, without_predict

TASKS = tuple(replace(task, folder=without_predict.__name__) for task in borrowed.INFO.tasks)
INFO = replace(borrowed.INFO, name="missing_hook", tasks=TASKS)
