"""Fields of configuration, described where they are defined, as the reference shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from cardio_core.registry.settings import values_of

_AFTER = {"Raises", "See Also", "Notes", "References", "Examples"}
"""Sections of a docstring that come after its attributes."""


def add(app: Any, what: str, name: str, thing: object, options: Any, lines: list[str]) -> None:
    """Give the docstring of a block of configuration its Attributes, as autodoc reads it."""
    if isinstance(thing, type) and issubclass(thing, BaseModel) and thing.model_fields:
        at = next((n for n, line in enumerate(lines) if line.strip() in _AFTER), len(lines))
        lines[at:at] = ["", *attributes(thing), ""]


def attributes(block: type[BaseModel]) -> Iterator[str]:
    """Yield the section of its fields: what each takes, and what it means.

    Examples
    --------
    >>> from cardio_core.api import EvaluateBlock
    >>> list(attributes(EvaluateBlock))[2:4]
    ['level : number above 0.5 and below 1', '    Coverage of every interval.']
    """
    yield from ("Attributes", "-" * len("Attributes"))
    for name, field in block.model_fields.items():
        yield f"{name} : {values_of(field.annotation, field.metadata)}"
        meaning = (field.description or "").rstrip(".")
        yield f"    {meaning[:1].upper()}{meaning[1:]}."
