"""What a run stood on then, beside what it would stand on now: what differs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cardio_core.errors import ConfigError

Kind = Literal["data", "settings", "code", "packages", "device", "machine"]

UNNAMED = "own:"
"""Begins the key of a column that is kept without its name."""

_SHOWN = 3
_SAME_CODE = "the sources of {} differ (version {} both times)"


class NotTheSameError(ConfigError):
    """A run would go on as another; nothing of it was touched."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes
    ----------
    kind : {"data", "settings", "code", "packages", "device", "machine"}
    words : str
        A clause: ``"numpy is 2.4.6, was 2.3.1"``.
    tolerated : bool
        Whether a run goes on all the same: no number hangs on it, or its last digits at most.
    """

    kind: Kind
    words: str
    tolerated: bool = False


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return what differs in code, packages, device and machine; the gravest first.

    Parameters
    ----------
    then, now : mapping
        Entries ``stands_on`` of manifests; what one of them lacks is not compared.

    Examples
    --------
    >>> [one.words for one in differences({"python": "3.11.9"}, {"python": "3.12.1"})]
    ['Python is 3.12.1, was 3.11.9']
    """
    found = [*_code(then, now), *_packages(then, now), *_device(then, now), *_machine(then, now)]
    return sorted(found, key=lambda one: one.tolerated)


def settings_differ(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return the settings of two resolved configurations that differ.

    Examples
    --------
    >>> [one.words for one in settings_differ({"inner": {"k": 1}}, {"inner": {"k": 3}})]
    ['inner.k is 3, was 1']
    """
    before, after = dict(_flat(then)), dict(_flat(now))
    names = [*before, *(name for name in after if name not in before)]
    return [
        Difference("settings", f"{name} is {_said(after, name)}, was {_said(before, name)}")
        for name in names
        if before.get(name, _MISSING) != after.get(name, _MISSING)
    ]


def data_differ(
    then: Mapping[str, Any], now: Mapping[str, Any],
    detail_then: Mapping[str, Any], detail_now: Mapping[str, Any],
) -> list[Difference]:  # fmt: skip
    """Return what differs in the data.

    Parameters
    ----------
    then, now : mapping
        ``recordings``, ``labels`` and ``table``: one digest each.
    detail_then, detail_now : mapping
        What `contents.json` holds; empty where it is lost, and then no recording is named.
    """
    if not detail_then:
        changed = [name for name in ("recordings", "labels", "table") if _changed(then, now, name)]
        return [Difference("data", f"{_DATA[name]} differ") for name in changed]
    before, after = detail_then["recordings"], detail_now["recordings"]
    shared = [name for name in before if name in after]
    words = []
    if gone := [name for name in before if name not in after]:
        words.append(f"{_counted(gone, len(before))} not there any more")
    if new := [name for name in after if name not in before]:
        words.append(f"{_counted(new, len(after))} new")
    for key, what in _PARTS.items():
        if other := [name for name in shared if before[name][key] != after[name][key]]:
            words.append(f"{what} of {_counted(other, len(before))} differ")
    columns = {**detail_then["table"], **detail_now["table"]}
    other = [
        name for name in columns
        if detail_then["table"].get(name) != detail_now["table"].get(name)
    ]  # fmt: skip
    if other:
        n_own = sum(name.startswith(UNNAMED) for name in other)
        named = [name for name in other if not name.startswith(UNNAMED)]
        named += [f"{n_own} of the columns that nothing reads"] if n_own else []
        words.append(f"the cohort table differs in {_listed(named)}")
    if not words and _changed(then, now, "labels"):
        words.append("labels of people without a recording, or what is not scored, differ")
    return [Difference("data", one) for one in words]


_MISSING = object()
_DATA = {"recordings": "recordings", "labels": "labels", "table": "the cohort table's values"}
_PARTS = {
    "content": "the files",
    "patient": "the patients",
    "about": "what is known",
    "labels": "the labels",
}


def _code(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for part, name in (("core", "cardio-core"), ("plugin", "")):
        before, after = then.get(part), now.get(part)
        if not before or not after:
            continue
        title = name or f"plugin {after['name']}"
        if before["version"] != after["version"]:
            yield Difference("code", f"{title} is {after['version']}, was {before['version']}")
        elif before.get("code") and before["code"] != after["code"]:
            yield Difference("code", _SAME_CODE.format(title, after["version"]))


def _packages(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    if "python" in then and then["python"] != now["python"]:
        minor = [text.split(".")[:2] for text in (then["python"], now["python"])]
        words = f"Python is {now['python']}, was {then['python']}"
        yield Difference("packages", words, tolerated=minor[0] == minor[1])
    for part in ("packages", "aside"):
        before, after = then.get(part, {}), now.get(part, {})
        for name, version in before.items():
            # What nothing requires any more decides about nothing; what lacks opens no plugin.
            if after.get(name, version) != version:
                words = f"{name} is {after[name]}, was {version}"
                yield Difference("packages", words, tolerated=part == "aside")


def _device(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = then.get("device"), now.get("device")
    if not before or not after:
        return
    for key in ("kind", "precision", "name"):
        if before[key] != after[key]:
            words = f"the {'device' if key != 'precision' else key} is {after[key]}, "
            yield Difference("device", f"{words}was {before[key]}", tolerated=key == "name")
            return


def _machine(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = then.get("machine"), now.get("machine")
    if not before or not after:
        return
    for key, title in (("system", "system"), ("processor", "processor")):
        if before[key] != after[key]:
            words = f"the {title} is {after[key]}, was {before[key]}"
            yield Difference("machine", words, tolerated=True)


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _said(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, _MISSING)
    return "not set" if value is _MISSING or value is None else str(value)


def _changed(then: Mapping[str, Any], now: Mapping[str, Any], name: str) -> bool:
    return name in then and then[name] != now[name]


def _counted(names: list[str], n: int) -> str:
    return f"{len(names)} of {n} recordings ({_listed(names)})"


def _listed(names: list[str]) -> str:
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
