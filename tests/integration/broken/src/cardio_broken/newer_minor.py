"""Written for a minor version of the API that this core does not have yet."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed

INFO = replace(borrowed.INFO, name="newer_minor", api=(2, 99))
