"""The reference of hooks, of what a plugin may import, and of statistics."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from inspect import isroutine, signature
from types import ModuleType

import cardio_stats as stats
import cardio_ultrasound as ultrasound
from _site.lent import section
from cardio_core import api, hookspecs
from cardio_stats import forensics

_EVAL = "```{{eval-rst}}\n{}\n```\n"


def pages() -> Iterator[tuple[str, str]]:
    """Yield a page for each."""
    yield "reference/hooks.md", _hooks()
    yield (
        "reference/api.md",
        _names(
            "What a plugin imports",
            "`from cardio_core.api import ...`: everything that a plugin needs of the core, in "
            "addition to [the statistics](stats.md) and [ultrasound](ultrasound.md).",
            api.__name__,
            api.__all__,
        ),
    )
    yield (
        "reference/stats.md",
        _names(
            "Statistics in Python",
            "`import cardio_stats as stats`. [Statistics](../statistics.md) explains what each "
            "number means, and when not to use it.",
            stats.__name__,
            stats.__all__,
        ),
    )
    yield (
        "reference/forensics.md",
        _names(
            "Forensics in Python",
            "`from cardio_stats import forensics`: arithmetic that published numbers must "
            "obey. How to write down a paper's numbers: see "
            "[Forensics](../forensics/README.md).",
            forensics.__name__,
            forensics.__all__,
        ),
    )
    yield (
        "reference/ultrasound.md",
        _names(
            "Ultrasound in Python",
            "`import cardio_ultrasound`: loops, sectors, views and de-identification.",
            ultrasound.__name__,
            ultrasound.__all__,
        ),
    )


def _hooks() -> str:
    named = [*hookspecs.HOOKS, hookspecs.SHEET]
    directives = [
        f".. autofunction:: cardio_core.hookspecs.{name}\n\n   :returns: ``{_returned(name)}``\n"
        for name in named
    ]
    return (
        "# Hooks\n\nThe seven hooks of a task and the sheet; see also "
        "[Write a plugin](../writing_a_plugin.md).\n\n" + _EVAL.format("\n".join(directives))
    )


def _constant(name: str, thing: object) -> str:
    """Return a line on a name that is neither a class nor a function."""
    if isinstance(thing, ModuleType):
        about = (thing.__doc__ or "").partition("\n\n")[0]
        return f"- [`{name}`](#{name}), a module: {about}"
    shown = repr(thing)
    return (
        f"- `{name}` = `{shown}`" if len(shown) <= 80 else f"- `{name}`, a {type(thing).__name__}"
    )


def _returned(hook: str) -> str:
    """Return the type that a hook of a plugin returns; None is refused, but of a drawing."""
    told = signature(getattr(hookspecs, hook)).return_annotation
    return str(getattr(told, "__name__", told)).removesuffix(" | None")


def _names(title: str, about: str, module: str, names: list[str]) -> str:
    """Return a page of the public names of a module, each documented where it is defined."""
    directives, constants, lent = [], [], []
    for name in sorted(names, key=str.lower):
        thing = getattr(import_module(module), name)
        if isinstance(thing, type):
            kind, more = "class", "   :members:\n"
        elif isroutine(thing):
            kind, more = "function", ""
        elif thing is hookspecs.hookimpl:  # an object: told below its name
            directives.append(f".. autodata:: {hookspecs.__name__}.{name}\n   :no-value:\n")
            continue
        else:
            constants.append(_constant(name, thing))
            if isinstance(thing, ModuleType):
                lent.append("\n" + section(name, thing, module))
            continue
        directives.append(f".. auto{kind}:: {module}.{name}\n{more}")
    if constants:
        about += "\n\nIn addition to classes and functions:\n\n" + "\n".join(constants)
    named = _EVAL.format("\n".join(directives))
    return f"# {title}\n\n{about}\n\n{named}" + "".join(lent)
