"""The target that tasks of both families predict."""

from __future__ import annotations

from cardio_core.api import Target

ILL = Target("ill", "binary", ("healthy", "ill"))
