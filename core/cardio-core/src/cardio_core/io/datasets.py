"""Public data sets that plugins declare: what they are, their licence, what to cite."""

from __future__ import annotations

import difflib
import hashlib
import http.client
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from cardio_core.errors import PluginError
from cardio_core.io.hashing import file_digest
from cardio_stats.errors import CardioError, ConfigError, DataError
from cardio_stats.files import DEVICES, replacing


@dataclass(frozen=True)
class PublicDataset:
    """One public data set, as far as it is fetched.

    `name` stands on the command line and is the folder's; `contents` says in one sentence what it
    holds, of `size_mb` megabytes as far as it is fetched. `page` is where its authors describe it,
    `files_url` the folder that holds the files and their ``SHA256SUMS.txt``. It is recognised by
    the file `witness`; what no plugin reads is `left_out`. `sums_digest` is the SHA-256 of
    ``SHA256SUMS.txt`` where it is known: it pins every file of the data set.
    """

    name: str
    version: str
    title: str
    contents: str
    size_mb: int
    licence: str
    cite: tuple[str, ...]
    plugin: str
    page: str
    files_url: str
    witness: str
    left_out: tuple[str, ...] = ()
    sums_digest: str | None = None

    def found_in(self, folder: Path | None) -> Path | None:
        """Return where the data set lies under a data folder, None if it is not there."""
        if folder is None or not (folder / self.name / self.witness).is_file():
            return None
        return folder / self.name

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of what a user wants to know."""
        hidden = {"witness", "left_out", "sums_digest"}
        return {key: value for key, value in asdict(self).items() if key not in hidden}


TOOL = "datasets"
"""The tool of `PluginInfo.tools`: a function without arguments that returns them in a list."""


def dataset_of(fields: Mapping[str, Any], plugin: str) -> PublicDataset:
    """Return the data set that a plugin declares as a mapping of the fields of `PublicDataset`.

    Raises
    ------
    PluginError
        If fields are missing or unknown.
    """
    try:
        return PublicDataset(**fields, plugin=plugin)
    except TypeError as error:
        raise PluginError(
            f"plugin {plugin}: {TOOL}: expected the fields of a data set, found others ({error})"
        ) from error


def find_dataset(name: str, datasets: Iterable[PublicDataset]) -> PublicDataset:
    """Return the data set of that name.

    Raises
    ------
    ConfigError
        If none is known under it; suggests the nearest.
    """
    known = {dataset.name: dataset for dataset in datasets}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        names = ", ".join(known) or "none, as no installed plugin declares one"
        raise ConfigError(f"no data set {name!r} is known; {hint}known: {names}")
    return known[name]


def data_folder() -> Path | None:
    """Return the folder that ``CARDIO_DATA`` names, None where it is not set."""
    named = os.environ.get("CARDIO_DATA")
    return Path(named) if named else None


# Fetching a public data set file by file, each checked against its published digest.
#
# A file appears under its name only when its digest is right; what was interrupted lies
# beside it as
# ``.NAME.part`` and is gone on with by the next call.

SUMS = "SHA256SUMS.txt"
N_ATTEMPTS = 4
_NOT_IN_NAMES = '\\:*?"<>|'
_LONGEST, _MOST_PARTS = 200, 16
"""Bytes of a name: file systems take 255, and a download in progress has a longer one."""
_BLOCK = 1 << 18
_SUMS_LIMIT = 64 << 20
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_GONE_WRONG = (OSError, http.client.HTTPException)  # URLError and time-outs are OSErrors
_FINAL = (401, 403, 404, 410)  # asking again would not help

Result = TypeVar("Result")


@dataclass(frozen=True)
class Fetched:
    """What a fetch did: the folder, and how many files it downloaded or found already right."""

    folder: Path
    n_downloaded: int
    n_there: int


@dataclass(frozen=True)
class _Source:
    """One place to download from, and the signal to stop."""

    url: str
    limit_bytes: int
    pause_s: float
    opener: urllib.request.OpenerDirector
    stop: threading.Event = field(default_factory=threading.Event)


def fetch_dataset(
    dataset: PublicDataset,
    parent: Path,
    *,
    on_start: Callable[[int], None] | None = None,
    on_file: Callable[[str], None] | None = None,
    n_at_once: int = 4,
    pause_s: float = 2.0,
) -> Fetched:
    """Download a data set into ``parent/NAME``, or complete what is there.

    `on_start` takes the number of files, `on_file` the name of each file that is there and right.
    `n_at_once` files are downloaded at the same time; a failed download is tried again after
    `pause_s`, which doubles each time.

    Raises
    ------
    DataError
        If a file has another digest than published, is larger than the whole data set should be,
        or if a file of that name with other content is already there. Nothing wrong is kept.
    CardioError
        If the server cannot be reached or answers with an error.
    """
    folder = parent / dataset.name
    folder.mkdir(parents=True, exist_ok=True)
    _require_safe(dataset.files_url)
    opener = urllib.request.build_opener(_OnlySafeRedirects)
    source = _Source(dataset.files_url, 2 * dataset.size_mb * 1_000_000, pause_s, opener)
    sums = _published_sums(source, dataset)
    wanted = {
        name: digest
        for name, digest in read_sums(sums.decode("utf-8", errors="replace")).items()
        if not name.startswith(dataset.left_out)
    }
    _check_space(folder, wanted, dataset)
    if on_start:
        on_start(len(wanted))
    n_downloaded = 0
    with ThreadPoolExecutor(n_at_once) as pool:
        waiting = {
            pool.submit(_fetch_file, source, name, folder / name, digest): name
            for name, digest in wanted.items()
        }
        try:
            for done in as_completed(waiting):
                n_downloaded += done.result()
                if on_file:
                    on_file(waiting[done])
        except BaseException:
            source.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    with replacing(folder / SUMS) as temporary:
        temporary.write_bytes(sums)
    return Fetched(folder, n_downloaded, len(wanted) - n_downloaded)


def read_sums(text: str) -> dict[str, str]:
    r"""Return the digests of a ``SHA256SUMS.txt`` by file name.

    Lines hold a digest and a relative path, as ``sha256sum`` writes them.

    Raises
    ------
    DataError
        If a line is no such pair, or a path would leave the folder.

    Examples
    --------
    >>> read_sums("ab" * 32 + "  records/100.dat\n")["records/100.dat"][:4]
    'abab'
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        digest, _, name = line.partition(" ")
        name = name.strip().removeprefix("*")
        hexadecimal = len(digest) == 64 and set(digest.lower()) <= set("0123456789abcdef")
        if not hexadecimal or not _stays_inside(name):
            raise DataError(
                f"{SUMS}, line {number}: expected a SHA-256 and a path inside the data set, found "
                f"{line[:90]!r}; nothing was downloaded",
                code="damaged",
            )
        found[PurePosixPath(name).as_posix()] = digest.lower()
    _require_apart(found)
    if not found:
        raise DataError(
            f"{SUMS}: expected one digest a line, found none; nothing was downloaded",
            code="damaged",
        )
    return found


def _stays_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    strange = any(character in name for character in _NOT_IN_NAMES) or not name.isprintable()
    long = len(parts) > _MOST_PARTS or any(len(part.encode()) > _LONGEST for part in parts)
    if not parts or strange or long or name == SUMS:
        return False
    # A leading dot could name an unfinished download, or a file that hides itself; what ends in a
    # dot or a blank, and the names of devices, are other files on Windows.
    return not any(
        part[0] in "./" or part[-1] in ". " or part.partition(".")[0].upper() in DEVICES
        for part in parts
    )


def _require_apart(names: Iterable[str]) -> None:
    """Raise where a file would be a folder of another, or two names are one where case is not."""
    taken: dict[str, str] = {}
    for name in names:
        if (other := taken.setdefault(name.casefold(), name)) != name:
            raise DataError(
                f"{SUMS}: expected names that differ in more than their case, found {name[:90]!r} "
                f"and {other[:90]!r}; nothing was downloaded",
                code="duplicate",
            )
    for name in taken:
        inside = next((up for up in PurePosixPath(name).parents if str(up) in taken), None)
        if inside is not None:
            raise DataError(
                f"{SUMS}: expected files, found {str(inside)[:90]!r}, which is a folder of others, "
                "too; nothing was downloaded"
            )


def _fetch_file(source: _Source, name: str, target: Path, digest: str) -> bool:
    """Make one file right; return whether anything had to be downloaded."""
    if target.exists():
        if file_digest(target) == digest:
            return False
        raise DataError(
            f"{target}: its content is not what {SUMS} says; move it away and fetch again"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    # A part of an earlier call may not fit what the server has now: then once more, from nothing.
    for _ in range(2 if part.exists() else 1):
        _persist(source, name, lambda: _download(source, name, part))
        if file_digest(part) == digest:
            part.replace(target)
            return True
        part.unlink()
    raise DataError(
        f"{name}: expected SHA-256 {digest[:12]}..., found another; it was thrown away. "
        "The transfer was tampered with or the server changed; try again later"
    )


def _persist(source: _Source, name: str, attempt: Callable[[], Result]) -> Result:
    """Try a transfer again while what goes wrong may pass."""
    problem = "stopped"
    for number in range(N_ATTEMPTS):
        if number:
            source.stop.wait(source.pause_s * 2 ** (number - 1))
        if source.stop.is_set():
            break
        try:
            return attempt()
        except _GONE_WRONG as error:
            problem = _reason(error)
            if isinstance(error, urllib.error.HTTPError) and error.code in _FINAL:
                break
    raise CardioError(
        f"{urljoin(source.url, quote(name))}: {problem}; what is complete is kept, run the same "
        "command again to go on",
        code="network",
    )


def _download(source: _Source, name: str, part: Path) -> None:
    """Append to a partial file what it lacks, or start it again if the server cannot resume."""
    have = part.stat().st_size if part.exists() else 0
    with _open(source, name, have) as answer:
        place = answer.headers.get("Content-Range", "")
        resumes = answer.status == 206 and place.startswith(f"bytes {have}-")
        size = have if resumes else 0
        declared = answer.headers.get("Content-Length", "")
        expected = size + int(declared) if declared.isdigit() else None
        with part.open("ab" if resumes else "wb") as file:
            while block := answer.read(_BLOCK):
                size += len(block)
                if size > source.limit_bytes:
                    break
                file.write(block)
                if source.stop.is_set():
                    break
    if size > source.limit_bytes:
        part.unlink()
        raise DataError(
            f"{name}: expected at most {source.limit_bytes / 1e6:.0f} MB, the server sent more; "
            "it was thrown away",
            code="too_large",
        )
    if expected is not None and size < expected:
        raise ConnectionError(f"the connection ended after {size} of {expected} bytes")


def _open(source: _Source, name: str, have: int) -> Any:
    request = urllib.request.Request(urljoin(source.url, quote(name)))  # noqa: S310
    request.add_header("User-Agent", "cardio")
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        return source.opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        # The part is whole, or longer than the file; its digest decides which.
        request.remove_header("Range")
        return source.opener.open(request, timeout=60)


def _published_sums(source: _Source, dataset: PublicDataset) -> bytes:
    def read() -> bytes:
        with _open(source, SUMS, 0) as answer:
            content: bytes = answer.read(_SUMS_LIMIT + 1)
        return content

    content = _persist(source, SUMS, read)
    if len(content) > _SUMS_LIMIT:
        raise DataError(
            f"{SUMS}: expected a list of digests, the server sent more than 64 MB", code="too_large"
        )
    if dataset.sums_digest not in (None, hashlib.sha256(content).hexdigest()):
        raise DataError(
            f"{SUMS}: its SHA-256 is not the known one of {dataset.name} {dataset.version}; "
            "nothing was downloaded. The transfer was tampered with or the server changed",
            code="mismatch",
        )
    return content


def _check_space(folder: Path, wanted: dict[str, str], dataset: PublicDataset) -> None:
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    needed = dataset.size_mb * 1_000_000 - there
    if free < needed:
        raise CardioError(
            f"{folder}: {dataset.name} needs {needed / 1e6:.0f} MB more, {free / 1e6:.0f} MB are "
            "free; choose another --out",
            code="disk",
        )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    return " ".join(str(reason).split()) or type(error).__name__


def _require_safe(url: str) -> None:
    """Raise unless a URL is https, or http on this very machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DataError(
            f"expected an https address, found {url}; nothing was downloaded from it", code="unsafe"
        )


class _OnlySafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that could have been asked for directly."""

    max_redirections = 5

    def redirect_request(self, *arguments: Any, **options: Any) -> urllib.request.Request | None:
        """Refuse what leaves https."""
        _require_safe(arguments[-1] if arguments else options["newurl"])
        return super().redirect_request(*arguments, **options)
