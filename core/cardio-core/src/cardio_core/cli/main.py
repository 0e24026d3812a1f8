"""`cardio`: the root command. Nothing heavy is imported to answer `--help`."""

from __future__ import annotations

import atexit
import codecs
import gc
import io
import logging
import os
import re
import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import click

from cardio_core.compute.processes import (
    StoppedFromOutside,
    ask_for_one_thread,
    collect_rarely,
    exit_code_of,
    stopping_in_order,
)
from cardio_core.types.redaction import place_of, text_of, traceback_of
from cardio_stats.cli.lazy import LazyGroup
from cardio_stats.errors import CardioError


@click.group(
    cls=LazyGroup,
    words="",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="cardio-core", prog_name="cardio")
@click.pass_context
def cardio(ctx: click.Context, debug: bool) -> None:
    """From raw cardiac recordings to an honest, publishable evaluation.

    Start with `cardio run --plugin ecg_transfer`: without --data it runs on a synthetic cohort.
    """
    ctx.obj = {**(ctx.obj or {}), "debug": debug}


def main() -> None:
    """Run the command line; errors that cardio raises on purpose become one line."""
    collect_rarely()
    atexit.register(gc.freeze)  # or all that was imported is walked through once more
    _print_anything()
    with _fitted() as width:
        _main(width)


def _main(width: int | None) -> None:
    _hear_no_asides()
    ask_for_one_thread()
    debug = "--debug" in sys.argv
    try:
        with stopping_in_order():
            cardio(prog_name="cardio", standalone_mode=False, terminal_width=width)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort as stop:
        if not isinstance(stop.__cause__, KeyboardInterrupt):
            sys.exit("Aborted.")
        _interrupted(stop.__cause__)
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]
        error.show()
        sys.exit(error.exit_code)
    except CardioError as error:
        if debug:
            click.echo(traceback_of(error), err=True)
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        from cardio_core.compute.resource_errors import place_error, resource_error

        if why := _cannot_print(error):
            click.echo(f"Error: standard output cannot be written ({why}); what was to be printed "
                       "is lost", err=True)  # fmt: skip
            sys.exit(1)
        words = sys.argv
        out = Path(words[words.index("--out") + 1]) if "--out" in words[:-1] else None
        if (machine := resource_error(error, place=out)) is not None and not debug:
            click.echo(f"Error: {machine}", err=True)
            sys.exit(machine.exit_code)
        if (place := place_error(error)) is not None and not debug:
            click.echo(f"Error: {place}", err=True)
            sys.exit(place.exit_code)
        # A bug, ours or a plugin's: still one line, and the way to the rest.
        text = text_of(error)
        what = f"{type(error).__name__}{f': {text}' if text else ''} at {place_of(error)}"
        if debug:
            click.echo(traceback_of(error), err=True)
            click.echo(f"Unexpected {what}", err=True)
        else:
            click.echo(f"Unexpected {what} (run again with cardio --debug and report it with the "
                       "traceback)", err=True)  # fmt: skip
        sys.exit(1)
    except KeyboardInterrupt as stop:
        _interrupted(stop)


_LEAST = 52
"""Columns below which click would not fold its help of itself."""


class _Narrow(click.HelpFormatter):
    """Puts what options mean below their names, where both have no room side by side."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write a list of terms."""
        super().write_dl(list(rows), 4, col_spacing)


@contextmanager
def _fitted() -> Iterator[int | None]:
    """Let what is printed fit a terminal; yield the width of a narrow one, None of any other.

    A column of somebody's table may be called anything: a terminal gets nothing that it obeys.
    """
    columns = max(shutil.get_terminal_size().columns, 20)
    narrow = columns if columns < _LEAST else None
    before = click.Context.formatter_class
    if narrow:
        click.Context.formatter_class = _Narrow
    terminals = [stream for stream in {sys.stdout, sys.stderr} if stream.isatty()]
    for stream in terminals:
        shows = stream is not sys.stdout  # a display that moves
        stream.write = partial(_write, stream.write, narrow, shows)  # type: ignore[method-assign]
    try:
        yield narrow
    finally:
        click.Context.formatter_class = before
        for stream in terminals:
            del stream.write


def _write(write: Callable[[str], int], columns: int | None, shows: bool, text: str) -> int:
    """Write a text whose lines fit, or what a display moves by."""
    if shows and "\x1b" in text:
        return write(text)
    lines = map(printable, text.split("\n"))
    return write("\n".join(lines if columns is None else (fold(line, columns) for line in lines)))


def printable(text: str) -> str:
    """Return a line with a blank for each character that a terminal obeys."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


_COMMANDS = ("cardio ", "pip ")


def fold(line: str, columns: int) -> str:
    """Break a line between words; a table's, and one to be copied, stays as it is.

    Examples
    --------
    >>> print(fold("  gpu   none; needs a CUDA build of torch", 30))
      gpu   none; needs a CUDA
            build of torch
    """
    a_table = len(re.findall(r"\S\s{2,}(?=\S)", line)) > 2
    if len(line) <= columns or a_table or line.lstrip().startswith(_COMMANDS):
        return line
    begin = len(line) - len(line.lstrip())
    start = line.rfind("  ", 0, columns // 2) + 2 if "  " in line[begin : columns // 2] else begin
    return textwrap.fill(
        line, columns, subsequent_indent=" " * start, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _cannot_print(error: Exception) -> str:
    """Return why printing failed, and print nothing more; empty where the error is another."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    printed = last is not None and last.tb_frame.f_globals.get("__name__") == "click.utils"
    if not isinstance(error, OSError) or not printed:
        return ""
    # Python flushes once more when it ends, and would complain with a traceback.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return error.strerror or type(error).__name__


_SERIAL_MODE = "ignore::UserWarning:joblib._multiprocessing_helpers"


def _hear_no_asides() -> None:
    """Let libraries not tell what a line of ours tells: no home folder, no shared memory."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*joblib will operate in serial mode")
    # Workers, and what clears up after them, import joblib in processes of their own.
    setting = os.environ.get("PYTHONWARNINGS", "")
    if _SERIAL_MODE not in setting:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [setting, _SERIAL_MODE]))


def _print_anything() -> None:
    """Let a terminal that lacks a letter get its number instead, and files of C locales UTF-8.

    A name of a file can hold bytes that are no text at all; Python would end there.
    """
    setting = os.environ.get("PYTHONIOENCODING", "")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii" and not setting
            stream.reconfigure(encoding="utf-8" if plain else None, errors="backslashreplace")


def _interrupted(stop: KeyboardInterrupt) -> NoReturn:
    """Leave as a shell expects of a program that Ctrl-C stopped; a run says how to go on."""
    text = "Interrupted." if isinstance(stop, StoppedFromOutside) else str(stop)
    click.echo(text or "Interrupted.", err=True)
    sys.exit(exit_code_of(stop))
