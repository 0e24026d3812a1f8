"""The page docs/results/fuzz.md, made of what the study stored and of nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STORED = Path(__file__).parent / "stored" / "fuzz.json"
PAGE = ROOT / "docs" / "results" / "fuzz.md"

HEAD = """\
# Damaged files

<!-- Made by python -m tests.fuzz --page; change tests/fuzz/page.py, not this. -->

Valid files of every format, and every file of a finished run, were changed at random and read as a
user's would be: bits, bytes and blocks changed, cut, repeated and spliced; integers set to their
extremes; numbers, words and lines of texts; elements of DICOM with wrong lengths and
representations; members of archives with sums made right again; other encodings; an empty file, or
a folder in its place. An input is **accepted** (it can be read, or nothing in it is used that was
changed), or **refused** in one line of ours, which holds no name of a file that was found and
nothing of a header: a name stood in both, and is looked for in every message and warning. **Other**
is anything else: another exception, more than one line, a name, more than 20 s of processor time,
2 GiB more memory, the end of the process. Files that once were findings lie in
`tests/integration/findings` and are always read.

Readers of recordings were asked as every command asks them: `load` of the plugin, then each
recording opened and its frames decoded; *read and measured* goes on through `preprocess` and
`featurize`. Commands were called whole.
"""


def page(stored: dict[str, Any]) -> str:
    """Return the page's text."""
    rows = stored["readers"]
    total = {
        key: sum(row[key] for row in rows.values()) for key in ("n", "accepted", "refused", "other")
    }
    lines = [
        HEAD,
        "<!-- slow -->",
        "```sh",
        *stored["commands"],
        "```",
        "",
        "| reads | inputs | accepted | refused | other | slowest, s | memory, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row['title']} | {row['n']:,} | {row['accepted']:,} | {row['refused']:,} | "
            f"{row['other']:,} | {row['slowest_s']:.2f} | {row['most_mb']:.0f} |"
            for row in rows.values()
        ),
        f"| **all** | **{total['n']:,}** | **{total['accepted']:,}** | **{total['refused']:,}** | "
        f"**{total['other']:,}** | | |",
        "",
        _about(stored),
    ]
    if stored["left_out"]:
        lines += ["", f"Not in this study, but in `make fuzz`: {'; '.join(stored['left_out'])}."]
    found = [one for row in rows.values() for one in row["findings"]]
    if found:
        lines += [
            "",
            "Found, each kind once; one of an earlier commit than the last may be mended since:",
            "",
        ]
        lines += [f"- `{one['name']}`: {one['what']}" for one in found]
    return "\n".join(lines) + "\n"


def _about(stored: dict[str, Any]) -> str:
    machine = stored["machine"]
    commits = sorted({row["commit"] for row in stored["readers"].values()})
    return (
        "Slowest is processor time of one input, memory what the process grew by while it read it. "
        f"Run on {stored['date']} at {' and '.join(commits)}, on {machine['cores']} cores "
        f"({machine['processor']}), Python {machine['python']}. An input is named by reader, seed "
        "and number: `python -m tests.fuzz --again ecg_edf/0/17` reads one again. Files of a "
        "run hold times and so differ a little from one run to the next; what is found is "
        "kept with its files. Formats that are packed at random places by a library of ours "
        "(HDF5, video) are changed as bytes only."
    )


def write_page() -> None:
    """Write the page of what is stored."""
    PAGE.write_text(page(json.loads(STORED.read_text(encoding="utf-8"))), encoding="utf-8")
