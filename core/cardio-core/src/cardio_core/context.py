"""The one small object that every hook is given."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cardio_core.errors import ConfigError, ContractError, DataError, LeakageError
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind, Severity
from cardio_core.types.redaction import without_names
from cardio_core.types.samples import Quarantined
from cardio_stats.files import SafeName, inside

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike
    from torch import nn

    from cardio_core.compute.devices import Device
    from cardio_core.training.engine import Fitted
    from cardio_core.training.examples import Examples
    from cardio_core.training.loggers import Tracking
    from cardio_core.training.module import Loss, ParameterGroups, Score
    from cardio_core.training.plan import FitPlan

    Network = TypeVar("Network", bound=nn.Module)

LOG = logging.getLogger("cardio")

_WITHOUT_NOTES = ("preprocess", "featurize", "predict")

EPOCHS_SET = Note(
    NoteKind.EPOCHS_SET,
    "Every epoch of the schedule was trained: the validation patients are too few to choose "
    "(inner.patients_for_epochs).",
)
"""What a fit notes whose validation set only watches it."""


@dataclass(frozen=True)
class Context:
    """Where a hook stands: task, model, fold, device, and the few services it may use.

    Attributes
    ----------
    task : Task
        What is being predicted.
    hook : str
        Name of the hook that is being called.
    mode : {"fit", "predict"}
        `predict` means new patients through ``models/final``: no targets exist.
    measuring : bool
        Whether `cardio measure` asks: blocks that only a model works on may be left out.
    protocol : str or None
        ``"honest"`` or ``"paper"``; None where it does not matter.
    model : str or None
        The model that is being fitted.
    fold : str or None
        ``"r0-f3"``, ``"final"``; None outside the folds.
    seed : int
        The run's seed; use `rng(name)` rather than this.
    device : Device or None
        Where networks run.
    cache : Path or None
        Directory for derived files that may be made again; None in `preprocess` and `featurize`.
    epochs : int or None
        Number of epochs that inner folds chose, for a fit without validation.
    choose_epochs : bool
        Whether the validation set is large enough to choose the epoch; `fit` then only watches it
        and keeps the last one. See `inner.patients_for_epochs`.
    strict : bool
        Whether the first bad recording stops the run.
    outcome : str or None
        Column of the cohort table that the user wants predicted in place of the task's own target;
        `load` then returns no targets but the table, from which the core takes them.
    progress : callable or None
        Takes a few words on what a long fit is doing, for the display; `fit` tells its epochs.

    Examples
    --------
    >>> from cardio_core.api import Task
    >>> ctx = Context(Task("t", "Title", "patient", (), ()), seed=7)
    >>> ctx.seed_of("noise") == ctx.replace(device=None).seed_of("noise")
    True
    """

    task: Task
    hook: str = ""
    mode: Literal["fit", "predict"] = "fit"
    measuring: bool = False
    protocol: str | None = None
    model: str | None = None
    fold: str | None = None
    seed: int = 0
    device: Device | None = None
    cache: Path | None = None
    epochs: int | None = None
    choose_epochs: bool = True
    strict: bool = False
    outcome: str | None = None
    progress: Callable[[str], None] | None = None
    _out: Path | None = None
    _inputs: tuple[Path, ...] = ()
    _option_files: Mapping[str, Path] = field(default_factory=dict)
    _facts: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)
    _needs: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    _tested: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    _quarantined: list[Quarantined] = field(default_factory=list)
    _warned: list[Note] = field(default_factory=list)
    _tracking: Tracking | None = None

    def replace(self, **changes: Any) -> Context:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @property
    def out(self) -> Path:
        """Directory that `train` fills; refused to every other hook."""
        if self._out is None:
            raise ContractError(f"{self.hook or 'a hook'} has no directory to fill; only train has")
        return self._out

    def inside(self, name: str) -> Context:
        """Return this context with a folder inside `out` to fill, for one of several fits.

        The folder is called ``SafeName(name)``.
        """
        folder = inside(self.out, self.out / SafeName(name))
        folder.mkdir(parents=True, exist_ok=True)
        return self.replace(_out=folder)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that the model predicts, the one that inner folds score first."""
        return self.task.targets_of(self.model)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files and folders that `load` is to read; refused to every other hook.

        A hook that could open the cohort table could read labels it may not see.
        """
        self._only_in_load("the input files")
        return self._inputs

    def option_file(self, name: str) -> Path | None:
        """Return the file that ``--NAME FILE`` gave with the one recording.

        The task declares the name (`Task.options`); None where the option was not given.
        As with `inputs`, only `load` may ask. The file is then among the recording's files of the
        cohort, so that features made without it are not taken from the cache.
        """
        self._only_in_load(f"the file {name!r}")
        return self._option_files.get(name)

    def stated(self, path: Path) -> Mapping[str, str]:
        """Return what a person states of a file of the inputs (``--facts FILE``), by `Fact.name`.

        As with `inputs`, only `load` may ask.
        """
        self._only_in_load("what is stated of the input files")
        return self._facts.get(path.resolve(), {})

    def _only_in_load(self, what: str) -> None:
        if self.hook != "load":
            raise ContractError(
                f"{self.hook} asked for {what}; only load may read them, so that no other hook "
                "can see a label"
            )

    def rng(self, name: str) -> np.random.Generator:
        """Return the random generator of that name: same seed, place and name, same numbers.

        A place is a model on a fold. The protocol is no part of it: where both split alike, they
        draw alike, so that no difference between them is one of chance.
        """
        import numpy as np

        place = (self.fold, self.model, name)
        digest = hashlib.sha256(repr((self.seed, place)).encode()).digest()
        return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))

    def seed_of(self, name: str) -> int:
        """Return an integer seed for libraries that want one."""
        return int(self.rng(name).integers(2**31 - 1))

    def quarantine(self, recording_id: str, reason: str | DataError, *files: Path) -> None:
        """Set one recording aside with its reason; the run goes on without it.

        The names of `files` are taken out of the reason: people are named in them. An error is
        its own reason.
        """
        text = without_names(str(reason), files)
        code = reason.code if isinstance(reason, DataError) else "unusable"
        self._quarantined.append(Quarantined(recording_id, self.hook, text, files, code))

    @contextmanager
    def reading(self, recording_id: str, *files: Path) -> Iterator[None]:
        """Let whatever goes wrong while one recording is read set that recording aside.

        Parameters
        ----------
        recording_id : str
        *files : Path
            The recording's: their names are taken out of the reason, because people are named in
            them.

        Examples
        --------
        In ``load``, of one recording after another::

            with ctx.reading(name, path):
                found.append(read_header(path))
        """
        try:
            yield
        except (ConfigError, ContractError, LeakageError):
            raise
        except Exception as error:
            from cardio_core.types.redaction import unreadable

            found = unreadable(error, files)
            self.quarantine(
                recording_id, found if isinstance(found, DataError) else str(found), *files
            )

    def warn(self, kind: str, text: str) -> None:
        """Say what a reader of the report should know before the numbers.

        It stands among the warnings at the head of the page, and among the notes.

        Parameters
        ----------
        kind : str
            What programs go by, one word of small letters, digits and underscores.
        text : str
            For people: a sentence or two; no patient identifiers.

        Raises
        ------
        ContractError
            In a hook that sees single recordings; those carry flags (`FeatureSet.table`).

        Examples
        --------
        >>> from cardio_core.api import Task
        >>> ctx = Context(Task("t", "Title", "patient", (), ()), hook="train", model="net")
        >>> ctx.warn("not_pretrained", "Not pretrained: started from random weights.")
        >>> [note.kind for note in ctx.warnings]
        ['not_pretrained']
        """
        if self.hook in _WITHOUT_NOTES:
            raise ContractError(
                f"{self.hook} called ctx.warn, but is called for single patients; give the "
                "recording a flag, or warn in load, train, explain or evaluate"
            )
        self._warned.append(Note(kind, text, self.model, Severity.WARNING))

    @property
    def warnings(self) -> tuple[Note, ...]:
        """What the hook has warned of so far; the core adds it to the notes of its result."""
        return tuple(self._warned)

    def log(self, message: str) -> None:
        """Write one line to the run's log; no patient identifiers."""
        LOG.info(message, extra={"hook": self.hook, "model": self.model, "fold": self.fold})

    def need(self, task: str, model: str | None = None) -> ModelArtifact:
        """Return the artifact of an earlier task that this task declared to need.

        Parameters
        ----------
        task : str
            The earlier task.
        model : str, optional
            Which of its models; its first one if not given. No matter where a file of weights
            stands in for the task (``needs.TASK.instead``): the artifact's path is that file.

        Raises
        ------
        ContractError
            If the task did not declare the need, or not for this model; if it was skipped; for new
            patients, unless it was declared with ``for_new=True``.
        DataError
            If the earlier run has no such model.
        """
        self._require_declared(task)
        if task not in self._needs:
            raise ContractError(
                f"{self.hook or 'a hook'} asked for the need {task!r}, it is not here; it was "
                "skipped (needs.TASK.skip), the hook is not train or predict, or it is not kept "
                "for new patients (declare it with for_new=True)"
            )
        models = self._needs[task]
        if "*" in models:
            return ModelArtifact(models["*"])
        if model is not None and model not in models:
            raise DataError(
                f"model {self.model!r} starts from model {model!r} of task {task!r}, but that run "
                f"has {', '.join(models)}; run {task} with models=[{model}], or leave it out"
            )
        return ModelArtifact(models[model or next(iter(models))])

    def has_need(self, task: str) -> bool:
        """Whether `need` has the artifact: an optional need may have been skipped."""
        return task in self._needs

    def out_of_fold(self, task: str, target: str | None = None) -> pd.DataFrame:
        """Return what an earlier task on the same patients predicted out of fold.

        Every unit was predicted by a model that had not seen its patient, so the table may filter
        or sort samples, those of training among them, without telling anything of the tested. Only
        a plan with a declared overlap, which no honest protocol has, breaks that.

        Parameters
        ----------
        task : str
            An earlier task that this one needs of the ``same`` patients.
        target : str, optional
            Which of its targets; may be left out where its first model predicts only one.

        Returns
        -------
        DataFrame
            Of the task's first model, in this protocol and repeat: one row a unit, indexed by its
            id (a recording, say), with its ids and the score columns ``score:CLASS`` or ``score``.
            Patients whom no fold of that run tested are not in it.

        Raises
        ------
        ContractError
            If there is no such need or target, if the target has to be named, or for new patients,
            whom no fold has tested: put them through the model of `need` instead.

        See Also
        --------
        need
        """
        import pandas as pd

        from cardio_core.io.store import load_table

        self._require_declared(task)
        if task not in self._tested:
            raise ContractError(
                f"{self.hook or 'a hook'} asked for out-of-fold predictions of {task!r}; there "
                "are some only in training and testing, of a task needed of the same patients"
            )
        files = {path for folder in self._tested[task] for path in folder.glob("predictions-*.npz")}
        names = sorted({path.name for path in files})
        requested = SafeName(f"predictions-{target}", ".npz") if target else "".join(names[:1])
        if requested not in names or (not target and len(names) > 1):
            known = [name.removeprefix("predictions-").removesuffix(".npz") for name in names]
            raise ContractError(
                f"{self.hook or 'a hook'} asked for out-of-fold predictions of "
                f"{f'target {target!r}' if target else 'the only target'} of {task!r}, whose first "
                f"model predicted {', '.join(known) or 'none'}; name one of these"
            )
        table = pd.concat([load_table(folder / requested) for folder in self._tested[task]])
        return table.set_index("unit_id", drop=False)

    def _require_declared(self, task: str) -> None:
        declared = [need.task for need in self.task.needs]
        if task not in declared:
            needed = ", ".join(declared) or "nothing"
            raise ContractError(
                f"task {self.task.name!r} needs {needed}; {task!r} is to be declared"
            )
        if self.model and task not in [need.task for need in self.task.needs_of([self.model])]:
            raise ContractError(
                f"model {self.model!r} asked for the need {task!r}, which was declared for other "
                f"models; add it to models=(...) of Need({task!r})"
            )

    def fit(
        self,
        network: Network,
        training: Examples,
        validation: Examples | None,
        *,
        plan: FitPlan,
        loss: Loss,
        score: Score | None = None,
        weights: ArrayLike | None = None,
        parameter_groups: ParameterGroups | None = None,
    ) -> Fitted[Network]:
        """Train a network with the engine that all plugins share.

        The arguments and the result are those of `cardio_core.training.engine.fit`; device,
        precision, seed, epochs, whether validation chooses them and the directory come from this
        context.
        """
        from cardio_core.training.engine import fit

        if self.device is None:
            raise ContractError(f"{self.hook} cannot fit: it has no device; fit in train")
        fitted = fit(
            network,
            training,
            validation,
            loss=loss,
            score=score,
            plan=plan,
            device=self.device,
            seed=self.seed_of("fit"),
            out=self.out,
            epochs=self.epochs if validation is None else None,
            choose=self.choose_epochs,
            weights=weights,
            parameter_groups=parameter_groups,
            progress=self._epoch_done,
            log=self.log,
            tracking=self._tracking
            and self._tracking.of_fit(self.task.name, self.model, self.protocol, self.fold),
        )
        if validation is None or self.choose_epochs:
            return fitted
        return replace(fitted, notes=(*fitted.notes, EPOCHS_SET))

    def score_with(self, network: nn.Module, examples: Examples, *, batch_size: int = 256) -> Any:
        """Run a network over examples in batches on this context's device."""
        from cardio_core.compute.devices import choose_device
        from cardio_core.training.prediction import predict

        device = self.device or choose_device("cpu")
        return predict(network, examples, device=device, batch_size=batch_size, log=self.log)

    def load_backbone(
        self, network: nn.Module, path: Path, *, own: tuple[str, ...] | None = None
    ) -> list[str]:
        """Start a network from a safetensors file with torchvision's keys; return those copied.

        `own` are beginnings of the keys that stay as they are: the classifier, usually. See
        `cardio_core.training.pretrained.load_backbone`.
        """
        from cardio_core.training.pretrained import OWN, load_backbone

        return load_backbone(network, path, own=OWN if own is None else own)

    def _epoch_done(
        self,
        epoch: int,
        n_epochs: int,
        train_loss: float,
        val_score: float | None,
        seconds_left: float,
    ) -> None:
        score = "" if val_score is None else f", validation score {val_score:.4g}"
        left = f", {seconds_left:.0f} s left"
        self.log(f"epoch {epoch}/{n_epochs}: training loss {train_loss:.4g}{score}{left}")
        if self.progress is not None:
            self.progress(f"epoch {epoch} of {n_epochs}")
