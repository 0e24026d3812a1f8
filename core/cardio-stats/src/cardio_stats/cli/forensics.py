"""`cardio stats forensics`."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cardio_stats as stats
from cardio_stats.cli.options import takes, write_result

if TYPE_CHECKING:
    from cardio_stats.forensics.checks import Verdict
    from cardio_stats.forensics.papers import Grouped

HEADINGS: dict[Verdict, str] = {
    "impossible": "Impossible: not all of these numbers can be right",
    "unlikely": "Unlikely under a stated model",
    "not reproduced": "Not reproduced from what is printed",
    "note": "Worth knowing",
    "agrees": "In order",
}


@click.command()
@takes("plain file")
@click.option("--all", "everything", is_flag=True, help="List what is in order too.")
@takes("output")
def forensics(file: Path, everything: bool, **output: Any) -> None:
    """Check the published numbers in FILE (YAML), and say what they cannot be.

    Exits with 0 whatever is found. docs/forensics/papers.yaml is an example.
    """
    from cardio_stats.forensics.papers import checked_estimates, grouped, read_published, run_checks

    findings = run_checks(read_published(file))
    groups = sorted(grouped(findings), key=lambda each: list(HEADINGS).index(each.verdict))
    table = stats.ResultTable(
        f"Published numbers in {file.name}",
        ("verdict", "paper", "where", "what", "finding", "by hand", "one finding with"),
        tuple(
            (each.finding.verdict, each.paper, each.where, each.name, each.statement(),
             each.finding.by_hand, group.cause)
            for group in groups
            for each in group.findings
        ),
        (),
        tuple(checked_estimates(findings)),
    )  # fmt: skip
    lines, counts = [], []
    for verdict, heading in HEADINGS.items():
        found = [group for group in groups if group.verdict == verdict]
        counts.append(f"{len(found)} {heading.partition(':')[0].lower()}")
        if found and (verdict != "agrees" or everything):
            lines += [f"{heading} ({len(found)})", *chain(*map(_lines, found)), ""]
    text = "; findings of one cause count once" if len(groups) < len(findings) else ""
    lines.append(f"{len(findings)} checks: {', '.join(counts)}{text}.")
    write_result(table, text="\n".join(lines), **output)


def _lines(group: Grouped) -> list[str]:
    """Return a finding and its arithmetic, or a cause with its findings below it."""
    lines = [f"- {group.paper}: {group.cause}:"] if group.cause else []
    dash, margin = ("  - ", "    ") if group.cause else ("- ", "  ")
    for found in group.findings:
        place = [part for part in (found.where, found.name) if part]
        under = ": ".join([*place, found.statement()])
        lines.append(dash + (under if group.cause else found.sentence()))
        if found.finding.by_hand:
            lines.append(f"{margin}By hand: {found.finding.by_hand}.")
    return lines
