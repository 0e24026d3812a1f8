"""Jobs are spread over workers and devices; failures arrive as what they are.

Job functions are nested so that they travel by value: workers cannot import this test module.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from cardio_core.compute.devices import Device
from cardio_core.compute.executors import LocalExecutor, SerialExecutor, parse_executor
from cardio_core.testing import refuses
from cardio_core.testing.searching import HUNG_AFTER_S
from cardio_stats.errors import CardioError, ConfigError

from .jobs import ONE_CPU, TWO_CPUS, threads, waiter


@pytest.fixture(scope="module")
def pool():
    with LocalExecutor(2) as executor:
        yield executor


def test_two_workers_use_both_devices_and_keep_the_order_of_jobs(pool, tmp_path):
    results = pool.map(waiter(str(tmp_path), 6), range(6), devices=TWO_CPUS)
    assert [number for number, _, _ in results] == list(range(6))
    pids = {pid for _, _, pid in results}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_device_goes_to_the_next_job_when_it_is_free(pool, tmp_path):
    results = pool.map(waiter(str(tmp_path), 6), range(6), devices=TWO_CPUS)
    held = results[0][1]
    assert {device for _, device, _ in results[1:]} == {1 - held}


def test_two_jobs_never_share_a_device_at_the_same_time(pool, tmp_path):
    def job(folder, device):
        import os
        import time

        lock = os.path.join(folder, str(device.index))  # noqa: PTH118
        os.mkdir(lock)  # noqa: PTH102  fails where another job holds the device
        time.sleep(0.03)
        os.rmdir(lock)  # noqa: PTH106

    pool.map(job, [str(tmp_path)] * 8, devices=TWO_CPUS)


def test_results_are_told_as_they_arrive(pool, tmp_path):
    told = []
    results = pool.map(waiter(str(tmp_path), 4), range(4), on_done=told.append)
    assert sorted(told) == results
    assert told[-1][0] == 0


def test_jobs_without_devices_are_called_with_the_job_alone(pool):
    assert pool.map(lambda job: job * 10, [1, 2, 3]) == [10, 20, 30]


def test_no_jobs_give_no_results(pool):
    assert pool.map(waiter("unused", 1), [], devices=TWO_CPUS) == []


@pytest.mark.parametrize("executor", [SerialExecutor(), LocalExecutor(2)])
def test_every_job_has_one_thread_whatever_the_user_set(executor, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with executor:
            for devices in (None, TWO_CPUS):
                found = executor.map(threads(), [0, 1], devices=devices)
                assert found == [({1}, "PASSIVE")] * 2
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_a_worker_imports_no_torch_by_itself():
    def job(_, device):
        return "torch" in sys.modules

    with LocalExecutor(2) as executor:
        assert executor.map(job, [0, 1], devices=TWO_CPUS) == [False, False]


def test_fewer_devices_than_workers_are_shared(pool, tmp_path):
    results = pool.map(waiter(str(tmp_path), 3), range(3), devices=ONE_CPU)
    assert {device for _, device, _ in results} == {None}
    assert len({pid for _, _, pid in results}) == 2


def machine(monkeypatch, *, cores, memory):
    monkeypatch.setattr("cardio_core.compute.executors.cpu_count", lambda: cores)
    monkeypatch.setattr("cardio_core.compute.executors.memory_limit", lambda: memory)


@pytest.mark.parametrize(
    ("cores", "memory", "devices", "n_processes"),
    [
        (3, None, ONE_CPU, 3),
        (3, None, None, 3),
        (3, None, TWO_CPUS, 2),  # as many as the user asked for
        (64, 2 * 2**30, ONE_CPU, 2),  # no more than fit into memory
    ],
)
def test_local_without_a_number_starts_one_process_a_core(
    cores, memory, devices, n_processes, monkeypatch, tmp_path
):
    machine(monkeypatch, cores=cores, memory=memory)
    with LocalExecutor() as executor:
        results = executor.map(waiter(str(tmp_path), 6), range(6), devices=devices)
    pids = {pid for _, _, pid in results}
    assert os.getpid() not in pids
    assert 1 < len(pids) <= n_processes


def test_a_gpu_has_one_process(monkeypatch, tmp_path):
    machine(monkeypatch, cores=3, memory=None)
    gpus = [Device("cuda", 0, "NVIDIA A100", "32", "test")]
    with LocalExecutor() as executor:
        results = executor.map(waiter(str(tmp_path), 1), [1, 2], devices=gpus)
    assert results == [(1, 0, os.getpid()), (2, 0, os.getpid())]


def test_one_job_needs_no_process_of_its_own(tmp_path):
    with LocalExecutor(2) as executor:
        assert executor.map(waiter(str(tmp_path), 1), [1]) == [(1, None, os.getpid())]


def test_workers_stay_although_the_libraries_that_they_load_take_memory():
    pytest.importorskip("psutil")  # without it nothing looks at their memory

    def job(n_bytes):
        import builtins
        import os
        import time

        builtins.loaded = b"x" * n_bytes
        time.sleep(1.1)  # their memory is looked at once a second
        return os.getpid()

    with LocalExecutor(2) as executor:
        first, _, third = (set(executor.map(job, [n] * 2)) for n in (0, 400 * 2**20, 0))
    assert first == third


@pytest.mark.parametrize("executor", [SerialExecutor(), LocalExecutor(1)])
def test_one_worker_runs_in_this_process(executor, tmp_path):
    results = executor.map(waiter(str(tmp_path), 2), [1, 2], devices=TWO_CPUS[:1])
    assert results == [(1, 0, os.getpid()), (2, 0, os.getpid())]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_error_of_a_job_arrives_as_itself(n_workers):
    def job(number):
        from cardio_stats.errors import DataError

        raise DataError(f"record {number}: expected 2 leads, found 1")

    with LocalExecutor(n_workers) as executor, pytest.raises(CardioError) as caught:
        executor.map(job, [7])
    assert caught.value.exit_code == 3
    assert str(caught.value) == "record 7: expected 2 leads, found 1"


def test_an_error_that_cannot_travel_arrives_with_its_name_and_words():
    def job(number):
        class Unusual(Exception):  # noqa: N818
            def __init__(self, first, second):
                super().__init__(f"{first} and {second}")

        raise Unusual("this", "that")

    with (
        LocalExecutor(2) as executor,
        refuses(CardioError, "Unusual"),
    ):
        executor.map(job, [1, 2])


def test_an_error_does_not_wait_for_the_other_jobs():
    limit_s = HUNG_AFTER_S

    def job(number):
        import time

        if number == 0:
            raise ValueError("at once")
        time.sleep(limit_s)

    started = time.monotonic()
    with LocalExecutor(2) as executor, pytest.raises(ValueError, match="at once"):
        executor.map(job, [1, 0])
    assert time.monotonic() - started < limit_s


def test_a_killed_worker_is_reported_as_memory_and_the_executor_still_works():
    def job(number):
        import os
        import signal

        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with LocalExecutor(2) as executor:
        with refuses(CardioError, "SIGKILL", "--executor local:1", code="memory"):
            executor.map(job, [0, 1])
        assert executor.map(job, [2, 3]) == [2, 3]


def test_memory_that_runs_out_within_a_worker_is_reported_as_memory():
    def job(number):
        raise MemoryError

    with LocalExecutor(2) as executor, refuses(CardioError, code="memory"):
        executor.map(job, [0, 1])


def test_ctrl_c_stops_the_workers(tmp_path):
    script = tmp_path / "spread.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, pathlib, signal, time
            from cardio_core.compute.executors import LocalExecutor

            # Whoever starts the tests in the background hands down an ignored signal.
            signal.signal(signal.SIGINT, signal.default_int_handler)

            def job(number):
                pathlib.Path(r"{tmp_path}", f"worker{{number}}").write_text(str(os.getpid()))
                time.sleep({2 * HUNG_AFTER_S})

            if __name__ == "__main__":
                LocalExecutor(2).map(job, [0, 1])
            """
        ),
        encoding="utf-8",
    )
    run = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    try:
        pids = [_eventually(lambda n=n: _number_in(tmp_path / f"worker{n}")) for n in (0, 1)]
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=HUNG_AFTER_S)
    finally:
        run.kill()
    assert b"KeyboardInterrupt" in said
    assert _eventually(lambda: not any(_alive(pid) for pid in pids))


def test_a_worker_ends_whose_run_was_gone_before_it_began():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    begun = "from cardio_core.compute.processes import leave_stopping_to_the_run as begin"
    waiting = f"{begun}; import time; begin({gone.pid}); time.sleep({2 * HUNG_AFTER_S})"
    done = subprocess.run([sys.executable, "-c", waiting], timeout=HUNG_AFTER_S, check=False)
    assert done.returncode == 120


def _number_in(path):
    return int(path.read_text() or 0) if path.exists() else 0


def _eventually(truth, seconds=HUNG_AFTER_S):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := truth():
            return found
        time.sleep(0.05)
    raise AssertionError("it never happened")


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("text", ["", "local:", "local:x", "local:-1", "slurm", "dask", "dask:"])
def test_an_unknown_executor_is_refused(text):
    with refuses(ConfigError, "--executor", "ADDRESS"):
        parse_executor(text)


def test_no_workers_are_refused():
    with refuses(ConfigError, "--executor local:N", "1", "0"):
        parse_executor("local:0")
