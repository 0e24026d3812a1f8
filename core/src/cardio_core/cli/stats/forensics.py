"""`cardio stats forensics`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core import stats
from cardio_core.cli.stats.results import FILE, output_options, write_result

if TYPE_CHECKING:
    from cardio_core.stats.forensics.check import Verdict

HEADINGS: dict[Verdict, str] = {
    "contradiction": "Contradictions",
    "doubt": "Not shown by the numbers",
    "note": "Worth knowing",
    "agrees": "In order",
}


@click.command()
@FILE
@click.option("--all", "everything", is_flag=True, help="List what is in order too.")
@output_options(figure=False)
def forensics(file: Path, everything: bool, **output: Any) -> None:
    """Check the published numbers in FILE (YAML) and say what contradicts what.

    Exits with 0 whatever is found. docs/forensics/papers.yaml is an example.
    """
    from cardio_core.stats.forensics.runner import checked_estimates, of_verdict

    findings = stats.run_checks(stats.read_published(file))
    rows = tuple(
        (verdict, found.paper, found.where, found.name, found.statement())
        for verdict in HEADINGS
        for found in of_verdict(findings, verdict)
    )
    table = stats.ResultTable(
        f"Published numbers in {file.name}",
        ("verdict", "paper", "where", "what", "finding"),
        rows,
        (),
        tuple(checked_estimates(findings)),
    )
    lines, counts = [], []
    for verdict, heading in HEADINGS.items():
        found = of_verdict(findings, verdict)
        counts.append(f"{len(found)} {heading.lower()}")
        if found and (verdict != "agrees" or everything):
            lines += [f"{heading} ({len(found)})", *(f"- {each.sentence()}" for each in found), ""]
    lines.append(f"{len(findings)} checks: {', '.join(counts)}.")
    write_result(table, text="\n".join(lines), **output)
