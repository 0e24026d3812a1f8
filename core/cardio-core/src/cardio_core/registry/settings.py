"""Every setting of a task as data: what it is called, takes, is by default and means."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cardio_core.config import OPTIONAL, RunConfig, layers, resolve_config
from cardio_core.io.cohort_template import TemplateColumn
from cardio_core.registry.plugin import resolve
from cardio_core.types.info import PluginInfo, Task

UNITS = {
    "deg": "degrees", "hz": "Hz", "ml": "mL", "mm": "mm", "ms": "ms", "pct": "%", "px": "pixels",
    "s": "s", "T": "T", "y": "years", "days": "days",
}  # fmt: skip
"""The last part of a setting's name that carries its unit."""

_KINDS = {
    bool: "true or false", int: "whole number", float: "number", str: "text", dict: "settings",
    Any: "any value",
}  # fmt: skip
_MANY = {"text": "texts", "number": "numbers", "whole number": "whole numbers",
         "settings": "settings"}  # fmt: skip
_BOUNDS = ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt"))
_IN_WORDS = {"ge": "of {} or more", "gt": "above {}", "le": "up to {}", "lt": "below {}"}
_SEVERAL = (tuple, list, set, frozenset)


@dataclass(frozen=True)
class Setting:
    """One setting of a task's configuration.

    Attributes
    ----------
    path : str
        As ``--set`` takes it: ``train.fit.epochs``. A part in capitals is a name to fill in.
    takes : str
        Its values in words: the kind, the choices or the range.
    unit : str
        Unit, where the field says one (``json_schema_extra={"unit": "days"}``) or its name ends in
        one (``rate_hz``).
    default : object
        Its value in the plugin's ``default`` configuration, as JSON holds it.
    elsewhere : mapping of str to object
        Its value in ``cpu``, ``full`` and ``smoke``, where it is another.
    meaning : str
        What it does; empty where its author wrote nothing.
    """

    path: str
    takes: str
    unit: str
    default: Any
    elsewhere: Mapping[str, Any]
    meaning: str


def settings_of(info: PluginInfo, task: Task) -> tuple[Setting, ...]:
    """Return every setting of a task, in the order of the configuration.

    Examples
    --------
    >>> from cardio_core.registry import list_plugins, open_plugin
    >>> names = [found.name for found in list_plugins() if found.info]
    >>> "train" in "".join(item.path for name in names[:1]
    ...                    for info in [open_plugin(name).info]
    ...                    for item in settings_of(info, info.tasks[0])) or not names
    True
    """
    model: type[RunConfig] = resolve(info.config_of(task))
    values = {
        name: resolve_config(
            model, layers(info.configs, dict.fromkeys(("default", name))), task=task.name, sets={}
        ).model_dump(mode="json")
        for name in ("default", *OPTIONAL)
    }
    default = values.pop("default")
    found = []
    needed = [need.task for need in task.needs]
    for path, field in _fields(model, default, names={"needs": needed}):
        usual = _at(default, path, field)
        others = {name: _at(tree, path, field) for name, tree in values.items()}
        found.append(
            Setting(
                path=path,
                takes=values_of(field.annotation, field.metadata),
                unit=_unit(path, field),
                default=usual,
                elsewhere={name: value for name, value in others.items() if value != usual},
                meaning=field.description or "",
            )
        )
    return tuple(found)


def _fields(
    model: type[BaseModel],
    values: Mapping[str, Any],
    above: str = "",
    names: Mapping[str, Sequence[str]] = types.MappingProxyType({}),
) -> Iterator[tuple[str, FieldInfo]]:
    """Walk down to what is no block.

    Where blocks have names of their own, those of `names` are all that there can be; of others,
    the ones with a value are shown, or one that stands for all.
    """
    for name, field in model.model_fields.items():
        path = f"{above}{name}"
        blocks = [part for part in _parts(field.annotation) if _is_block(part)]
        below = values.get(name)
        below = below if isinstance(below, Mapping) else {}
        if not blocks:
            yield path, field
        elif _origin(field.annotation) is dict:
            for key in names[path] if path in names else sorted(below) or ["NAME"]:
                yield from _fields(blocks[0], below.get(key) or {}, f"{path}.{key}.")
        else:
            for block in blocks:
                yield from _fields(block, below, f"{path}.")


def _at(tree: Mapping[str, Any], path: str, field: FieldInfo) -> Any:
    """Return the value at a path; the field's own default where a name is still to be filled in."""
    here: Any = tree
    for part in path.split("."):
        if not isinstance(here, Mapping) or part not in here:
            if field.is_required():  # of the rows of a table that is empty by default
                return None
            usual = field.get_default(call_default_factory=True)
            return list(usual) if isinstance(usual, tuple) else usual
        here = here[part]
    return here


def values_of(kind: Any, bounds: Any = ()) -> str:
    """Say in words which values a field takes, by its type and its bounds.

    Examples
    --------
    >>> values_of(tuple[int, ...] | None)
    'list of whole numbers or null'
    """
    origin, inside = _origin(kind), get_args(kind)
    if origin is Annotated:
        return values_of(inside[0], inside[1:])
    if origin is Literal:
        return " or ".join(str(item) for item in inside)
    if origin in (Union, types.UnionType):
        words = [values_of(item, bounds) for item in inside if item is not type(None)]
        return " or ".join(dict.fromkeys([*words, *(["null"] if type(None) in inside else [])]))
    if origin in _SEVERAL:
        members = [values_of(item) for item in inside if item is not Ellipsis]
        if Ellipsis not in inside and len(set(members)) > 1:
            return f"list of {len(members)}: {'; '.join(members)}"
        member = members[0] if members else "any value"
        if Ellipsis not in inside and members:
            return f"list of {len(members)}, each {member}"
        return f"list of {_MANY[member]}" if member in _MANY else f"list, each {member}"
    named = _KINDS.get(origin if origin is dict else kind, getattr(kind, "__name__", str(kind)))
    return " ".join(filter(None, [named, _within(dict(_limits(bounds)))]))


def _limits(bounds: Any) -> Iterator[tuple[str, str]]:
    for bound in bounds:
        for kind, attribute in _BOUNDS:
            if isinstance(bound, kind):
                yield attribute, f"{getattr(bound, attribute):g}"
        yield from _limits(getattr(bound, "metadata", ()))


def _within(limits: Mapping[str, str]) -> str:
    if {"ge", "le"} <= set(limits):
        return f"from {limits['ge']} to {limits['le']}"
    return " and ".join(_IN_WORDS[which].format(limit) for which, limit in limits.items())


def _unit(path: str, field: FieldInfo) -> str:
    """Return what the author says in the field's schema; else what the name ends in."""
    text = field.json_schema_extra
    if isinstance(text, dict) and "unit" in text:
        return str(text["unit"])
    name, _, last = path.rpartition(".")[2].rpartition("_")
    return UNITS.get(last, "") if name else ""


def _origin(kind: Any) -> Any:
    return get_origin(kind) or kind


def _parts(kind: Any) -> Iterator[Any]:
    """Yield a type and every type that it is made of."""
    yield kind
    for item in get_args(kind):
        yield from _parts(item)


def _is_block(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


# Settings and columns in words, as the command line and the site show them.


def setting_words(setting: Setting) -> str:
    """Return what a setting does and takes.

    The words of its author stay as they are: a first letter made large would change what names a
    function or a value (``torch.compile``, ``nested``).

    Examples
    --------
    >>> setting = Setting("load.min_s", "number", "s", 10, {}, "a shorter recording is quarantined")
    >>> setting_words(setting)
    'a shorter recording is quarantined. Takes: number, in s.'
    """
    unit = f", in {setting.unit}" if setting.unit else ""
    return f"{_sentence(setting.meaning)}Takes: {setting.takes}{unit}."


def column_words(column: TemplateColumn) -> str:
    """Return what a column holds, means and is read for.

    Examples
    --------
    >>> column_words(TemplateColumn("age_y", "number in years", "Age at the study.", "Table 1", ""))
    'number in years. Age at the study. Read for: Table 1.'
    """
    about = f"{_sentence(column.holds)}{_sentence(column.meaning)}"
    return f"{about}Read for: {column.read_for.rstrip('.')}."


def shown(value: object) -> str:
    """Return a value as ``--set`` takes it."""
    return json.dumps(value, ensure_ascii=False)


def usual_lines(setting: Setting) -> list[str]:
    """Return the values below a default that holds settings, a ``path=value`` each; else nothing.

    Examples
    --------
    >>> usual_lines(Setting("needs.a.settings", "settings", "", {"train": {"depth": 18}}, {}, ""))
    ['needs.a.settings.train.depth=18']
    >>> usual_lines(Setting("train.depth", "18 or 50", "", 18, {}, ""))
    []
    """
    return [f"{path}={shown(value)}" for path, value in _leaves(setting.path, setting.default)]


def other_lines(setting: Setting, name: str) -> list[str]:
    """Return what of `usual_lines` is another in a configuration, or stands only there."""
    usual = dict(_leaves(setting.path, setting.default))
    return [
        f"{path}={shown(value)}"
        for path, value in _leaves(setting.path, setting.elsewhere[name])
        if path not in usual or usual[path] != value
    ]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what stands below a mapping; of a value that is none, or is empty, nothing."""
    if not isinstance(value, Mapping):
        return
    for name, inside in value.items():
        here = f"{path}.{name}"
        if isinstance(inside, Mapping) and inside:
            yield from _leaves(here, inside)
        else:
            yield here, inside


def _sentence(words: str) -> str:
    return f"{words.rstrip('.')}. " if words else ""
