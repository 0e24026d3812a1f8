"""A record: numbers that a command gave, and how, when and where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .fields import filled
from .numbers import Held

ROOT = Path(__file__).parents[2]
STORED = ROOT / "docs" / "results" / "stored"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
KEYS = {
    "command", "how", "quoted", "date", "commit", "machine", "transcribed", "source", "entries",
    "minutes", "stale", "newer", "unchanged", "numbers", "given", "tables",
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """Numbers, and what stands beside them on a page.

    Attributes
    ----------
    name : str
        ``folder/file`` below ``docs/results/stored``, without the ending.
    raw : dict
        What the file holds, fields filled in from `source`.
    """

    name: str
    raw: dict[str, Any] = field(repr=False)

    @property
    def held(self) -> tuple[Held, Held]:
        """What a page may state of it: numbers, givens, what its commands set; and its tables.

        Tables are full of numbers: one of two digits is found in them by chance, and is not sought.
        """
        named = ("numbers", "given", "command")
        return Held(self.raw.get(part, ()) for part in named), Held(
            [self.raw.get("tables", ())], fewest=3
        )

    @property
    def commands(self) -> list[str]:
        """Commands, as typed at the root of the repository."""
        commands = self.raw.get("command", [])
        return [commands] if isinstance(commands, str) else list(commands)

    @property
    def stale(self) -> str:
        """Why its numbers may be others now, or where newer ones stand; empty: nothing is known."""
        if "newer" in self.raw:
            return f"newer numbers stand in {self.raw['newer']}"
        return str(self.raw.get("stale", ""))

    def line(self) -> str:
        """Return name, date, commit and state, as the footer of a page lists them."""
        name = f"`{self.name.partition('/')[2]}`"
        if "quoted" in self.raw:
            return f"{name} {self.raw['date']}: {self.raw['quoted']}."
        commit = f", {self.raw['commit']}" if self.raw.get("commit") else ""
        copied = ", copied" if self.raw.get("transcribed") else ""
        return f"{name} {self.raw['date']}{commit}{copied}" + (
            f". **Stale**: {self.stale}." if self.stale else ""
        )

    def origin(self) -> str:
        """Return the commands and the line that says where the numbers come from."""
        block = ["```sh", *self.commands, "```", ""] if self.commands else []
        if "quoted" in self.raw:
            return f"> Quoted on {self.raw['date']}: {self.raw['quoted']}."
        how = f"{self.raw['how']}; " if "how" in self.raw else ""
        commit = f", at commit {self.raw['commit']}" if self.raw.get("commit") else ""
        copied = "; copied from what was printed" if self.raw.get("transcribed") else ""
        line = f"> Measured on {self.raw['date']}{commit}; {how}{self.raw['machine']}{copied}."
        marks = [f"**Stale: {self.stale}.**"] if self.stale else []
        if "unchanged" in self.raw:
            still = self.raw["unchanged"]
            marks.append(f"Still so on {still['date']}: {still['how']}.")
        return "\n".join([*block, " ".join([line, *marks])])

    def table(self, name: str) -> str:
        """Return one of its tables as Markdown.

        Raises
        ------
        ValueError
            No such table.
        """
        tables = self.raw.get("tables", {})
        if name not in tables:
            raise ValueError(f"{self.name}: no table {name!r}; there are {', '.join(tables)}")
        head, rows = tables[name]["head"], tables[name]["rows"]
        sides = tables[name].get("align", "l" * len(head))
        rule = "".join({"l": "---|", "r": "---:|"}[side] for side in sides)
        lines = [f"|{'|'.join(str(cell) or ' ' for cell in row)}|" for row in (head, *rows)]
        return "\n".join([lines[0], f"|{rule}", *lines[1:]])


def read(name: str) -> Record:
    """Return a record, its fields filled in.

    Raises
    ------
    ValueError
        It lacks what every record has, has what none has, or is older than its source.
    """
    path = STORED / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"no record {name}: expected {path.relative_to(ROOT)}")
    raw = json.loads(path.read_text(encoding="utf-8"))
    lacks = {"date"} - set(raw)
    if "quoted" not in raw:
        lacks |= {"machine"} - set(raw)
        if not raw.get("command") and not raw.get("how"):
            lacks.add("command (or how, in words)")
    told = [f"lacks {', '.join(sorted(lacks))}"] if lacks else []
    told += [f"knows no {', '.join(sorted(odd))}"] if (odd := set(raw) - KEYS) else []
    if told:
        raise ValueError(f"{name}: {'; '.join(told)}")
    if "source" in raw:
        files = raw["source"] if isinstance(raw["source"], dict) else {"": raw["source"]}
        data = {
            key: json.loads((ROOT / file).read_text(encoding="utf-8"))
            for key, file in files.items()
        }
        for key, file in files.items():
            made = _DAY.search(str(data[key].get("date") or data[key].get("made") or ""))
            if made and made[0] not in raw["date"]:
                raise ValueError(
                    f"{name}: says {raw['date']}, but {file} was made on {made[0]}; bring date, "
                    "commit, machine and what is said to be stale up to that"
                )
        for part in ("machine", "numbers", "tables"):
            raw[part] = filled(raw.get(part, {}), data.get("", data))
    return Record(name, raw)


def names() -> list[str]:
    """Return the names of all records."""
    return sorted(str(path.relative_to(STORED).with_suffix("")) for path in STORED.rglob("*.json"))
