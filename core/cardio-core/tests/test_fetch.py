"""Fetching, against a server on the loopback device of this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cardio_core.io.datasets import PublicDataset, fetch_dataset, read_sums
from cardio_core.testing import refuses
from cardio_stats.errors import CardioError, DataError

RECORD = bytes(range(256)) * 1200  # more than one block of a transfer
HEADER = b"100 1 360 650000\n"


class Shelf(ThreadingHTTPServer):
    """A server with a few files and the faults that real ones have."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = {"100.hea": HEADER, "more/100.dat": RECORD}
        self.sums: bytes | None = None
        self.breaks: dict[str, list[int]] = {}
        self.redirects: dict[str, str] = {}
        self.statuses: dict[str, list[int]] = {}
        self.resumes = True
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/set/"

    def content(self, name: str) -> bytes | None:
        if name == "SHA256SUMS.txt":
            lines = [f"{hashlib.sha256(c).hexdigest()} {n}\n" for n, c in self.files.items()]
            return "".join(lines).encode() if self.sums is None else self.sums
        return self.files.get(name)


class _Answer(BaseHTTPRequestHandler):
    server: Shelf

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        shelf = self.server
        name = self.path.removeprefix("/set/")
        wanted = self.headers.get("Range")
        shelf.asked.append((name, wanted))
        content = shelf.content(name)
        if name in shelf.redirects:
            self.send_response(302)
            self.send_header("Location", shelf.redirects[name])
            self.end_headers()
            return
        if shelf.statuses.get(name):
            self.send_error(shelf.statuses[name].pop(0))
            return
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and shelf.resumes else 0
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        until = shelf.breaks[name].pop(0) if shelf.breaks.get(name) else len(content)
        self.wfile.write(content[start:until])


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Shelf()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def dataset_on(shelf: Shelf, **changes: object) -> PublicDataset:
    base = PublicDataset(
        "set", "1.0.0", "A set", "records", 1, "CC BY 4.0", ("Moody 2001",), "sea",
        "https://sea.org/", shelf.url, "100.hea",
    )  # fmt: skip
    return replace(base, **changes)


def fetch(shelf: Shelf, folder: Path, **changes: object):
    return fetch_dataset(dataset_on(shelf, **changes), folder, pause_s=0.0)


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_file_arrives_whole_with_the_list_of_digests(shelf, tmp_path):
    said: list[str] = []
    done = fetch_dataset(dataset_on(shelf), tmp_path, on_file=said.append, pause_s=0.0)
    assert (done.n_downloaded, done.n_there) == (2, 0)
    assert (tmp_path / "set/more/100.dat").read_bytes() == RECORD
    assert (tmp_path / "set/SHA256SUMS.txt").read_bytes() == shelf.content("SHA256SUMS.txt")
    assert sorted(said) == ["100.hea", "more/100.dat"]


def test_what_is_there_and_right_is_not_asked_for_again(shelf, tmp_path):
    fetch(shelf, tmp_path)
    shelf.asked.clear()
    done = fetch(shelf, tmp_path)
    assert (done.n_downloaded, done.n_there) == (0, 2)
    assert [name for name, _ in shelf.asked] == ["SHA256SUMS.txt"]


def test_a_broken_transfer_is_gone_on_with_where_it_stopped(shelf, tmp_path):
    shelf.breaks["more/100.dat"] = [1000]
    fetch(shelf, tmp_path)
    assert (tmp_path / "set/more/100.dat").read_bytes() == RECORD
    assert ("more/100.dat", "bytes=1000-") in shelf.asked


def test_a_fetch_that_gave_up_is_resumed_by_the_next(shelf, tmp_path):
    shelf.breaks["more/100.dat"] = [1000, 2000, 3000, 4000]
    with refuses(CardioError, "100.dat", 4000, code="network"):
        fetch(shelf, tmp_path)
    assert not (tmp_path / "set/more/100.dat").exists()
    fetch(shelf, tmp_path)
    assert shelf.asked[-1] == ("more/100.dat", "bytes=4000-")
    assert files_under(tmp_path / "set") == {"SHA256SUMS.txt", "100.hea", "more/100.dat"}


def test_a_server_that_cannot_resume_starts_the_file_again(shelf, tmp_path):
    shelf.resumes = False
    (tmp_path / "set/more").mkdir(parents=True)
    (tmp_path / "set/more/.100.dat.part").write_bytes(b"leftover")
    fetch(shelf, tmp_path)
    assert (tmp_path / "set/more/100.dat").read_bytes() == RECORD


@pytest.mark.parametrize("leftover", [b"\xff" * 700, b"\xff" * len(RECORD), RECORD + b"more"])
def test_a_leftover_that_does_not_fit_is_thrown_away_and_fetched_anew(shelf, tmp_path, leftover):
    (tmp_path / "set/more").mkdir(parents=True)
    (tmp_path / "set/more/.100.dat.part").write_bytes(leftover)
    fetch(shelf, tmp_path)
    assert (tmp_path / "set/more/100.dat").read_bytes() == RECORD


def test_a_wrong_digest_is_an_error_and_keeps_nothing(shelf, tmp_path):
    shelf.sums = f"{'0' * 64} 100.hea\n".encode()
    with pytest.raises(DataError, match=r"100\.hea: expected SHA-256 000000000000"):
        fetch(shelf, tmp_path)
    assert files_under(tmp_path) == set()


def test_a_changed_list_of_digests_is_refused_where_the_right_one_is_known(shelf, tmp_path):
    with refuses(DataError, "SHA256SUMS.txt", "set", code="mismatch"):
        fetch(shelf, tmp_path, sums_digest="f" * 64)
    assert files_under(tmp_path) == set()


def test_somebody_elses_file_of_that_name_is_left_alone(shelf, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/100.hea").write_text("mine")
    with pytest.raises(DataError, match="move it away"):
        fetch(shelf, tmp_path)
    assert (tmp_path / "set/100.hea").read_text() == "mine"


@pytest.mark.parametrize(
    "name",
    ["../outside.dat", "/etc/outside", "a/../../outside", "C:\\outside", "a\\..\\b", ".hidden",
     "a/.part", "", "name\x07", "c:/outside", "~/../x", "//host/share", "a" * 300, "é" * 120,
     "/".join("a" * 20), "con", "a/NUL.txt", "lpt1.dat", "a./b", "a /b", "a\x00b", "a\u202eb",
     "a*b", "a|b", "SHA256SUMS.txt", "a/../b", "a\tb"],
)  # fmt: skip
def test_a_path_that_leaves_the_folder_is_refused_before_anything_is_fetched(shelf, tmp_path, name):
    shelf.sums = f"{'a' * 64} {name}\n".encode()
    with pytest.raises(DataError, match="nothing was downloaded"):
        fetch(shelf, tmp_path)
    assert [asked for asked, _ in shelf.asked] == ["SHA256SUMS.txt"]
    assert files_under(tmp_path) == set()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a", "a/b"), "is a folder of others"),
        (("a/b/c", "A"), "is a folder of others"),
        (("a/x.dat", "a/X.dat"), "differ in more than their case"),
        (("a//x", "a/./X"), "differ in more than their case"),
    ],
)
def test_names_that_would_take_each_others_place_are_refused(names, said):
    with pytest.raises(DataError, match=said):
        read_sums("".join(f"{'a' * 64} {name}\n" for name in names))


@pytest.mark.parametrize("text", ["", "\n\n", "<html>not found</html>", "abc 100.dat"])
def test_a_list_that_holds_no_digests_is_refused(text):
    with refuses(DataError, "SHA256SUMS.txt", code="damaged"):
        read_sums(text)


def test_a_list_may_mark_binary_files_as_sha256sum_does():
    assert read_sums(f"{'A' * 64} *100.dat") == {"100.dat": "a" * 64}


def test_a_file_larger_than_the_whole_data_set_is_thrown_away(shelf, tmp_path):
    shelf.files = {"100.hea": b"x" * 2_100_000}
    with refuses(DataError, "100.hea", "2 MB", code="too_large"):
        fetch(shelf, tmp_path)
    assert files_under(tmp_path) == set()


def test_a_redirect_on_the_same_terms_is_followed(shelf, tmp_path):
    shelf.redirects["100.hea"] = shelf.url + "elsewhere"
    shelf.content = lambda name: HEADER if name == "elsewhere" else Shelf.content(shelf, name)
    assert fetch(shelf, tmp_path).n_downloaded == 2


@pytest.mark.parametrize("url", ["http://example.org/100.hea", "ftp://127.0.0.1/x", "file:///x"])
def test_a_redirect_away_from_https_is_refused(shelf, tmp_path, url):
    shelf.redirects["100.hea"] = url
    shelf.files = {"100.hea": HEADER}
    with pytest.raises(CardioError):
        fetch(shelf, tmp_path)
    assert files_under(tmp_path) == set()


def test_plain_http_is_refused_for_anything_but_this_machine(shelf, tmp_path):
    with refuses(DataError, "http://example.org/files/", code="unsafe"):
        fetch(shelf, tmp_path, files_url="http://example.org/files/")


def test_a_server_in_trouble_is_asked_again_and_a_missing_file_is_not(shelf, tmp_path):
    shelf.statuses["100.hea"] = [503, 500]
    assert fetch(shelf, tmp_path).n_downloaded == 2
    assert [name for name, _ in shelf.asked].count("100.hea") == 3
    shelf.sums = f"{'a' * 64} 999.hea\n".encode()
    with pytest.raises(CardioError, match="404"):
        fetch(shelf, tmp_path / "other")
    assert [name for name, _ in shelf.asked].count("999.hea") == 1


def test_a_server_that_is_not_there_is_one_line(shelf, tmp_path):
    with refuses(CardioError, "127.0.0.1:9", code="network"):
        fetch(shelf, tmp_path, files_url="http://127.0.0.1:9/set/")


def test_folders_that_no_plugin_reads_are_left_out(shelf, tmp_path):
    fetch(shelf, tmp_path, left_out=("more/",))
    assert files_under(tmp_path) == {"set/100.hea", "set/SHA256SUMS.txt"}


def test_a_full_disk_is_said_before_anything_is_fetched(shelf, tmp_path):
    with refuses(CardioError, "set", "--out", code="disk"):
        fetch(shelf, tmp_path, size_mb=10**9)
