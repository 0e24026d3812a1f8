"""Every name that a plugin may import says what its parts are."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import inspect
import re
import sys

from pydantic import BaseModel

from cardio_core import api, hookspecs

from .test_commands import ROOT

SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", re.M | re.S)
FIELD = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) : \S.*\n    +\S", re.M)
OF_OTHERS = {"hookimpl"}
"""A marker of pluggy's; what it takes is told there."""


def described(docstring: str) -> set[str]:
    """Return the names that its Parameters and Attributes describe."""
    names = (found[1] for part in SECTION.findall(docstring) for found in FIELD.finditer(part))
    return {one.strip("* ") for name in names if name for one in name.split(",")}


def parts_of(thing: object) -> set[str]:
    """Return what a caller gives, or a reader finds: fields of a class, or parameters."""
    if dataclasses.is_dataclass(thing):
        named = {one.name for one in dataclasses.fields(thing)}
    elif isinstance(thing, type) and issubclass(thing, Exception):
        named = {"message", "exit_code"}
    elif isinstance(thing, type):
        named = set()  # a protocol: its methods are looked at by themselves
    else:
        named = set(inspect.signature(thing).parameters)
    return {one for one in named if not one.startswith("_")}


NAMES = [one for one in api.__all__ if callable(getattr(api, one)) and one not in OF_OTHERS]


def lacking(thing: object) -> set[str]:
    """Return the parts of a public name that nothing describes."""
    if isinstance(thing, type) and issubclass(thing, BaseModel):
        return {one for one, field in thing.model_fields.items() if not field.description}
    docs = [inspect.getdoc(thing) or ""]
    if isinstance(thing, type) and issubclass(thing, Exception):
        docs += [inspect.getdoc(base) or "" for base in thing.__mro__]
    return parts_of(thing) - described("\n".join(docs))


def has_example(thing: object) -> bool:
    docs = [inspect.getdoc(thing) or ""]
    if isinstance(thing, type):
        docs += [inspect.getdoc(own) or "" for key, own in vars(thing).items() if key[:1] != "_"]
    return any(">>> " in text for text in docs)


def test_every_part_of_a_public_name_is_described():
    assert {name: left for name in NAMES if (left := lacking(getattr(api, name)))} == {}


def test_every_public_name_has_an_example():
    assert [name for name in NAMES if not has_example(getattr(api, name))] == []


def test_the_example_of_the_marker_runs():
    body = ast.parse(inspect.getsource(hookspecs)).body
    at = next(n for n, one in enumerate(body) if ast.unparse(one).startswith("hookimpl = "))
    told = ast.literal_eval(body[at + 1].value)
    names = {"hookimpl": api.hookimpl}
    example = doctest.DocTestParser().get_doctest(told, names, "hookimpl", None, None)
    assert len(example.examples) == 2
    assert doctest.DocTestRunner().run(example).failed == 0


def test_a_part_without_a_word_is_found():
    told = ("Parameters", "-" * 10, "a, b : int", "    Both.", "c : int", "", "Returns", "-" * 7,
            "d : int", "    Of.")  # fmt: skip
    assert described("\n".join(("One line.", "", *told))) == {"a", "b"}


def test_the_reference_shows_the_fields_of_a_configuration():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from _site import fields
    finally:
        sys.path.remove(str(ROOT / "docs"))
    lines = ["How a network is trained.", "", "Examples", "--------", ">>> 1", "1"]
    fields.add(None, "class", "FitPlan", api.FitPlan, None, lines)
    shown = "\n".join(lines)
    assert set(api.FitPlan.model_fields) == described(shown)
    assert "epochs : whole number of 1 or more\n    Most passes over" in shown
    assert shown.endswith("Examples\n--------\n>>> 1\n1")
