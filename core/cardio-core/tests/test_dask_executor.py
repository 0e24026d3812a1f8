"""The executor that hands its jobs to a Dask cluster: two workers of this machine."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from cardio_core.compute.executors import parse_executor
from cardio_core.testing import refuses
from cardio_core.testing.searching import HUNG_AFTER_S
from cardio_stats.errors import CardioError, ConfigError

from .jobs import ONE_CPU, TWO_CPUS, threads, waiter


def test_without_dask_the_message_says_how_to_install_it_from_the_checkout(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with refuses(ConfigError, "--executor dask", "./core/cardio-core[dask]", code="not_installed"):
        parse_executor("dask:tcp://localhost:8786")


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, worker_dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_dask_cluster_runs_jobs_on_both_workers_and_devices(cluster, tmp_path):
    told = []
    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        results = executor.map(
            waiter(str(tmp_path), 6), range(6), devices=TWO_CPUS, on_done=told.append
        )
    assert [number for number, _, _ in results] == list(range(6))
    assert {device for _, device, _ in results} == {0, 1}
    assert len({pid for _, _, pid in results}) == 2
    assert sorted(told) == results


def test_dask_workers_have_one_thread_too(cluster):
    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        assert executor.map(threads(), [0], devices=ONE_CPU) == [({1}, "PASSIVE")]


def test_an_error_on_a_dask_cluster_arrives_as_itself(cluster):
    def job(number):
        from cardio_stats.errors import DataError

        raise DataError("record 7: expected 2 leads, found 1")

    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        with pytest.raises(CardioError, match="record 7") as caught:
            executor.map(job, [1])
        assert caught.value.exit_code == 3


def test_a_worker_that_lacks_something_is_named_before_any_job(cluster):
    def lacks():
        return "the folder of the run is not there; share it"

    with (
        parse_executor(f"dask:{cluster.scheduler_address}") as executor,
        refuses(ConfigError, "--executor dask", "the folder of the run"),
        executor.requiring(lacks),
    ):
        pytest.fail("nobody lacks anything")


def test_a_worker_that_joins_later_says_what_it_lacks_when_it_begins(cluster, tmp_path):
    def lacks():
        return "other code" if (tmp_path / "later").exists() else ""

    def another():  # has not been asked before the job
        return lacks() and "other code"

    address = f"dask:{cluster.scheduler_address}"
    with parse_executor(address) as executor, executor.requiring(lacks):
        assert executor.map(lambda n: n + 1, [1, 2]) == [2, 3]
        executor._checks = (("another", another),)
        (tmp_path / "later").touch()
        with refuses(ConfigError, "tcp", "other code"):
            executor.map(lambda n: n + 1, [1])


def test_workers_with_several_threads_are_refused_with_the_command_that_mends_it(
    cluster, monkeypatch
):
    several = {"tcp://10.0.0.7:4001": {"nthreads": 16}}
    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        monkeypatch.setattr(executor, "_workers", lambda: several)
        expected = r"worker tcp://10\.0\.0\.7:4001 has 16 threads.*--nworkers N --nthreads 1"
        with pytest.raises(ConfigError, match=expected), executor.requiring(lambda: ""):
            pytest.fail("they were taken")


def test_the_job_of_a_worker_that_is_killed_is_done_by_another(cluster, tmp_path):
    def job(number):
        mark = tmp_path / f"{number}"
        if number == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * 10

    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        assert executor.map(job, range(5)) == [0, 10, 20, 30, 40]


def test_a_result_that_dies_with_its_worker_is_computed_again(cluster, tmp_path):
    def job(number):
        (tmp_path / f"{number}").touch()
        return number * 10

    done = []

    def kill_the_workers(result):
        done.append(result)
        if len(done) > 1:
            return
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        time.sleep(0.2)  # the scheduler and the client hear of the second result
        workers = executor._client.run(os.getpid)
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not workers.keys() & executor._workers().keys())

    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        assert executor.map(job, range(2), on_done=kill_the_workers) == [0, 10]
    assert sorted(done) == [0, 10]


def wait_until(condition):
    give_up = time.monotonic() + HUNG_AFTER_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_what_runs_on_a_cluster_ends_with_the_run(cluster, tmp_path):
    def job(number):
        if number == 1:
            while not (tmp_path / "0").exists():
                time.sleep(0.05)
            raise ValueError("stop")
        try:
            (tmp_path / "0").touch()
            while True:
                time.sleep(0.05)
        finally:
            (tmp_path / "ended").touch()

    with parse_executor(f"dask:{cluster.scheduler_address}") as executor:
        with pytest.raises(ValueError, match="stop"):
            executor.map(job, [0, 1])
        assert executor.map(lambda n: n + 1, [1, 2, 3]) == [2, 3, 4]
    for _ in range(200):
        if (tmp_path / "ended").exists():
            return
        time.sleep(0.05)
    pytest.fail("the job went on")


def test_a_dask_scheduler_must_be_spoken_to_as_dask_is_configured():
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    dask = pytest.importorskip("dask", reason="the extra [dask] is not installed")
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        refuses(ConfigError, "127.0.0.1:9", code="network"),
    ):
        parse_executor("dask:tcp://127.0.0.1:9")


def test_a_dask_scheduler_that_does_not_answer_is_a_configuration_error(monkeypatch):
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    monkeypatch.setattr("cardio_core.compute.executors._CONNECT_S", 1)
    with refuses(ConfigError, "127.0.0.1:9", code="network") as caught:
        parse_executor("dask:tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)
