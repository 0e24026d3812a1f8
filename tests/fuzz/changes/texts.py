"""Changes of text formats that stay what they are: JSON, YAML, CSV, XML."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any

import yaml

from .plain import NUMBERS, WORDS

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**400, 1.5, float("nan"), float("inf"), "", "x", "1",
    "\0", [], {}, [[]], [None], {"": 0}, [1, "a", None], {"a": {"b": []}}, "A" * 70_000,
    list(range(1000)), "../../x", "2026-01-01", "\ud800",
)  # fmt: skip
_DEEP = 100_000
_YAML = (
    "!!python/object/apply:os.system ['true']", "2026-01-01", "2026-13-45", "*unknown", "~", "0o17",
    "1:30:00", "!!binary x", "!!timestamp x", "!!int x", "{[a]: b}", "? [a]\n: b", "|\n  x",
    "<<: 3",     "!!set {a}", "%TAG", "- - -", "\t", ".nan", "!!float", "a: b: c",
)  # fmt: skip
_XML = re.compile(r">([^<>]+)<")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def json_(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data[: len(data) // 2]
    if rng.random() < 0.04:
        n = rng.choice((50, 900, _DEEP))
        return rng.choice((b"[", b'{"a":', b"[[")) * n + data
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        content = changed(content, rng)
    try:
        text = json.dumps(content, indent=rng.choice((None, 2)), ensure_ascii=rng.random() < 0.5)
    except ValueError:  # a number too long to print
        return data
    return text.encode("utf-8", "surrogatepass")


def yaml_(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    kind = rng.randrange(8)
    text = data.decode("utf-8", "replace")
    if kind == 0:
        rows = text.split("\n")
        at = rng.randrange(len(rows))
        rows[at] = rng.choice(("", rows[at].partition(":")[0] + ": ")) + rng.choice(_YAML)
        return "\n".join(rows).encode()
    if kind == 1:
        n = rng.choice((50, 2000, 20_000))
        return rng.choice(("[" * n, "{a: " * n, "- " * n)).encode()
    if kind == 2:
        first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        rest = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
        rows = text.split("\n")
        at = rng.randrange(len(rows))
        rows[at] = f"{rows[at].partition(':')[0]}: *a{rng.choice((1, 2, 8))}"
        return "\n".join((first + rest, *rows)).encode()
    try:
        content = yaml.safe_load(text)
    except Exception:
        return data[: len(data) // 2]
    for _ in range(rng.choice((1, 1, 2, 4))):
        content = changed(content, rng)
    try:
        return yaml.safe_dump(content, sort_keys=False).encode("utf-8", "surrogatepass")
    except Exception:
        return data


def changed(content: Any, rng: Random) -> Any:
    """Return JSON's content with one place changed; what is given may be changed, too."""
    places: list[tuple[Any, Any]] = []
    waiting = [content] if isinstance(content, dict | list) else []
    while waiting:
        here = waiting.pop()
        keys = here.keys() if isinstance(here, dict) else range(len(here))
        for key in list(keys):
            places.append((here, key))
            if isinstance(here[key], dict | list) and len(places) < 5000:
                waiting.append(here[key])
    if not places or rng.random() < 0.02:
        return deepcopy(rng.choice(_VALUES))
    if rng.random() < 0.5:  # near the top more often
        places = places[: max(1, len(places) // 20)]
    here, key = rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        del here[key]
    elif kind == 1 and isinstance(here, dict):
        here[rng.choice((f"{key}x", "", str(key).upper(), "unknown", "a/b", "../x"))] = here.pop(
            key
        )
    elif kind == 2:
        other, name = rng.choice(places)
        value = other[name] if name in other or isinstance(other, list) else None
        here[key] = json.loads(json.dumps(value))
    elif kind == 3 and isinstance(here[key], str):
        here[key] = rng.choice((*WORDS, *NUMBERS))
    elif kind == 4 and isinstance(here[key], int | float) and not isinstance(here[key], bool):
        here[key] = rng.choice((-here[key], here[key] * 1e9, 0, float("nan"), 1e308, 2**70, 0.5))
    else:
        here[key] = deepcopy(rng.choice(_VALUES))
    return content


def csv_(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    mark = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=mark))
    except csv.Error:
        return data[: len(data) // 2]
    rows = [row for row in rows if row] or [[""]]
    for _ in range(rng.choice((1, 1, 2, 6))):
        _change_rows(rows, rng)
    out = io.StringIO()
    kind = rng.random()
    mark = rng.choice((",", ";", "\t", "|", " ")) if kind < 0.05 else mark
    writer = csv.writer(out, delimiter=mark, lineterminator="\n", escapechar="\\")
    writer.writerows(rows)
    made = out.getvalue()
    if 0.05 < kind < 0.1:
        at = rng.randrange(len(made) + 1)
        made = made[:at] + '"' + made[at:]
    return made.encode("utf-8", "surrogatepass")[:4_000_000]


def _change_rows(rows: list[list[str]], rng: Random) -> None:
    at = 0 if rng.random() < 0.2 else rng.randrange(len(rows))
    row = rows[at]
    column = rng.randrange(len(row)) if row else 0
    kind = rng.randrange(8)
    if kind == 0 and row:
        del row[column]
    elif kind == 1:
        row.insert(column, rng.choice((*WORDS, *NUMBERS)))
    elif kind == 2 and len(rows) > 1:
        del rows[at]
    elif kind == 3:
        rows.insert(at, list(rng.choice(rows)))
    elif kind == 4:  # a whole column
        for one in rows[1:]:
            if column < len(one):
                one[column] = rng.choice((*WORDS, *NUMBERS)) if rng.random() < 0.8 else one[column]
    elif row:
        other = rng.choice(rows)
        own = rng.choice(other) if other else ""
        row[column] = rng.choice((rng.choice(WORDS), rng.choice(NUMBERS), own))


def xml(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    text = data.decode("latin-1")
    kind = rng.randrange(7)
    head, mark, rest = text.partition("?>")
    if kind == 0:
        bomb = '<!ENTITY a0 "x">' + "".join(
            f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
        )
        rest = re.sub(r"<!DOCTYPE[^>]*>", "", rest)
        text = f"{head}{mark}<!DOCTYPE x [{bomb}]>{_XML.sub('>&a9;<', rest, count=1)}"
    elif kind == 1:
        n = rng.choice((500, 50_000))
        text = f"{head}{mark}{'<a>' * n}{rest}{'</a>' * rng.choice((0, n))}"
    elif kind == 2:
        tags = list(_TAG.finditer(text))
        if not tags:
            return data[::-1]
        one = rng.choice(tags)
        new = rng.choice(
            ("", rng.choice(tags)[0], "<x>", '<x y="' + "z" * 70_000 + '"/>', one[0] * 2)
        )
        text = text[: one.start()] + new + text[one.end() :]
    elif kind == 3:
        text = re.sub(
            r'encoding="[^"]*"', f'encoding="{rng.choice(("x", "utf-16", "utf-8", ""))}"', text
        )
    else:
        found = list(_XML.finditer(text))
        if found:
            one = rng.choice(found)
            new = rng.choice((*NUMBERS, *WORDS, rng.choice(found)[1]))
            text = text[: one.start(1)] + new + text[one.end(1) :]
    return text.encode("utf-8", "surrogatepass")
