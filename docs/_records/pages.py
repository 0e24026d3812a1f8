"""Pages: what they show of records is rendered, and what they state is looked for in records.

A page names records in comments, which GitHub and the site do not show:

``<!-- table: NAME TABLE -->`` ... ``<!-- end -->``
    One of its tables, rendered.
``<!-- plot: NAME TABLE: COLUMN -->`` ... ``<!-- end -->``
    A column of estimates with their intervals, as a forest plot.
``<!-- record: NAME NAME -->``
    The section quotes these records.
``<!-- provenance -->`` ... ``<!-- end -->``
    Date, commit and state of every record that the page names, rendered and folded.
``<!-- given: 44 records; 0.5 s -->``
    Numbers of the section that were set or quoted, not measured.

What is named in a section is known in those below it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from . import plots, record
from .listed import BY_CODE, MADE, NOT_YET, PARTS
from .numbers import Held, Number, stated

_SHOWN = re.compile(
    r"(<!-- (?:provenance|(table|plot): (\S+) ([^\n]+?)) -->\n)"
    r"((?:(?!<!-- end -->).)*)(<!-- end -->)",
    re.DOTALL,
)
_NAMED = re.compile(r"<!-- (table|plot|record): ([^\n]+?) -->")
_GIVEN = re.compile(r"<!-- given: (.+?) -->", re.DOTALL)
_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_FENCED = re.compile(r"```.*?```", re.DOTALL)

known = cache(record.read)


def rendered(text: str) -> str:
    """Return a page with what it shows of records made anew."""

    def shown(found: re.Match[str]) -> str:
        if found[2] == "plot":
            made = plots.image(known(found[3]), *found[4].split(": ", 1))
        else:
            made = known(found[3]).table(found[4]) if found[2] else _provenance(text)
        return f"{found[1]}{made}\n{found[6]}"

    return _SHOWN.sub(shown, text)


def plotted(text: str) -> list[tuple[record.Record, str, str]]:
    """Return the record, table and column of each plot that a page shows."""
    return [
        (known(found[3]), *found[4].split(": ", 1))  # type: ignore[misc]
        for found in _SHOWN.finditer(text)
        if found[2] == "plot"
    ]


def _provenance(text: str) -> str:
    """Return a folded list of the records that a page names."""
    records = [known(name) for name in named(text)]
    measured = [one for one in records if "quoted" not in one.raw]
    stale = sum(bool(one.stale) for one in measured)
    summary = f"Provenance of {len(measured)} measurement{'s' * (len(measured) != 1)}"
    summary += f", {stale} of them stale" if stale else ""
    return "\n".join([
        "<details>", f"<summary>{summary}</summary>", "",
        "Date and commit; commands and machines are in `docs/results/stored/`."
        + (" Stale: the code has changed since." if stale else ""),
        "", *(f"- {one.line()}" for one in records), "", "</details>",
    ])  # fmt: skip


def with_provenance(text: str) -> list[str]:
    """Return the records whose provenance a page shows."""
    return named(text) if "<!-- provenance -->" in text else []


def unheld(text: str, page: str = "") -> Iterator[Number]:
    """Yield the numbers that a page states in its own words and none of its records holds."""
    for number, holders in with_holders(text, page):
        if not any(number in held for held in holders):
            yield number


def with_holders(text: str, page: str = "") -> Iterator[tuple[Number, list[Held]]]:
    """Yield each number of a page's own words, and what its section and those above may state."""
    above: list[tuple[int, list[Held]]] = []
    if page in PARTS:  # headings may stand in what a script wrote
        by_script = rf"<!-- (?:{PARTS[page]}) -->\n(?:(?!<!-- end).)*<!-- end[^>]*-->"
        text = re.sub(by_script, _lines, text, flags=re.DOTALL)
    for level, line, part in sections(text):
        above = [(outer, held) for outer, held in above if outer < level]
        above.append((level, list(_holders(part))))
        known_here = [held for _, holders in above for held in holders]
        for number in stated(without_shown(part)):
            yield number._replace(line=number.line + line - 1), known_here


def without_shown(text: str) -> str:
    """Return what a page says in its own words: blank lines stand for what is rendered."""
    return _SHOWN.sub(_lines, text)


def _lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def sections(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield level, first line and text of each section: from a heading to the next."""
    plain = _FENCED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    starts = [0, *(found.start() for found in _HEADING.finditer(plain) if found.start())]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        heading = _HEADING.match(plain, start)
        level = len(heading[1]) if heading else 1
        yield level, text.count("\n", 0, start) + 1, text[start:end]


def _holders(part: str) -> Iterator[Held]:
    for given in _GIVEN.findall(part):
        yield Held([given])
    for name in named(part):
        yield from _held(name)


@cache
def _held(name: str) -> tuple[Held, Held]:
    return known(name).held


def named(text: str) -> list[str]:
    """Return the names of the records that a text names, in its order."""
    found: dict[str, None] = {}
    for mark in _NAMED.finditer(text):
        words = mark[2].split()
        found.update(dict.fromkeys(words if mark[1] == "record" else words[:1]))
    return list(found)


def all_pages() -> list[str]:
    """Return every page of words in the repository, as a path from its root."""
    root = record.ROOT
    made = {root / "docs" / "reference", root / "docs" / "plugins"}
    found = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("plugins/*/README.md"),
             *root.glob("examples/*/README.md")]  # fmt: skip
    return sorted(str(path.relative_to(root)) for path in found if not made & set(path.parents))


def checked() -> list[str]:
    """Return the pages whose every number is looked for."""
    return [page for page in all_pages() if page not in {*MADE, *BY_CODE, *NOT_YET}]


def found_wrong(root: Path = record.ROOT) -> list[str]:
    """Return, in a line each, what pages show or state and no record holds."""
    wrong: list[str] = []
    shown: set[str] = set()
    for page in checked():
        text = (root / page).read_text(encoding="utf-8")
        shown.update(with_provenance(text))
        try:
            if rendered(text) != text:
                wrong.append(f"{page}: not what its records render to; run python -m docs._records")
            wrong += [
                f"{page}: {plots.file_of(*plot).name} is older; run python -m docs._records"
                for plot in plotted(text)
                if not plots.is_current(*plot)
            ]
            wrong += [
                f"{page}:{one.line}: {one.text} is held by no record that its section names"
                for one in unheld(text, page)
            ]
        except (ValueError, KeyError) as error:
            wrong.append(f"{page}: {error}")
    wrong += [f"{name}: no page shows its provenance" for name in record.names()
              if name not in shown]  # fmt: skip
    wrong += [f"{page}: named in docs/_records/listed.py, but there is no such page"
              for page in (*MADE, *BY_CODE, *NOT_YET) if not (root / page).is_file()]  # fmt: skip
    return wrong
