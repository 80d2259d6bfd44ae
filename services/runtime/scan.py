"""The virus scanner of the house, asked before a file is kept.

It is a command that reads the file from its standard input: 0 says clean, 1 infected; whatever
else it says, or that it does not come to an end, means that nobody knows, and the file is not kept.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from eventlet.green import subprocess
from eventlet.semaphore import Semaphore
from eventlet.timeout import Timeout

from services.kernel.errors import Invalid, Unavailable
from services.kernel.text import Sentence

logger = logging.getLogger(__name__)

SCAN_SECONDS = 60.0
"""For one file, and as long again for its turn."""
MOST_AT_ONCE = 2
"""Scanners of one process at the same time: one that loads its whole database takes a gigabyte."""
_CLEAN, _INFECTED = 0, 1
_PIECE = 4096
_MOST_SHOWN = 300
_PLACES = Semaphore(MOST_AT_ONCE)


def scanner_of(command: str) -> Callable[[Path], None] | None:
    """What looks at a file before it is kept; None where no scanner is set.

    It raises Invalid for an infected file and Unavailable when the scanner gives no clear answer.
    """
    return partial(scan, tuple(shlex.split(command))) if command else None


def scan(command: tuple[str, ...], path: Path) -> None:
    """Ask the scanner about the file. Raises Invalid, Unavailable."""
    if not _PLACES.acquire(timeout=SCAN_SECONDS):
        raise _nobody_knows("no turn")
    try:
        status, said = _run(command, path)
    finally:
        _PLACES.release()
    if status == _INFECTED:
        logger.warning("an infected file was refused")
        raise Invalid.field("file", Sentence("A virus was found in this file, so it was not kept."))
    if status != _CLEAN:
        raise _nobody_knows(f"status {status}", said)


def _run(command: tuple[str, ...], path: Path) -> tuple[int, str]:
    """The scanner's status and the beginning of what it said."""
    # What is in our settings, such as passwords of databases, is none of its business.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IMECE_")}
    limit = Timeout(SCAN_SECONDS)
    process: Any = None
    try:
        with path.open("rb") as file:
            process = subprocess.Popen(
                command,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        said = b""
        while piece := os.read(process.stdout.fileno(), _PIECE):
            said += piece[: _MOST_SHOWN - len(said)]  # the rest is read and dropped, so that it need not wait for us
        return process.wait(), said.decode(errors="replace")
    except OSError as error:
        raise _nobody_knows(error.strerror or type(error).__name__) from None
    except Timeout as end:
        if end is not limit:
            raise
        raise _nobody_knows("no end") from None
    finally:
        limit.cancel()
        if process is not None:
            _end(process)


def _end(process: Any) -> None:
    process.stdout.close()
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _nobody_knows(cause: str, said: str = "") -> Unavailable:
    logger.error("the virus scanner gave no answer", extra={"cause": cause, "said": said})
    return Unavailable(Sentence("The virus scanner does not answer, so the file was not kept. Try again later."))
