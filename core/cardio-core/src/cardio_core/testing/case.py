"""What is checked: one plugin, or one of its tasks on its synthetic cohort."""

from __future__ import annotations

import os
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar, overload
from unittest import mock

from cardio_core.registry import Plugin, open_plugin, resolve
from cardio_core.runner import run as runs
from cardio_core.runner.fits import FoldJob, jobs_of
from cardio_core.runner.request import Protocols, RunRequest
from cardio_core.runner.run import run
from cardio_core.runner.setup import open_with_defaults
from cardio_core.testing.driving import Bench, patients_of, set_up_bench
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import PluginInfo, Task
from cardio_core.types.samples import Cohort
from cardio_stats.errors import CardioError

# A check is a function that raises; a verdict is what came of it, in one readable sentence.

Check = Callable[[Any], None]
"""Takes a `PluginCase` or a `TaskCase`. Its name is the verdict's, its docstring says why."""


class BrokenContractError(AssertionError):
    """A plugin breaks its contract; the message says what was found and what to do."""


class NotReachedError(BrokenContractError):
    """What a check needs has failed before; `cause` is what that check found."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"not checked: {cause}")
        self.cause = cause


class NotCheckedError(Exception):
    """A check cannot be made of this plugin; the message says what it lacks. It is no pass."""


class ContractWarning(UserWarning):
    """What a plugin's author should look at, though there may be a reason for it."""


@dataclass(frozen=True)
class Verdict:
    """What one check found.

    Attributes
    ----------
    name : str
        What must hold, as a sentence without its stop.
    task : str or None
        Of which task; None of the plugin as a whole.
    passed : bool
        Whether it holds.
    text : str
        One sentence: why it matters where it holds, else what was found and what to do.
    seconds : float
        How long it took.
    advised : bool
        Whether it holds, and `text` is what to look at all the same.
    cause : str
        What an earlier check found, because of which this one was not reached; empty otherwise.
    checked : bool
        False where the plugin lacks what the check needs; `text` is then what that is, and `passed`
        is False.
    """

    name: str
    task: str | None
    passed: bool
    text: str
    seconds: float
    advised: bool = False
    cause: str = ""
    checked: bool = True

    @property
    def failed(self) -> bool:
        """Whether it was checked and does not hold."""
        return self.checked and not self.passed


def require(holds: object, message: str) -> None:
    """Raise BrokenContractError with the message unless something holds.

    Unlike `assert` it cannot be switched off.
    """
    if not holds:
        raise BrokenContractError(message)


def advise(message: str) -> None:
    """Warn of what may be meant; no check fails of it."""
    warnings.warn(message, ContractWarning, stacklevel=3)


def name_of(check: Check) -> str:
    """Return what a check requires, as a sentence.

    Examples
    --------
    >>> def models_hold_no_pickle(case): ...
    >>> name_of(models_hold_no_pickle)
    'Models hold no pickle'
    """
    words = check.__name__.replace("_", " ")
    return words[0].upper() + words[1:]


def judge(check: Check, case: Any, task: str | None = None) -> Verdict:
    """Run one check and say what came of it; only an interruption goes through."""
    begin = time.perf_counter()
    why = " ".join((check.__doc__ or "").split("\n\n")[0].split())
    advice = cause = ""
    checked = True
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", ContractWarning)
            check(case)
        for item in heard:
            if issubclass(item.category, ContractWarning):
                advice = str(item.message)
            else:
                warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
        passed, text = True, advice or why
    except NotCheckedError as error:
        passed, text, checked = False, " ".join(str(error).split()), False
    except (BrokenContractError, CardioError) as error:
        passed, text = False, " ".join(str(error).split())
        cause = " ".join(error.cause.split()) if isinstance(error, NotReachedError) else ""
    except (Exception, SystemExit) as error:
        passed, text = False, _unexpected(error)
    took = time.perf_counter() - begin
    advised = passed and bool(advice)
    return Verdict(
        name_of(check), task, passed, text, took, advised=advised, cause=cause, checked=checked
    )


def _unexpected(error: BaseException) -> str:
    """Return what an exception says and the last line outside core and Python that it came by."""
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not _is_ours(Path(frame.filename))]
    last = (foreign or frames)[-1]
    text = " ".join(str(error).split()) or "no message"
    return (
        f"{type(error).__name__}: {text} ({Path(last.filename).name}, line {last.lineno}, in "
        f"{last.name}); raise DataError where a recording cannot be used, else mend it"
    )


def _is_ours(file: Path) -> bool:
    """Whether a file is the core's or Python's, not a plugin's or a library's."""
    python = Path(traceback.__file__).parent
    core = Path(__file__).parents[1]
    library = file.is_relative_to(python) and not file.is_relative_to(python / "site-packages")
    return library or file.is_relative_to(core)


Made = TypeVar("Made")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """How a plugin is checked; the attributes of `PluginContract` and `PluginTruth`.

    Attributes
    ----------
    config : str
        Configuration by name, laid over the default; ``smoke`` where the plugin has one.
    sets : mapping of task to tuple of str
        Settings as `--set` takes them, for tasks that need smaller sizes still.
    n_patients : int
        Patients of the synthetic cohort.
    protocol : {"both", "honest", "paper"}
        What the finished run is made of; ``both`` is ``honest`` where there is no ``paper``.
    n_checked : int
        Patients whose features are made repeatedly; four at most are drawn repeatedly.
    score_tolerance : float
        How far a score may move with the company in which it is predicted (rounding in a batch).
    permutations : sequence of int
        Seeds of the permutations of labels; the more, the sharper.
    planted : mapping of task to float, or None
        The concordance (AUC) that the first model of each task must reach on the synthetic cohort,
        out of fold. None asks only for more than chance would give.
    """

    config: str = "smoke"
    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    n_patients: int = 12
    protocol: Protocols = "both"
    n_checked: int = 6
    score_tolerance: float = 1e-5
    permutations: Sequence[int] = (0, 1, 2)
    planted: Mapping[str, float] | None = None


class _Once(Generic[Made]):
    """An attribute that is made when it is first asked for; a failure is kept, too."""

    def __init__(self, make: Callable[[Any], Made]) -> None:
        self.make, self.__doc__ = make, make.__doc__

    @overload
    def __get__(self, case: None, owner: type) -> _Once[Made]: ...
    @overload
    def __get__(self, case: Any, owner: type) -> Made: ...
    def __get__(self, case: Any, owner: type) -> Made | _Once[Made]:
        if case is None:
            return self
        name = self.make.__name__
        cache = case.__dict__.setdefault("_kept", {})
        if isinstance(cache.get(name), _Failed):
            raise NotReachedError(cache[name].reason)
        if name not in cache:
            try:
                cache[name] = self.make(case)
            except NotReachedError:
                raise
            except Exception as error:
                cache[name] = _Failed(" ".join(str(error).split()) or type(error).__name__)
                raise
        made: Made = cache[name]
        return made


@dataclass(frozen=True)
class _Failed:
    reason: str


class PluginCase:
    """One plugin, by the name of its entry point, opened as the runner opens it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @_Once
    def opened(self) -> Plugin:
        """With the core's default hooks behind its own."""
        return open_with_defaults(self.name)

    @property
    def info(self) -> PluginInfo:
        """Its constant INFO."""
        return self.opened.info


class TaskCase(PluginCase):
    """One task of a plugin on its synthetic cohort, with everything that checks look at.

    It works in `folder`, which is empty; `tell` takes a line of progress before something that
    takes long.
    """

    def __init__(
        self, name: str, task: str, folder: Path, sizes: Sizes, tell: Tell = lambda _: None
    ) -> None:
        super().__init__(name)
        self.task_name, self.folder, self.sizes, self.tell = task, folder.resolve(), sizes, tell
        self._jobs: dict[Path, list[FoldJob]] = {}

    @property
    def task(self) -> Task:
        """What it says of the task."""
        return self.info.task(self.task_name)

    def empty(self, name: str) -> Path:
        """Return a path in the working folder that nothing has yet."""
        taken = sum(path.name.startswith(name) for path in self.folder.iterdir())
        return self.folder / f"{name}-{taken}"

    def synthesize(self, task: str, *, n_patients: int, seed: int) -> Path:
        """Write a synthetic cohort into a new folder and return it."""
        folder = self.empty(f"data-{task}")
        folder.mkdir()
        resolve(self.info.synthesize)(folder, task=task, n_patients=n_patients, seed=seed)
        return folder

    @_Once
    def data(self) -> Path:
        """The folder of its synthetic cohort."""
        self.tell(f"drawing a synthetic cohort of {self.sizes.n_patients} patients")
        return self.synthesize(self.task_name, n_patients=self.sizes.n_patients, seed=0)

    @_Once
    def request(self) -> RunRequest:
        """The request for a run of the task on its synthetic cohort."""
        return RunRequest(
            plugin=self.name,
            task=self.task_name,
            data=(self.data,),
            config=self.sizes.config,
            sets=tuple(self.sizes.sets.get(self.task_name, ())),
            protocol=self.sizes.protocol,
            device="cpu",
            executor="local:1",
        )

    @_Once
    def bench(self) -> Bench:
        """The task, set up over its synthetic cohort, with nothing run yet."""
        return set_up_bench(self.request)

    @_Once
    def cohort(self) -> Cohort:
        """The synthetic cohort, loaded."""
        return self.bench.load()

    @property
    def checked(self) -> list[str]:
        """The patients whose features are made again and again; a few are enough."""
        return patients_of(self.cohort)[: self.sizes.n_checked]

    @_Once
    def features(self) -> dict[str, FeatureSet]:
        """Their features, made in the usual order."""
        return self.bench.features(self.cohort, self.checked)

    @_Once
    def finished(self) -> Path:
        """A finished run; what the task needs is made first, on its own synthetic cohort."""
        self.tell("running the task")
        return self.run(self.request.protocol)

    @_Once
    def honest_run(self) -> Path:
        """A run under the honest protocol."""
        return self.finished if self.request.protocol == "honest" else self.run("honest")

    @property
    def fits(self) -> list[FoldJob]:
        """The plugin's own fits of the finished run's honest folds, none that was left out."""
        require(self.finished.exists(), "the run is gone")
        return [
            replace(job, pulse=None) for job in self._jobs[self.finished]
            if job.protocol == "honest" and job.test.size and not (job.core_owned or job.members)
            and (job.out / "artifact").exists()
        ]  # fmt: skip

    def run(self, protocol: Protocols) -> Path:
        """Run the task into a new folder and return it."""
        request = replace(self.request, out=self.empty("run"), protocol=protocol)
        made: list[FoldJob] = []

        def noted(*arguments: Any) -> list[FoldJob]:
            jobs = jobs_of(*arguments)
            made.extend(jobs)
            return jobs

        with mock.patch.object(runs, "jobs_of", noted):
            out = run(request, lambda _: None)
        # A run that this one needs lies inside it, and its fits are another task's.
        self._jobs[out] = [job for job in made if job.out.is_relative_to(out / "models")]
        return out


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """Use a cache of the checks' own inside, so that nothing is found that they did not make."""
    with mock.patch.dict(os.environ, CARDIO_CACHE=str(folder)):
        yield


def all_tasks(plugin: str) -> tuple[str, ...]:
    """Return the names of a plugin's tasks."""
    return tuple(task.name for task in open_plugin(plugin).info.tasks)
