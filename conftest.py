"""What every test process is given: one thread a library, all the time that it takes, rules."""

import gc
import os
import re
import sys
import threading
from difflib import unified_diff
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from _pytest.doctest import DoctestModule
from filelock import FileLock
from hypothesis import HealthCheck, settings

from cardio_stats.errors import LONGEST, CardioError, Code

# The tests' networks are small, and cores may be shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where pytest has a process a core already, cardio works in that one unless a test asks for more.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")  # cohorts are drawn in this process

# No property fails because the machine is slow.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# Ten thousand collected tests stay to the end: no search for garbage goes through them again.
gc.disable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than cores, since some tests wait; four fit into any memory."""
    return min((os.cpu_count() or 1) + 1, 4)


def pytest_collection_finish():
    """Set aside what was collected, and search for garbage from here on."""
    gc.freeze()  # a search before takes a second, and finds little
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path):
    """Look for doctests only in files that hold one."""
    found = yield
    if not any(isinstance(one, DoctestModule) for one in found):
        return found
    if ">>> " in file_path.read_text(encoding="utf-8", errors="replace"):
        return found
    return [one for one in found if not isinstance(one, DoctestModule)]


@pytest.fixture(autouse=True)
def nothing_is_said_later():
    """No display outlives its command: it would speak into whatever comes next."""
    yield
    if any(one.name == "progress" for one in threading.enumerate()):
        pytest.fail("a display was not closed")


@pytest.fixture(scope="module")
def blank_figures():
    """Figures are drawn, but paper of their size is written, for files that look at none."""
    from matplotlib.backends import backend_svg

    class Blank(backend_svg.FigureCanvasSVG):
        """Laying out and writing take a third of a run."""

        def print_svg(self, *arguments, **options):
            self.figure.set_layout_engine("none")
            self.figure.clear()
            super().print_svg(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_svg, "FigureCanvasSVG", Blank)
        yield


@pytest.fixture(scope="module")
def sparse_speckle():
    """Loops are drawn from a fifth of the scatterers, for files that ask nothing of speckle."""
    from cardio_ultrasound.simulation import b_mode

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(b_mode.draw_scatterers.__kwdefaults__, "per_cell", 2.0)
        yield


RAISED: list[CardioError] = []
"""Errors that the sources made during a test; tests make some that are no sentence."""

_make = CardioError.__init__


def _remember(error, *args, code=None):
    _make(error, *args, code=code)
    path = sys._getframe(1).f_code.co_filename
    if "/src/cardio_" in path:
        RAISED.append(error)


CardioError.__init__ = _remember


def fault_of(error):
    """Return what is wrong with an error's message or code, empty where nothing is."""
    message = error.args[0]
    if error.code not in get_args(Code):
        return "an unknown code"
    if "\n" in message or len(message) > LONGEST:
        return f"not one line of at most {LONGEST} characters"
    if not (";" in message or "expected" in message):  # "expected X, found Y" says what to give
        return "nothing to do: neither what was expected, nor a clause behind a semicolon"
    return ""


@pytest.fixture(autouse=True)
def every_message_is_one_line_that_says_what_to_do():
    """Hold every error that a test meets to the rules of messages."""
    RAISED.clear()
    yield
    faults = {f"{fault}: {error.args[0]}" for error in RAISED if (fault := fault_of(error))}
    if faults:
        pytest.fail("\n".join(sorted(faults)))


class _Words(HTMLParser):
    """The text of a page, a line a block; without styles, scripts and drawings."""

    BLOCKS = frozenset(
        ("caption", "dd", "dt", "figcaption", "footer", "h1", "h2", "h3", "h4", "header", "li", "p",
         "pre", "section", "summary", "tr")
    )  # fmt: skip
    HIDDEN = frozenset({"style", "script", "svg", "button"})

    def __init__(self, html):
        super().__init__()
        self.text, self.hidden = "", 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in self.HIDDEN
        if tag in self.BLOCKS:
            self.text += "\n"
        elif tag in ("td", "th"):
            self.text += " | "

    def handle_endtag(self, tag):
        self.hidden -= tag in self.HIDDEN
        if tag in self.BLOCKS:
            self.text += "\n"

    def handle_data(self, data):
        if not self.hidden:
            self.text += re.sub(r"\s+", " ", data)


NUMBER = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.+Z]+"
    r"|[<>]?(?<![\w.])(?:(?=[\da-f]*\d)[\da-f]{7,}\b|[−+-]?\d[\d\u202f.,:]*(?<![.,:]))"
)


def words_of(page):
    """Return the text of a page, a line a block."""
    lines = (line.strip() for line in _Words(page).text.split("\n"))
    return "\n".join(line for line in lines if line) + "\n"


@pytest.fixture
def same_text(request):
    """Compare a text with the one stored beside the test; `pytest --store` stores it anew.

    A page is compared by its words. With `numbers=False` a number is a number, whichever it is:
    for what was trained, which differs in its digits on another processor.
    """

    def compare(name, text, *, numbers=True):
        __tracebackhide__ = True
        text = words_of(text) if text.lstrip().startswith("<!") else text
        text = text.replace(str(request.getfixturevalue("tmp_path_factory").getbasetemp()), "TMP")
        if not numbers:  # rows that differ in nothing else are one
            text = NUMBER.sub("#", text).replace("(# core,", "(# cores,")  # of this machine
            text = "\n".join(dict.fromkeys(text.splitlines()))
        path = Path(request.path).parent / "texts" / f"{name}.txt"
        if request.config.getoption("--store"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.strip() + "\n", encoding="utf-8")
        stored = path.read_text(encoding="utf-8").splitlines()
        different = list(
            unified_diff(stored, text.strip().splitlines(), "stored", "found", n=1, lineterm="")
        )
        if different:
            pytest.fail("\n".join([f"{path.name}; if it should be so: --store", *different]))

    return compare


def pytest_addoption(parser):
    """Let texts of pages be stored anew."""
    parser.addoption("--store", action="store_true", help="store the texts of pages anew")


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory):
    """Return a folder that the first process to ask fills for all of them; nobody writes in it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def call(name, fill):
        folder = shared / f"drawn-{name}"
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                partial = folder.with_name(f"{folder.name}.partial")
                fill(partial)
                partial.rename(folder)
        return folder

    return call
