"""The beginning of a run: its directory, its first manifest, its log."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cardio_core.config import dump_yaml
from cardio_core.context import LOG
from cardio_core.io.cohort import shown_of
from cardio_core.io.hashing import digest
from cardio_core.io.places import without_places
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.synthetic import difficulty_of, is_synthetic
from cardio_core.runner.contract import contract_of
from cardio_core.runner.manifest import Manifest, first_entries, now
from cardio_core.runner.provenance import NotTheSameError, ground_of
from cardio_core.runner.request import RunRequest
from cardio_core.runner.resume import guard_ground, tolerated_note
from cardio_core.runner.setup import Setup
from cardio_stats.files import write_text


def default_out(setup: Setup, parent: str = "runs") -> Path:
    """Return a folder named after plugin, task and time."""
    stamp = now().replace(":", "").replace("-", "")[:15]
    return Path(parent) / f"{setup.plugin.info.name}-{setup.task.name}-{stamp}"


def guard_same(out: Path, request: RunRequest, setup: Setup) -> tuple[Manifest, list[str]] | None:
    """Return the run that `out` holds, and what is tolerated of it now; None where it holds none.

    Raises
    ------
    NotTheSameError
        If that is another run than this one, or would go on with other code.
    """
    if not (out / "manifest.json").exists():
        return None
    manifest = Manifest.open(out)
    kind = manifest.content.get("kind", RunKind.RUN)
    if kind != RunKind.RUN:
        raise NotTheSameError(f"{out}: holds no run, but a folder that is {kind}; name another")
    now = ground_of(request, setup)
    tolerated = guard_ground(
        out, manifest.content, setup, now, identity=_identity(request, setup), seed=request.seed
    )
    return manifest, tolerated_note(tolerated)


def _identity(request: RunRequest, setup: Setup) -> str:
    requested = {
        "config": dump_yaml(setup.config),
        "task": setup.task.name,
        "protocols": setup.protocols,
        "models": setup.models,
        "primary": setup.primary,
        "seed": request.seed,
    }
    return digest(requested)


def begin(out: Path, request: RunRequest, setup: Setup, inputs: Sequence[Path]) -> Manifest:
    """Make the run directory, or open the one that is to be resumed.

    Raises
    ------
    NotTheSameError
        If the folder holds another run than this one.
    """
    path = out / "manifest.json"
    if begun := guard_same(out, request, setup):
        manifest, notes = begun
        known = manifest.content.get("tolerated", ())
        manifest.update(tolerated=list(dict.fromkeys([*known, *notes])))
        return manifest
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "config.yaml", dump_yaml(setup.config))
    info = setup.plugin.info
    device = setup.devices[0]
    real = request.data and not any(map(is_synthetic, inputs))
    manifest = Manifest(path, {})
    manifest.update(
        **first_entries(
            RunKind.RUN,
            out.name,
            request.command,
            plugin=info.name,
            plugin_version=setup.plugin.version,
            task=setup.task.name,
            task_title=setup.task.title,
            papers=list(info.papers),
            protocols=list(setup.protocols),
            models=list(setup.models),
            model_titles={model.name: model.title for model in setup.task.models},
            baselines=[model.name for model in setup.task.models if model.baseline],
            primary=setup.primary,
            targets=[vars(target) for target in setup.task.targets],
            outcome_column=setup.config.outcome.column,
            words=dict(info.words),
            config_digest=_identity(request, setup),
            seed=request.seed,
            device={
                "name": device.name,
                "reason": device.reason,
                "precision": device.precision,
                "n": len(setup.devices),
            },
            stands_on=ground_of(request, setup),
            contract=contract_of(setup.plugin, setup.task.name),
            data={
                "source": "real" if real else "synthetic",
                "path_shown": shown_of(inputs),
                "difficulty": None if real else ", ".join(filter(None, map(difficulty_of, inputs))),
            },
            messages=list(setup.messages),
        )
    )
    return manifest


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object a line."""
        row = {
            "time": now(),
            "level": record.levelname.lower(),
            "message": without_places(record.getMessage()),
        }
        for key in ("hook", "model", "fold"):
            if getattr(record, key, None):
                row[key] = getattr(record, key)
        return json.dumps(row)


class _Log(logging.FileHandler):
    """A log that keeps silent where it cannot be written: what the run writes next says why."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Print no traceback."""

    def close(self) -> None:
        """Let go of what cannot be written any more."""
        with suppress(OSError):
            super().close()


def log_to(out: Path) -> logging.Handler:
    """Write the run's log as JSON lines, without patient identifiers."""
    handler = _Log(out / "log.jsonl", encoding="utf-8")
    handler.setFormatter(_JsonLines())
    LOG.setLevel(logging.INFO)
    LOG.disabled = False  # as whatever configured logging before may have left it
    LOG.propagate = False
    LOG.addHandler(handler)
    return handler
