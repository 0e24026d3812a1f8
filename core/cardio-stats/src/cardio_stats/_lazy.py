"""Public faces whose names are imported when they are first used."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

_LISTED = re.compile(r"^ {4}from (\S+) import \(?\s*(\w+) as (\w+)", re.MULTILINE)


def offer(face: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a module that imports its names late.

    The names are those that the module imports under ``if TYPE_CHECKING:``, each as
    ``from a.b import c as c``: they are written once, for type checkers, readers and import alike.

    Parameters
    ----------
    face : str
        ``__name__`` of the module.

    Returns
    -------
    resolve, list_names, names
        `resolve` raises AttributeError for a name that is not offered.

    Examples
    --------
    >>> from cardio_stats import forensics
    >>> resolve, _, names = offer(forensics.__name__)
    >>> names[:2], resolve("grim").__module__
    (['AccuracyIdentity', 'Printed'], 'cardio_stats.forensics.formulas')
    """
    source = Path(str(sys.modules[face].__file__)).read_text(encoding="utf-8")
    homes = {name: (home, own) for home, own, name in _LISTED.findall(source)}
    names = sorted(homes)

    def resolve(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"{face} has no {name!r}; it offers {', '.join(names)}")
        home, own = homes[name]
        value = getattr(import_module(home), own, None) or import_module(f"{home}.{own}")
        setattr(sys.modules[face], name, value)
        return value

    return resolve, lambda: names, names
