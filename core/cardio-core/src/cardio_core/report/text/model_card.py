"""The model card of a run's final model (Mitchell et al. 2019), on the page and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.hashing import directory_digest
from cardio_core.io.run_artifact import RunArtifact
from cardio_core.report.text.answer import answer
from cardio_core.report.text.checklists import evidence
from cardio_core.report.text.methods import limits
from cardio_core.report.text.ranking import title_of
from cardio_stats.files import write_text

FILE = "model_card.md"
AUTHORS = "For the authors."
FINAL = Path("models") / "final"


@dataclass(frozen=True)
class Section:
    """A heading and its sentences."""

    heading: str
    sentences: tuple[str, ...]


def model_card(files: RunArtifact) -> tuple[Section, ...]:
    """Return the sections of the card; what a run cannot know is left to the authors by name."""
    known, report, manifest = evidence(files), answer(files), files.manifest
    leading = manifest.primary or next(iter(manifest.models), "")
    versions = [
        f"{name} {version}"
        for name, version in (("cardio-core", manifest.core_version),
                              (manifest.plugin or "plugin", manifest.plugin_version))
        if version
    ]  # fmt: skip
    final = digest_of_final(files.folder)
    sections = (
        ("Model", (f"“{title_of(files, leading)}”." if leading else AUTHORS,
                   f"Versions: {', '.join(versions)}." if versions else "",
                   f"SHA-256 over models/final: {final}." if final else "")),
        ("Intended use", (report.question, "Research only: it is no medical device. Who should use "
                          "it, on whom and to decide what is for the authors to say.")),
        ("Factors", (_first_large(known.get("subgroups", "no subgroup was evaluated")),
                     "Which groups matter is for the authors to say.")),
        ("Metrics", (known.get("statistics", ""), _first_large(known.get("choice", "")))),
        ("Data for training and evaluation", (_first_large(known.get("source", "")),
                                              known.get("participants", ""),
                                              known.get("outcome", ""))),
        ("Results", report.found),
        ("Warnings", (*report.warnings, *report.more)),
        ("Limits", limits(files)),
        ("Ethical considerations", (AUTHORS,)),
        ("Reproduction", (known.get("software", ""), known.get("settings", ""))),
    )  # fmt: skip
    made = (Section(head, tuple(map(_sentence, filter(None, text)))) for head, text in sections)
    return tuple(section for section in made if section.sentences)


def digest_of_final(run: Path) -> str | None:
    """Return the SHA-256 over the final models' files and their names, None where there are none.

    A model that is changed by one byte has another digest.
    """
    folder = run / FINAL
    holds = folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))
    return directory_digest(folder) if holds else None


def write_card(run: Path, sections: tuple[Section, ...], title: str) -> None:
    """Write the card as ``model_card.md``."""
    parts = [f"# Model card: {title}"]
    for section in sections:
        parts.append(f"## {section.heading}")
        parts.append("\n".join(f"- {sentence}" for sentence in section.sentences))
    parts.append("After Mitchell M et al. Model cards for model reporting. FAT* 2019:220.")
    write_text(run / FILE, "\n\n".join(parts) + "\n")


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
