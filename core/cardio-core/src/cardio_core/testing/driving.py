"""A plugin's hooks, driven as the runner does: one at a time, or in a whole run."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
import numpy as np

from cardio_core.compute.devices import choose_device
from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.io.store import cache_dir
from cardio_core.registry import Plugin
from cardio_core.runner import protocols
from cardio_core.runner.fits import open_artifact
from cardio_core.runner.hook_calls import call
from cardio_core.runner.prepare import MadePatient, Prepared, load_cohort, make_patient, prepare
from cardio_core.runner.request import Protocols, RunRequest
from cardio_core.runner.run import run
from cardio_core.runner.setup import set_up
from cardio_core.types.features import FeatureSet, concatenate
from cardio_core.types.info import Task
from cardio_core.types.predictions import Predictions
from cardio_core.types.samples import Cohort
from cardio_core.types.targets import Targets
from cardio_stats.errors import CardioError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Bench:
    """One task of a plugin, set up over some data, with nothing run yet."""

    plugin: Plugin
    task: Task
    config: RunConfig
    ctx: Context

    def load(self) -> Cohort:
        """Call `load`."""
        return load_cohort(self.plugin, self.config, self.ctx)[0]

    def over(self, data: Path) -> Bench:
        """Return the same bench over other data."""
        return replace(self, ctx=self.ctx.replace(_inputs=(data.resolve(),)))

    def make(self, cohort: Cohort, patient: str) -> MadePatient:
        """Put one patient through `preprocess` and `featurize`, as a run does."""
        owners = cohort.samples.table["patient_id"].to_numpy()
        samples = cohort.samples.take(np.flatnonzero(owners == patient))
        files = [file for name in samples.table.index for file in cohort.files[name]]
        return make_patient(self.plugin, self.config, self.ctx, samples, files)

    def features(self, cohort: Cohort, patients: Iterable[str]) -> dict[str, FeatureSet]:
        """Make the features of these patients, in this order.

        A patient of whom nothing is usable is left out.
        """
        made = {patient: self.make(cohort, patient).features for patient in patients}
        return {patient: value for patient, value in made.items() if value is not None}

    def together(self, cohort: Cohort) -> FeatureSet:
        """Make the features of everybody, in one set."""
        return concatenate(list(self.features(cohort, patients_of(cohort)).values()))

    def predict(self, run: Path, model: str, features: FeatureSet) -> Predictions:
        """Call `predict` with the final model of a run."""
        ctx = self.ctx.replace(mode="predict", model=model, fold="final", _inputs=())
        artifact = open_artifact(run / "models" / "final" / model)
        predictions: Predictions = call(
            self.plugin, "predict", ctx, self.config, model=artifact, features=features
        )
        return predictions


def run_plugin(
    plugin: str,
    task: str,
    data: Path,
    out: Path,
    *,
    config: str = "smoke",
    sets: Sequence[str] = (),
    protocol: Protocols = "honest",
    seed: int = 0,
    needs_from: Mapping[str, Path] | None = None,
) -> Path:
    """Run one task on some data on the CPU, in this process, and return the run directory.

    Parameters
    ----------
    plugin, task : str
        What to run.
    data : Path
        Folder or cohort table, as `--data` takes it.
    out : Path
        Run directory to make.
    config, protocol, seed
        As the options of `cardio run`.
    sets : sequence of str
        Settings, each as `--set` takes it.
    needs_from : mapping of task to Path, optional
        Finished runs of needed tasks.
    """
    request = RunRequest(
        plugin=plugin,
        task=task,
        data=(data,),
        config=config,
        sets=tuple(sets),
        needs_from=needs_from or {},
        protocol=protocol,
        seed=seed,
        device="cpu",
        executor="local:1",
        out=out,
    )
    return run(request, lambda _: None)


def plugin_bench(
    plugin: str, task: str, data: Path, *, config: str = "smoke", sets: Sequence[str] = ()
) -> Bench:
    """Set one task up over some data on the CPU, under the protocol ``honest``; nothing is run."""
    return set_up_bench(
        RunRequest(
            plugin=plugin, task=task, data=(data,), config=config, sets=tuple(sets),
            protocol="honest",
            device="cpu", executor="local:1", out=data / "unused",
        )
    )  # fmt: skip


def set_up_bench(request: RunRequest) -> Bench:
    """Set up the plugin, task, configuration and context of a request."""
    setup = set_up(request)
    protocol = setup.protocols[0]
    ctx = Context(
        setup.task,
        protocol=protocol,
        seed=request.seed,
        device=setup.devices[0],
        cache=cache_dir(),
        _inputs=tuple(path.resolve() for path in request.data),
    )
    return Bench(setup.plugin, setup.task, setup.config.for_protocol(protocol), ctx)


def patients_of(cohort: Cohort) -> list[str]:
    """Return the patients of a cohort, sorted."""
    return sorted(set(cohort.samples.table["patient_id"]))


@contextmanager
def permuted_labels(seed: int) -> Iterator[None]:
    """Let every run inside train and test on labels that were dealt out anew.

    Whoever carries a label (patients, studies, recordings) gets that of another; the labels of
    events are shuffled over all events. Everything downstream of `load` is what it always is.
    """

    def prepare_and_permute(*arguments: Any) -> Prepared:
        prepared = prepare(*arguments)
        targets = permuted(prepared.cohort.targets, seed)
        return replace(prepared, cohort=replace(prepared.cohort, targets=targets))

    with mock.patch.object(protocols, "prepare", prepare_and_permute):
        yield


def permuted(targets: Targets, seed: int) -> Targets:
    """Return the targets with their rows dealt out anew; times and recordings of events stay."""
    table = targets.table
    retained = [name for name in ("recording_id", "time_s") if name in table.columns]
    labels: Sequence[str] = [name for name in table.columns if name not in retained]
    order = np.random.default_rng(seed).permutation(len(table))
    dealt = table.copy()
    dealt[labels] = table[labels].to_numpy()[order]
    return replace(targets, table=dealt.astype(table.dtypes.to_dict()))


def training_context(task: Task, model: str, out: Path | None = None, **others: Any) -> Context:
    """Return the context in which `train` fits one model of one fold on the CPU.

    Parameters
    ----------
    task : Task
        What is being predicted.
    model : str
        Which of its models.
    out : Path, optional
        The directory that `train` fills.
    **others
        More of `Context`'s attributes.

    Examples
    --------
    >>> from cardio_core.api import Model, Target, Task
    >>> task = Task("t", "A task", "study", (Target("y", "binary", ("no", "yes")),),
    ...             (Model("m", "A model"),))
    >>> ctx = training_context(task, "m", seed=3)
    >>> ctx.model, ctx.hook, ctx.seed, ctx.device.kind
    ('m', 'train', 3, 'cpu')
    """
    places: dict[str, Any] = {"hook": "train", "protocol": "honest", "fold": "r0-f0", "_out": out}
    return Context(task, model=model, device=choose_device("cpu"), **(places | others))


def drawn_svg(draw: Callable[[Figure], None]) -> str:
    """Return a figure of a report as the report would hold it.

    Examples
    --------
    >>> "a word" in drawn_svg(lambda figure: figure.text(0.5, 0.5, "a word") and None)
    True
    """
    from cardio_stats.figures import svg_text

    return svg_text(draw)


# The command line, called in the test's own process: what a user would type and be told.


@dataclass(frozen=True)
class Result:
    """What a command answered.

    Attributes
    ----------
    exit_code : int
        0 where all went well.
    stdout, stderr : str
        What it wrote.
    code : str
        The kind of the error that ended it (`cardio_stats.errors.Code`); empty without one.
    """

    exit_code: int
    stdout: str
    stderr: str
    code: str = ""

    @property
    def json(self) -> Any:
        """What was written to `stdout`, as JSON."""
        return json.loads(self.stdout)


def call_cardio(*words: object, folder: Path | None = None) -> Result:
    """Run ``cardio`` with these words, as in a shell, but without the seconds that imports take.

    Parameters
    ----------
    *words : object
        Commands, options and arguments; each becomes a string.
    folder : Path, optional
        Where it is run; by default where the test is.

    Returns
    -------
    Result

    Examples
    --------
    >>> call_cardio("plugins", "lst").stderr.splitlines()[-1]
    "Error: no command 'lst'; did you mean 'list'?"
    """
    (installed,) = entry_points(group="console_scripts", name="cardio")
    main = installed.load()
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["cardio", *map(str, words)]),
        contextlib.chdir(folder or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status: int | str | None = 0
        error: BaseException | None = None
        try:
            main()
        except SystemExit as stop:
            status, error = stop.code, stop.__context__
    if isinstance(status, str):  # as the interpreter does with what is no number
        err.write(f"{status}\n")
        status = 1
    code = error.code if isinstance(error, CardioError) else ""
    return Result(status or 0, out.getvalue(), err.getvalue(), code)


def every_command() -> dict[str, click.Command]:
    """Return the commands by the words that call them, groups too; ``cardio`` alone is ``""``.

    Examples
    --------
    >>> sorted(name for name in every_command() if name.startswith("plugins"))
    ['plugins', 'plugins check', 'plugins info', 'plugins list', 'plugins new']
    """
    (installed,) = entry_points(group="console_scripts", name="cardio")
    group = sys.modules[installed.load().__module__].cardio
    return dict(_below("", group, click.Context(group, info_name="cardio")))


def _below(
    words: str, command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        if (found := command.get_command(context, name)) is not None:
            inner = click.Context(found, info_name=name, parent=context)
            yield from _below(f"{words} {name}".strip(), found, inner)
