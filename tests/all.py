"""All tests: rules, contracts and integration beside the end-to-end ones, then the faults.

    python tests/all.py

Each part is a pytest of its own, since they share nothing but the servers. Its output follows when it has ended;
the exit code is 0 when every part passed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
ONE_PROCESS = tuple(f"tests/faults/test_{name}.py" for name in ("import_killed", "one_process", "webhook_killed"))
"""Faults of an embedded system, which the broker's absence does not concern."""
TURNS = (
    (("tests/unit", "tests/contracts", "tests/integration"), ("tests/e2e",)),
    (("tests/faults", *(f"--ignore={each}" for each in ONE_PROCESS)), ONE_PROCESS),
)


def begin(folders: tuple[str, ...], output: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-m", "pytest", *sys.argv[1:], *folders]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)


def finish(folders: tuple[str, ...], process: subprocess.Popen[bytes], output: IO[bytes], began: float) -> bool:
    code = process.wait()
    output.seek(0)
    print(f"== {' '.join(folders)}: {time.monotonic() - began:.0f} s", flush=True)
    sys.stdout.buffer.write(output.read())
    sys.stdout.flush()
    return code == 0


def main() -> int:
    passed = True
    for parts in TURNS:
        began = time.monotonic()
        running = []
        for folders in parts:
            output = tempfile.TemporaryFile()  # noqa: SIM115 - read when its process has ended
            running.append((folders, begin(folders, output), output))
        for folders, process, output in running:
            passed = finish(folders, process, output, began) and passed
            output.close()
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
