"""Kept files: each once under its sum, whole or not at all, and nobody else's to read."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.kernel.errors import Invalid, NotFound
from services.runtime.blob import Blob, Folder, Space, Store, store_of
from services.runtime.settings import Settings

CONTENT = b"s\xc3\xb6zle\xc5\x9fme" * 100_000
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "documents"


@pytest.fixture
def store(root: Path) -> Store:
    return store_of(Settings(documents_dir=str(root)), Space.DOCUMENTS)


def files(root: Path) -> list[Path]:
    return [each for each in root.rglob("*") if each.is_file()]


def test_what_is_put_is_given_back(store: Store) -> None:
    assert Blob(SUM, len(CONTENT)) == store.put(io.BytesIO(CONTENT), len(CONTENT))
    assert store.has(SUM)
    with store.open(SUM) as file:
        assert CONTENT == file.read()


def test_the_same_content_is_kept_once(store: Store, root: Path) -> None:
    for _ in range(3):
        store.put(io.BytesIO(CONTENT), len(CONTENT))
    store.put(io.BytesIO(b""), 0)
    assert 2 == len(files(root))


def test_what_is_larger_than_allowed_is_not_kept(store: Store, root: Path) -> None:
    with pytest.raises(Invalid) as refused:
        store.put(io.BytesIO(CONTENT), len(CONTENT) - 1)
    assert "file" == refused.value.details["errors"][0]["field"]
    assert [] == files(root)


def test_what_breaks_off_is_not_kept(store: Store, root: Path) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        store.put(Torn(CONTENT), len(CONTENT))
    assert [] == files(root)


def test_what_is_removed_is_gone_and_may_be_removed_again(store: Store) -> None:
    store.put(io.BytesIO(CONTENT), len(CONTENT))
    for _ in range(2):
        store.remove(SUM)
    assert not store.has(SUM)
    with pytest.raises(NotFound):
        store.open(SUM)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", SUM.upper(), SUM + "\n", SUM[:-1]])
def test_a_name_that_is_no_sum_finds_nothing(store: Store, name: str) -> None:
    for ask in (store.open, store.has, store.remove):
        with pytest.raises(NotFound):
            ask(name)


def test_nobody_else_can_read_what_is_kept(store: Store, root: Path) -> None:
    before = os.umask(0)
    try:
        store.put(io.BytesIO(CONTENT), len(CONTENT))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in [root, *root.rglob("*")]}
    assert {0o700, 0o600} == modes


def test_what_a_dead_process_left_is_swept_after_a_day(store: Store, root: Path) -> None:
    store.put(io.BytesIO(CONTENT), len(CONTENT))
    old, new = (root / "documents" / "incoming" / name for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    store.put(io.BytesIO(b"x"), 1)
    assert (False, True) == (old.exists(), new.exists())


def test_documents_lie_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    assert tmp_path / "documents" == Settings(data_dir=tmp_path).documents
    assert isinstance(store_of(Settings(data_dir=tmp_path), Space.DOCUMENTS), Folder)


def test_what_one_space_removes_another_keeps(store: Store, root: Path) -> None:
    other = store_of(Settings(documents_dir=str(root)), Space.OPEN_DATA)
    store.put(io.BytesIO(CONTENT), len(CONTENT))
    assert not other.has(SUM)
    other.put(io.BytesIO(CONTENT), len(CONTENT))
    store.remove(SUM)
    assert (False, True) == (store.has(SUM), other.has(SUM))


def test_files_are_found_by_when_they_were_last_put(store: Store, root: Path) -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    assert [] == list(store.put_before(moment))
    old = store.put(io.BytesIO(b"x"), 1).sha256
    again = store.put(io.BytesIO(b"y"), 1).sha256
    for file in files(root):
        os.utime(file, (moment.timestamp() - 1,) * 2)
    (root / "documents" / "incoming" / "old").touch()
    assert {old, again} == set(store.put_before(moment))
    store.put(io.BytesIO(b"y"), 1)
    assert [old] == list(store.put_before(moment))
