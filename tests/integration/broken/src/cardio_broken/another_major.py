"""Written for the next major version of the API."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed

INFO = replace(borrowed.INFO, name="another_major", api=(3, 0))
