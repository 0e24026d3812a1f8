"""Read a YAML of published numbers, check each, and say in words what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

import cardio_stats.forensics.counts as auc
import cardio_stats.forensics.counts as counts
import cardio_stats.forensics.performance as performance
import cardio_stats.forensics.ratios as ratios
import cardio_stats.forensics.tests as tests
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.forensics.checks import ACCUSING, VERDICTS, Finding, Part, Verdict
from cardio_stats.serialization import MalformedError, parse_yaml

AnyCheck = Annotated[
    tests.CountsP | tests.MeansP | tests.Chi2P | tests.Screening | tests.NoneSignificant
    | ratios.CountsOddsRatio | ratios.OddsRatioSearch | ratios.RatioOrDifference
    | performance.Accuracy | performance.Share | performance.AtLeast | performance.SimpleRule
    | performance.FoldSpread | auc.BinormalAuc | auc.AucInterval | auc.Quantiles | auc.ConstantMae
    | performance.Discordant | performance.AllCorrect | performance.Counted
    | counts.SameNumber | counts.Arithmetic | counts.AtMost | counts.LargerThan | counts.Nyquist
    | counts.WindowLength | counts.Resolution,
    Field(discriminator="check"),
]  # fmt: skip
"""Every kind of check; the field ``check`` says which."""


class Paper(Part):
    """A paper and the checks of its numbers.

    Attributes
    ----------
    id, title : str
    checks : sequence of checks
    """

    id: str
    title: str = ""
    checks: tuple[AnyCheck, ...]


class PublishedNumbers(Part):
    """The whole file: ``papers`` is its only heading."""

    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class PaperFinding:
    """A finding with its place.

    Attributes
    ----------
    paper, where, name, because, cause : str
    finding : Finding
    """

    paper: str
    where: str
    name: str
    because: str
    cause: str
    finding: Finding

    def statement(self) -> str:
        """Return the finding in words, with what we make of it."""
        reading = f" Our reading: {self.because}" if self.because else ""
        return f"{self.finding.sentence}{reading}"

    def sentence(self) -> str:
        """Return the finding in words, with its place."""
        place = ", ".join(part for part in (self.paper, self.where) if part)
        return f"{place}: {self.name}: {self.statement()}"


def read_published(path: Path) -> PublishedNumbers:
    """Read and validate a YAML of published numbers.

    Raises
    ------
    DataError
        No such file, no YAML, or a field that the schema does not allow; the first is named.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: expected a YAML file, found none ({error.strerror})", code="missing"
        ) from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: expected text in UTF-8, found another encoding") from None
    except MalformedError as error:
        raise DataError(
            f"{path}: expected YAML, found something else ({error})", code="damaged"
        ) from None
    return parse_published(content, str(path))


def parse_published(content: Any, source: str) -> PublishedNumbers:
    """Validate published numbers that have been read already."""
    try:
        published = TypeAdapter(PublishedNumbers).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top"
        message = " ".join(first["msg"].split()).removeprefix("Value error, ")
        more = f" (the first of {error.error_count()})" if error.error_count() > 1 else ""
        raise DataError(f"{source}: at {place}: {message}{more}; correct it") from None
    if not any(paper.checks for paper in published.papers):
        raise DataError(f"{source}: expected at least one check of a paper, found none; add one")
    return published


def run_checks(published: PublishedNumbers) -> list[PaperFinding]:
    """Run every check, in the order of the file.

    Raises
    ------
    DataError
        Numbers on which a check cannot be computed, with their place.
    """
    found = []
    for paper in published.papers:
        for check in paper.checks:
            try:
                finding = check.judged()
            except DataError as error:
                raise DataError(f"{paper.id}, {check.where}, {check.name}: {error}") from None
            found.append(
                PaperFinding(paper.id, check.where, check.name, check.because, check.cause, finding)
            )
    return found


def checked_estimates(findings: Iterable[PaperFinding]) -> list[Estimate]:
    """Return every check as an estimate, followed by the numbers behind it.

    A check's value is 1 where its numbers are impossible, unlikely or not reproduced, and 0 where
    they are in order; its note is the finding in words.
    """
    listed = []
    for found in findings:
        subject = f"{found.paper}: {found.name}"
        verdict = found.finding.verdict
        listed.append(
            Estimate(
                f"{verdict}[{subject}]",
                float(verdict in ACCUSING),
                method="arithmetic of published numbers",
                n=1,
                unit="check",
                note=found.sentence(),
            )
        )
        listed += [
            estimate.replace(name=f"{estimate.name}[{subject}]")
            for estimate in found.finding.estimates
        ]
    return listed


# Findings that one cause explains, listed together.


@dataclass(frozen=True, slots=True)
class Grouped:
    """A finding, or several with one cause.

    Attributes
    ----------
    paper : str
    cause : str
        Empty where there is one finding.
    verdict : Verdict
        The gravest of its findings.
    findings : tuple of PaperFinding
    """

    paper: str
    cause: str
    verdict: Verdict
    findings: tuple[PaperFinding, ...]


def grouped(findings: Iterable[PaperFinding]) -> list[Grouped]:
    """Put findings of one paper and cause together, in the order of their first.

    What is in order stays by itself: nothing needs to explain it.
    """
    groups: dict[tuple[str, str], list[PaperFinding]] = {}
    for i, found in enumerate(findings):
        own = not found.cause or found.finding.verdict == "agrees"
        groups.setdefault((found.paper, f"\0{i}" if own else found.cause), []).append(found)
    return [
        Grouped(
            paper,
            members[0].cause if len(members) > 1 else "",
            min((each.finding.verdict for each in members), key=VERDICTS.index),
            tuple(members),
        )
        for (paper, _), members in groups.items()
    ]
