"""One fit on several devices: a process each, and an average of their gradients.

The fit is the one of a single process. Every batch is that of its order, and each process takes a
part of it, augmented as it is in the whole; parts count by their number of examples, so that the
averaged gradient is the batch's. Validation is split by batches and gathered, so that one process
scores it in its order; it alone writes. What differs is the order of sums, what dropout draws, and
a loss that is no mean over examples (class weights that are divided by their own sum, say): its
parts are averaged, as those of batches that are accumulated.

Statistics of batches are those of all processes on GPUs (SyncBatchNorm); on a CPU they cannot be,
and the fit stays in one process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.utils.data import Sampler

from cardio_core.compute.devices import Device
from cardio_core.compute.processes import (
    ENVIRONMENT,
    keep_to_one_thread,
    leave_stopping_to_the_run,
    that_travels,
)
from cardio_core.training.attempt import Alone, Job
from cardio_core.training.examples import Batch
from cardio_core.training.loader import BatchSize, InOrder, Request, TrainingOrder
from cardio_core.training.module import COLUMNS, EpochKeeper, Trained, TrainingModule
from cardio_core.training.plan import FitPlan
from cardio_stats.errors import CardioError

# Whether a fit can be shared by several devices, and by how many.


def form(
    network: nn.Module, plan: FitPlan, device: Device
) -> tuple[Device, FitPlan, tuple[str, ...]]:
    """Return the device with those of its others that can help, the plan, and what to note."""
    n_requested = 1 + len(device.others)
    if (missing := why_alone(network, device)) is not None:
        alone = replace(device, others=())
        return alone, plan, (f"trained on one of {n_requested} devices: {missing}",)
    n_taken = min(n_requested, plan.batch_size)
    taken = replace(device, others=device.others[: n_taken - 1])
    if n_taken == 1:
        return taken, plan, (f"trained on one of {n_requested} devices: a batch is one example",)
    texts = [f"trained on {n_taken} devices at once, each with a share of every batch"]
    if plan.compile:
        plan = plan.model_copy(update={"compile": False})
        texts.append("trained without torch.compile: the fit is shared by several devices")
    return taken, plan, tuple(texts)


def why_alone(network: nn.Module, device: Device) -> str | None:
    """Return why a network cannot be trained on several devices, as a clause; None if it can.

    Examples
    --------
    >>> cpu = Device("cpu", None, "CPU", "32", "asked for")
    >>> why_alone(nn.BatchNorm1d(2), cpu)
    'batch normalisation over several processes works on GPUs only'
    """
    if sys.platform == "win32":
        return "sharing a fit is not tried on Windows"
    if not distributed.is_available():
        return "this torch was built without torch.distributed"
    network.train()  # layers that are frozen see to it that they stay in evaluation mode
    retained = [
        layer
        for layer in network.modules()
        if isinstance(layer, _NormBase) and layer.training and layer.track_running_stats
    ]
    of_batches = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    if device.kind == "cpu" and any(layer.training for layer in of_batches):
        return "batch normalisation over several processes works on GPUs only"
    if any(not isinstance(layer, _BatchNorm) for layer in retained):
        return "a layer keeps statistics that cannot be shared (instance normalisation)"
    return None


# What one of several processes that share a fit does otherwise than one that is alone.

_COME_TOGETHER = timedelta(minutes=10)
"""For all to have started; afterwards a process that ends is seen at once by the one that leads."""

Tell = Callable[[str, Any], None]


class Member(Alone):
    """One of `world` processes that share a fit; the one of rank 0 scores and writes.

    `meeting` is a file, made by none of them before, through which they find each other; `tell`
    sends a word and something beside it to the process that started them.
    """

    def __init__(self, rank: int, world: int, meeting: Path, tell: Tell) -> None:
        self.rank, self.world, self._meeting, self._tell = rank, world, meeting, tell
        self._group: Any = None

    def seed(self, seed: int) -> int:
        """Return another seed for each process: dropout must not repeat itself over a batch."""
        if self.rank == 0:
            return seed
        return int(np.random.SeedSequence((seed, self.rank)).generate_state(1)[0])

    def device(self, job: Job) -> Device:
        """Return one of those that share the fit."""
        return (job.device, *job.device.others)[self.rank]

    def module(self, *arguments: Any) -> TrainingModule:
        """Return what Lightning trains, with what all have found at the end of each epoch."""
        return SharedModule(self._group, *arguments)

    def keeper(self, *arguments: Any) -> EpochKeeper:
        """Return what keeps history and weights, or follows without writing."""
        return (
            _Lead(self._tell, *arguments) if self.rank == 0 else _Follower(self._tell, *arguments)
        )

    def of_training(self, order: TrainingOrder) -> Sampler[Request]:
        """Return this process's part of every batch."""
        return PartOfEach(order, self.rank, self.world)

    def of_validation(self, order: InOrder) -> Sampler[Request]:
        """Return every so-manieth batch, whole: its outputs are those of a process alone."""
        return EveryOther(order, self.rank, self.world)

    def place(self, job: Job) -> dict[str, Any]:
        """Let the processes meet; return what Lightning's trainer is told of where they run."""
        on_gpu = job.device.kind == "cuda"
        devices = (job.device, *job.device.others)
        if on_gpu:
            torch.cuda.set_device(self.device(job).torch_name)
        distributed.init_process_group(
            "nccl" if on_gpu else "gloo",
            init_method=f"file://{self._meeting}",
            rank=self.rank,
            world_size=self.world,
            timeout=_COME_TOGETHER,
        )
        # What is gathered at the end of an epoch lies in main memory, on every kind of device.
        self._group = distributed.new_group(backend="gloo")
        return {
            "accelerator": "cuda" if on_gpu else "cpu",
            "devices": [device.index or 0 for device in devices] if on_gpu else self.world,
            "sync_batchnorm": on_gpu,
            "strategy": DDPStrategy(
                process_group_backend="nccl" if on_gpu else "gloo",
                # Buffers are the same everywhere, and validation is of uneven length.
                broadcast_buffers=False,
                # A part of a network that a batch does not use is left as it is.
                find_unused_parameters=True,
            ),
        }


class PartOfEach(Sampler[Request]):
    """One process's part of every batch; the parts of all are the batch.

    In a batch of fewer examples than processes some have none of their own: they compute one that
    another has, and count it as nothing, because all must compute for their gradients to meet.

    Examples
    --------
    >>> from cardio_core.training.loader import BatchSize
    >>> both = [PartOfEach(TrainingOrder(5, BatchSize(4, 4), 0), rank, 2) for rank in (0, 1)]
    >>> [[(item.part, item.share) for item in part] for part in both]
    [[((0, 2), 1.0), ((0, 1), 0.0)], [((2, 4), 1.0), ((0, 1), 2.0)]]
    """

    def __init__(self, order: TrainingOrder, rank: int, world: int) -> None:
        self.order, self.rank, self.world = order, rank, world

    def __len__(self) -> int:
        return len(self.order)

    def set_epoch(self, epoch: int) -> None:
        """Take the order of that epoch; Lightning calls this before each."""
        self.order.set_epoch(epoch)

    def __iter__(self) -> Iterator[Request]:
        for request in self.order:
            n = len(request.indices)
            first, last = (n * place // self.world for place in (self.rank, self.rank + 1))
            # Gradients are averaged over processes, whatever the sizes of the parts.
            share = request.share * self.world * (last - first) / n
            part = (first, last) if last > first else (0, 1)
            yield replace(request, part=part, share=share)


class EveryOther(Sampler[Request]):
    """One process's batches of those that are validated, dealt out in turn."""

    def __init__(self, order: InOrder, rank: int, world: int) -> None:
        self.order, self.rank, self.world = order, rank, world

    def __len__(self) -> int:
        return len(range(self.rank, len(self.order), self.world))

    def __iter__(self) -> Iterator[Request]:
        for number, request in enumerate(self.order):
            if number % self.world == self.rank:
                yield request


class SharedModule(TrainingModule):
    """A training run in one of several processes, `group` of them for what is gathered."""

    def __init__(self, group: Any, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._group = group
        # With fewer batches to validate than processes, some validate none.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        if self.average is not None:
            self.average.requires_grad_(False)

    def training_step(self, item: tuple[Batch, float], index: int) -> Tensor:
        """Return the weighted loss; one that counts as nothing is none of the epoch's."""
        loss = super().training_step(item, index)
        if item[1] == 0:
            self._train_losses.pop()
        return loss

    def close_epoch(self) -> None:
        """Gather what all have computed; the first computes losses and score, and tells them."""
        retained = (_on_cpu(self._train_losses), _on_cpu(self._val_losses))
        own = (*retained, self._outputs, self._targets)
        self._val_losses, self._outputs, self._targets = [], [], []
        first = distributed.get_rank() == 0
        parts: list[Any] | None = [None] * distributed.get_world_size() if first else None
        distributed.gather_object(own, parts, dst=0, group=self._group)
        if parts is not None:
            self._train_losses = [loss for part in parts for loss in part[0]]
            self._val_losses, self._outputs, self._targets = (
                _dealt_back([part[place] for part in parts]) for place in (1, 2, 3)
            )
            super().close_epoch()
        found = [(self.train_loss, self.val_loss, self.val_score)]
        distributed.broadcast_object_list(found, src=0, group=self._group)
        self.train_loss, self.val_loss, self.val_score = found[0]


def _on_cpu(losses: list[tuple[Tensor, int]]) -> list[tuple[Tensor, int]]:
    return [(loss.float().cpu(), n) for loss, n in losses]


def _dealt_back(hands: list[list[Any]]) -> list[Any]:
    """Return what was dealt out in turn in its first order.

    Examples
    --------
    >>> _dealt_back([["a", "c"], ["b"]])
    ['a', 'b', 'c']
    """
    n = sum(len(hand) for hand in hands)
    return [hands[place % len(hands)][place // len(hands)] for place in range(n)]


class _Lead(EpochKeeper):
    """The keeper of rank 0: what it would tell goes to the process that started it."""

    def __init__(self, tell: Tell, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tell = tell
        self._progress = lambda *news: tell("epoch", (news, self.history[-1]))

    def on_exception(
        self, trainer: Trainer, module: LightningModule, exception: BaseException
    ) -> None:
        """Say it before Lightning tidies up, for which it might wait for the others."""
        self._tell("failed", exception)


class _Follower(_Lead):
    """The keeper of the others: it decides alike and writes nothing."""

    def __init__(self, tell: Tell, *arguments: Any) -> None:
        super().__init__(tell, *arguments)
        self._progress = None

    def _save(self, fit: TrainingModule) -> None:
        pass

    def _write_history(self) -> None:
        pass


# The life of one process that shares a fit with others.

START = "from cardio_core.training.distributed import main; main()"


def main() -> None:
    """Read a share of a fit from standard input, do it, and tell on standard output how it went."""
    leave_stopping_to_the_run(int(sys.argv[1]))
    channel = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # whatever is printed is no message
    texts: list[str] = []

    def tell(word: str, value: Any) -> None:
        if texts:
            return  # the rest follows from what has ended it
        if word == "failed":
            word, value = _failure(value)
        if word != "epoch":
            texts.append(word)
        channel.send((word, value))

    try:
        tell("kept", _work(tell))
    except BaseException as error:
        tell("failed", error)
    channel.close()
    os._exit(0)  # taking leave of each other can take longer than the fit


def _work(tell: Any) -> Any:
    with Connection(os.dup(0), writable=False) as channel:
        path, rank, world, meeting = channel.recv()
        sys.path[:] = path
        keep_to_one_thread()
        job, batch = channel.recv()
    from cardio_core.training.attempt import attempt

    return attempt(job, batch, Member(rank, world, Path(meeting), tell))


def _failure(error: BaseException) -> tuple[str, Any]:
    from cardio_core.compute.resource_errors import is_out_of_memory

    if is_out_of_memory(error):
        return "kept", None
    found = that_travels(error if isinstance(error, Exception) else RuntimeError(repr(error)))
    found.add_note("".join(traceback.format_exception(error)))  # for --debug
    return "failed", found


# Starting the processes that share a fit, listening to them, and ending them together.

_EXPLAINS_S = 2.0
"""What one process ends with is often the death of another: so long the others are heard."""

# On one machine nobody else need reach them; gloo else asks for the address of the host's name.
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}


def attempt_together(job: Job, batch: BatchSize) -> Trained | None:
    """Train on the job's device and its others; return None where memory ran out on any.

    The network here stays as it is: the weights are in the file that is kept.

    Raises
    ------
    CardioError
        If the loss stops being finite, a process dies, or the job cannot be sent to one.
    Exception
        What failed first in any of them, with its traceback as a note.
    """
    retained = None
    meeting = Path(tempfile.mkdtemp(prefix="cardio-"))
    team = Team(1 + len(job.device.others))
    try:
        team.start(replace(job, progress=None, tracker=None), batch, meeting / "meeting")
        retained = team.listen(job)
    finally:
        team.end()
        shutil.rmtree(meeting, ignore_errors=True)
        if job.tracker is not None:
            job.tracker.close(done=retained is not None)
    if retained is None:
        team.explain()
    return retained


class Team:
    """So many processes, of which none outlives `end`."""

    def __init__(self, world: int) -> None:
        self.world = world
        self.processes: list[subprocess.Popen[bytes]] = []
        self._failed: list[tuple[int, str, Any]] = []

    def start(self, job: Job, batch: BatchSize, meeting: Path) -> None:
        """Start all with their share of the job."""
        from joblib.externals.loky.backend import reduction

        try:
            sent = reduction.dumps((job, batch))
        except Exception as error:
            raise CardioError(
                f"the fit cannot be shared by {self.world} devices: its network, examples or loss "
                f"cannot be sent to another process ({type(error).__name__}: {error}); "
                "use --devices 1",
                code="unsupported",
            ) from error
        environment = os.environ | ENVIRONMENT | {"TORCH_CPP_LOG_LEVEL": "ERROR"}
        if sys.platform in _LOOPBACK:
            environment |= {"GLOO_SOCKET_IFNAME": _LOOPBACK[sys.platform]}
        for rank in range(self.world):
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Lightning asks it who it is, and then starts no others.
                env=environment | {"LOCAL_RANK": str(rank)},
                start_new_session=True,  # so that it ends with those who make its batches
            )
            self.processes.append(process)
        for rank, process in enumerate(self.processes):
            assert process.stdin is not None  # noqa: S101  asked for above
            with (
                contextlib.suppress(BrokenPipeError),  # `listen` finds that it died
                Connection(os.dup(process.stdin.fileno()), readable=False) as channel,
            ):
                channel.send((sys.path, rank, self.world, str(meeting)))
                channel.send_bytes(sent)

    def listen(self, job: Job) -> Trained | None:
        """Pass on what is told, until the first has finished, or for a while after one failed."""
        speaking: dict[Any, int] = {}
        for rank, process in enumerate(self.processes):
            assert process.stdout is not None  # noqa: S101  asked for in `start`
            speaking[Connection(os.dup(process.stdout.fileno()), writable=False)] = rank
        channels = list(speaking)
        until: float | None = None
        try:
            while speaking and (until is None or time.monotonic() < until):
                left = None if until is None else max(0.0, until - time.monotonic())
                for channel in wait(list(speaking), left):
                    rank, word, value = speaking[channel], *_receive(channel)
                    if word == "epoch":
                        _pass_on(job, *value)
                        continue
                    if word == "kept" and rank == 0 and value is not None:
                        return value  # type: ignore[no-any-return]
                    del speaking[channel]
                    if word != "kept" or value is None:
                        self._failed.append((rank, word, value))
                        until = until or time.monotonic() + _EXPLAINS_S
        finally:
            for channel in channels:
                channel.close()
        return None

    def explain(self) -> None:
        """Return if memory ran out on any; raise what else ended the first and so the others."""
        if any(word == "kept" for _, word, _ in self._failed):
            return
        for rank, word, _ in self._failed:
            if word == "died":
                raise CardioError(
                    f"training on {self.world} devices: process {rank + 1} of {self.world} died "
                    f"(exit code {self.processes[rank].returncode}; out of memory is the usual "
                    "cause); use smaller batches or --devices 1",
                    code="memory",
                )
        raise self._failed[0][2]

    def end(self) -> None:
        """Kill what still runs, those who make batches included."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()


def _receive(channel: Any) -> tuple[str, Any]:
    try:
        word, value = channel.recv()
    except (EOFError, OSError):
        return "died", None
    return word, value


def _pass_on(job: Job, news: tuple[Any, ...], row: dict[str, Any]) -> None:
    """Tell what watches the fit of an epoch."""
    if job.tracker is not None:
        job.tracker.log(news[0], {name: row[name] for name in COLUMNS[1:]})
    if job.progress is not None:
        job.progress(*news)
