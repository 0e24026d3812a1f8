"""What has to be known of a recording beside its samples: asked for once, read from a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cardio_core.types.samples import Cohort, Fact
from cardio_stats.cells import write_rows
from cardio_stats.errors import ConfigError

FILE, ID, KNOWN = "file", "id", "known from"
_MOST_SHOWN = 40
_MISSING = "missing"


def read_facts(path: Path) -> dict[Path, dict[str, str]]:
    r"""Read what a person filled in: by file, the cells that are not empty, by column.

    Raises
    ------
    ConfigError
        No such table, no column ``file``, or a line whose file does not exist or stands twice.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()).resolve()
    >>> _ = (folder / "a.avi").write_bytes(b"")
    >>> _ = (folder / "facts.csv").write_text("file,frame_rate_hz,view\na.avi,50,\n")
    >>> {file.name: cells for file, cells in read_facts(folder / "facts.csv").items()}
    {'a.avi': {'frame_rate_hz': '50'}}
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head, *lines = [row for row in csv.reader(stream) if any(row)] or [[]]
    except OSError:
        raise ConfigError(f"--facts {path}: no such file; check the path") from None
    except (UnicodeDecodeError, csv.Error):
        head, lines = [], []
    if FILE not in head:
        raise ConfigError(
            f"--facts {path}: expected a CSV with a column {FILE}, found another file; "
            "--mapping-template writes one"
        )
    found: dict[Path, dict[str, str]] = {}
    for number, cells in enumerate(lines, start=2):
        row = {name.strip(): cell.strip() for name, cell in zip(head, cells, strict=False)}
        file = (path.parent / row.pop(FILE, "")).resolve()
        if not file.is_file() or file in found:
            what = "a second line of one file" if file in found else "no such file"
            raise ConfigError(f"--facts {path}, line {number}: expected a file, found {what}")
        stated = {name: cell for name, cell in row.items() if cell and name not in (ID, KNOWN)}
        found[file] = stated
    return found


def write_template(path: Path, cohort: Cohort) -> int:
    """Write a line a file with what it says, for a person to fill in; return how many lack a cell.

    Raises
    ------
    ConfigError
        The plugin asks nothing, or the file is there already: somebody may have filled it in.
    """
    if not cohort.facts:
        raise ConfigError(
            "--mapping-template: nothing can be stated of these recordings; leave it out"
        )
    if path.exists():
        raise ConfigError(f"--mapping-template {path}: is there already; choose another name")
    names = dict.fromkeys(fact.name for facts in cohort.facts.values() for fact in facts)
    rows = []
    for recording, facts in cohort.facts.items():
        known = {fact.name: fact for fact in facts}
        cells = [known[name].value if name in known else "" for name in names]
        sources = "; ".join(f"{fact.name}: {fact.source}" for fact in facts if fact.source)
        file = cohort.files[recording][0].resolve()
        rows.append([str(file), recording, *cells, sources])
    write_rows(path, [FILE, ID, *names, KNOWN], rows)
    return sum(_lacks(facts) for facts in cohort.facts.values())


def questions(cohort: Cohort) -> Iterator[str]:
    """Yield the lines of one table: what the files of recordings do not say, and how to state it.

    No line where nothing is missing.
    """
    missing = {name: facts for name, facts in cohort.facts.items() if _lacks(facts)}
    if not missing:
        return
    n, of = len(missing), len(cohort.facts)
    yield f"Not said by the files of {n} of {of} recordings (nothing has been decoded yet):"
    kinds = {fact.name: fact for facts in missing.values() for fact in facts}
    rows = [["recording", *(kind.title for kind in kinds.values())]]
    for recording, facts in list(missing.items())[:_MOST_SHOWN]:
        known = {fact.name: fact for fact in facts}
        rows.append([recording, *(_shown(known.get(name)) for name in kinds)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
    if n > _MOST_SHOWN:
        yield f"  and {n - _MOST_SHOWN} more"
    wanted = {fact.name for facts in missing.values() for fact in facts if fact.missing}
    for item in (kind for kind in kinds.values() if kind.name in wanted and kind.without):
        yield f"Without the {item.title[0].lower()}{item.title[1:]}: {item.without}."
    options = ", ".join(kind.option for kind in kinds.values() if kind.name in wanted)
    yield (
        f"State what holds for all with {options}; or let --mapping-template FILE.csv write a line "
        "a file, fill it in, and give it back with --facts FILE.csv."
    )


def _lacks(facts: tuple[Fact, ...]) -> bool:
    return any(fact.missing for fact in facts)


def _shown(fact: Fact | None) -> str:
    if fact is None:
        return ""
    if fact.value:
        return f"{fact.value} ({fact.source})" if fact.source else fact.value
    return f"{_MISSING} ({fact.source})" if fact.source else _MISSING if fact.missing else "-"
