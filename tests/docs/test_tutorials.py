"""A tutorial leads from an empty folder to its end, by its own words alone.

Each command is typed as it stands, in a folder outside the repository; what the page says will be
printed must be, and the files that it names must be there. With ``CARDIO_STORE=1`` the slow test
stores what each command took as a record, which ``python -m docs._records`` puts into the page.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .test_commands import ROOT

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
STORED = ROOT / "docs" / "results" / "stored" / "tutorials"
FOOT = "## What it took"
CONFIGS = "plugins/ecg_transfer/src/cardio_ecg_transfer/configs"
ENTRIES = ["cardio_core.training", f"{CONFIGS}/default.yaml", f"{CONFIGS}/smoke.yaml"]
"""What a change of would change the times most."""

STEP = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```\w+\n(?P<text>.*?)```"
    r"|```sh\n(?P<commands>.*?)```|```text\n(?P<printed>.*?)```",
    re.DOTALL,
)
NAMED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:json|csv|html|py|yaml)|(?:[\w.-]+/)+[\w.-]+)`")


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_done_from_an_empty_folder(page, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    text = own_words(page)
    said, took = "", []
    for step in STEP.finditer(text):
        if step["file"]:
            (folder / step["file"]).write_text(step["text"], encoding="utf-8")
        elif step["printed"]:
            assert lines_not_in(step["printed"], said) == []
        else:
            for command in step["commands"].splitlines():
                one, printed = typed(command, folder, tmp_path / "cache")
                assert one["exit_code"] == 0, f"{command}\n{printed[-3000:]}"
                took.append(one)
                said += printed
    made = files_named(text, folder) if took else []  # a page to read alone speaks of any run's
    assert [name for name in made if not find(name, folder)] == []
    if os.environ.get("CARDIO_STORE") and took:
        store(page.stem, took)


def own_words(page: Path) -> str:
    """Return a tutorial without the record at its foot."""
    return page.read_text(encoding="utf-8").partition(FOOT)[0]


def typed(command: str, folder: Path, cache: Path) -> tuple[dict, str]:
    """Type one command; return what it took, and all that it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "CARDIO_CACHE": str(cache)}
    load = os.getloadavg()[0]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "command": command,
        "exit_code": done.returncode,
        "processor_s": round(processor, 1),
        "clock_s": round(wall, 1),
        "load_before": round(load, 1),
    }, done.stdout


def lines_not_in(shown: str, said: str) -> list[str]:
    """Return the lines that a page shows and no command printed; `...` stands for anything."""
    plain = re.sub(r"\s+", " ", said)
    wrong = []
    for line in filter(str.strip, shown.splitlines()):
        parts = [re.escape(part) for part in re.sub(r"\s+", " ", line.strip()).split("...")]
        if not re.search("[^\n]*?".join(parts), plain):
            wrong.append(line)
    return wrong


def files_named(text: str, folder: Path) -> list[str]:
    """Return the names of files in a page that are of this folder, not of the repository."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    here = {item.name for item in folder.iterdir()}
    return [name for name in NAMED.findall(prose)
            if name.partition("/")[0] in here or "/" not in name]  # fmt: skip


def find(name: str, folder: Path) -> bool:
    return (folder / name).exists() or ("/" not in name and any(folder.rglob(name)))


def store(tutorial: str, took: list[dict]) -> None:
    """Keep what a tutorial took as the record that its page shows."""
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=10", "HEAD"],
                            capture_output=True, text=True).stdout.strip()  # fmt: skip
    busy = max(one["load_before"] for one in took)
    head = ["command", "processor, s", "clock, s", "exit code"]
    rows = [[f"`{one['command'].replace('|', chr(92) + '|')}`", f"{one['processor_s']:.1f}",
             f"{one['clock_s']:.1f}", str(one["exit_code"])] for one in took]  # fmt: skip
    made = {
        "command": "CARDIO_STORE=1 python -m pytest -m slow tests/docs/test_tutorials.py",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "machine": f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}"
        + (
            f"; others used it meanwhile (load up to {busy:.1f}), so read the processor's seconds, "
            "of all processes, and not the clock's"
            if busy > 1
            else ""
        ),
        "entries": ENTRIES,
        "tables": {"took": {"head": head, "align": "lrrr", "rows": rows}},
    }
    path = STORED / f"{tutorial}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def processor() -> str:
    """Return the name of the processor, where the machine tells it."""
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = re.search(r"^model name\s*: (.+)$", told, re.M)
    return named[1] if named else platform.machine()


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_what_a_tutorial_took_is_stored_of_its_present_commands(page):
    typed = [line for step in STEP.finditer(own_words(page)) if step["commands"]
             for line in step["commands"].splitlines()]  # fmt: skip
    stored = STORED / f"{page.stem}.json"
    if not stored.exists():  # not measured yet: the page shows nothing
        assert FOOT not in page.read_text(encoding="utf-8")
        return
    rows = json.loads(stored.read_text(encoding="utf-8"))["tables"]["took"]["rows"]
    assert [row[0].strip("`").replace("\\|", "|") for row in rows] == typed
    assert {row[-1] for row in rows} == {"0"}


def test_the_page_is_read_by_the_names_of_its_parts_and_in_their_order():
    page = (ROOT / "core/cardio-core/src/cardio_core/report/page.html").read_text(encoding="utf-8")
    read = (ROOT / "docs/tutorials/read_the_page.md").read_text(encoding="utf-8")
    first, *parts = re.findall(r"^\*\*(.+?)\.\*\* ", read, re.MULTILINE)
    assert first == "The answer"
    headings = [re.search(rf"<h2.*\b{re.escape(part)}\b.*</h2>", page) for part in parts]
    places = [found.start() for found in headings if found]
    assert len(places) == len(parts) >= 6
    assert places == sorted(places)


def test_a_line_that_was_not_printed_is_found():
    said = "Task: crt (Response);\n  protocols: honest\nDone.\n"
    assert lines_not_in("Task: crt ...; protocols: honest\nDone.", said) == []
    assert lines_not_in("Task: mfr\nDone.", said) == ["Task: mfr"]
