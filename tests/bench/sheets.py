"""Reading long tables: seconds as ratios to the bare readers, and memory, each in a process of its own.

    python tests/bench/sheets.py [rows]

The table is the made-up national list; what stands beside is `csv.reader` and openpyxl's read-only mode, which keep nothing
either. Memory is how far the process grew over what it was before it opened the file.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from services.registry import sample

KEEP = ("SisKod", "KurumAd", "Plaka", "AltNevisString", "telNo", "Mail", "WebSitesi", "KurumAdres", "IsActive")


def ours(path: Path) -> int:
    from services.runtime.sheet import open_sheet

    with path.open("rb") as file, open_sheet(file) as sheet:
        return sum(1 for _ in sheet.rows([sheet.header.index(name) for name in KEEP]))


def bare_csv(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def bare_xlsx(path: Path) -> int:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    return sum(1 for _ in book.active.iter_rows(values_only=True)) - 1


READERS: dict[str, Callable[[Path], int]] = {"ours": ours, "bare_csv": bare_csv, "bare_xlsx": bare_xlsx}


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(reader: str, path: str) -> None:
    """In a process of its own, since memory once taken is not given back."""
    import openpyxl  # noqa: F401 - loaded before, so that it does not count

    import services.runtime.sheet  # noqa: F401 - the same

    before, began = megabytes(), time.process_time()
    rows = READERS[reader](Path(path))
    print(json.dumps({"rows": rows, "seconds": time.process_time() - began, "megabytes": megabytes() - before}))


def apart(reader: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--measure", reader, str(path)],
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(rows: int) -> None:
    """Make the files, then read each twice."""
    import openpyxl

    with tempfile.TemporaryDirectory() as folder:
        listed, book = Path(folder, "list.csv"), Path(folder, "list.xlsx")
        with listed.open("w", encoding="utf-8", newline="") as file:
            sample.write(file, None, rows)
        made = openpyxl.Workbook(write_only=True)
        sheet = made.create_sheet()
        with listed.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                sheet.append(row)
        made.save(book)
        for path, bare in ((listed, "bare_csv"), (book, "bare_xlsx")):
            found, beside = apart("ours", path), apart(bare, path)
            assert rows == found["rows"] == beside["rows"], (found, beside)
            print(
                f"{path.suffix[1:]}: {rows:,} rows, {path.stat().st_size / 1024**2:.0f} MB; "
                f"{found['seconds']:.2f} s CPU = {found['seconds'] / beside['seconds']:.2f} × {bare}; "
                f"memory +{found['megabytes']:.1f} MB (bare +{beside['megabytes']:.1f} MB)"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
