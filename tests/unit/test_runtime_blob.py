"""Kept files, in a folder and in a bucket: each once under its sum, whole or not at all, and nobody else's to read."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import signal
import stat
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import eventlet
import pytest
import s3_server
from harness import until
from s3_server import S3, SECRET, client, s3_process

from services.kernel.errors import ImeceError, Invalid, NotFound, Unavailable
from services.runtime import bucket
from services.runtime.blob import Blob, Folder, Space, Store, store_of
from services.runtime.bucket import Bucket
from services.runtime.settings import Settings

s3 = s3_server.s3
CONTENT = b"s\xc3\xb6zle\xc5\x9fme" * 100_000
SUM = hashlib.sha256(CONTENT).hexdigest()
KINDS = ["folder", "bucket"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "documents"


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, root: Path) -> Settings:
    """The settings of a store of each kind."""
    address = "" if request.param == "folder" else request.getfixturevalue("s3").new_bucket()
    return Settings(documents_dir=str(root), documents_url=address)


@pytest.fixture
def store(settings: Settings) -> Store:
    return store_of(settings, Space.DOCUMENTS)


@pytest.fixture
def folder(root: Path) -> Store:
    return store_of(Settings(documents_dir=str(root)), Space.DOCUMENTS)


def kept(settings: Settings) -> list[str]:
    """Everything that lies in the store or on its way there, whatever its name."""
    found = [str(each) for each in settings.documents.rglob("*") if each.is_file()]
    if settings.documents_url:
        name = settings.documents_url.rpartition("/")[2]
        found += [
            each["Key"] for each in client(settings.documents_url).list_objects_v2(Bucket=name).get("Contents", ())
        ]
    return found


# --- both kinds


def test_what_is_put_is_given_back(store: Store) -> None:
    assert Blob(SUM, len(CONTENT)) == store.put(io.BytesIO(CONTENT), len(CONTENT))
    assert store.has(SUM)
    with store.open(SUM) as file:
        assert CONTENT == file.read()


def test_a_file_can_be_read_in_any_order(store: Store) -> None:
    content = bytes(range(256)) * 2_000
    sha256 = store.put(io.BytesIO(content), len(content)).sha256
    with store.open(sha256) as file:
        assert file.seekable()
        assert content[:5] == file.read(5)
        assert len(content) - 3 == file.seek(-3, os.SEEK_END)
        assert content[-3:] == file.read()
        assert b"" == file.read()
        file.seek(300_000)
        assert content[300_000:400_000] == file.read(100_000)
        file.seek(-100_000, os.SEEK_CUR)
        assert content[300_000:] == file.read()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("a", b"x" * 300_000)
    archive.seek(0)
    with store.open(store.put(archive, 10**6).sha256) as file, zipfile.ZipFile(file) as read:
        assert b"x" * 300_000 == read.read("a")


def test_an_empty_file_is_a_file(store: Store) -> None:
    with store.open(store.put(io.BytesIO(b""), 0).sha256) as file:
        assert b"" == file.read()


def test_the_same_content_is_kept_once(store: Store, settings: Settings) -> None:
    for _ in range(3):
        store.put(io.BytesIO(CONTENT), len(CONTENT))
    store.put(io.BytesIO(b""), 0)
    assert 2 == len(kept(settings))


def test_the_same_content_sent_twice_at_once_is_kept_once(store: Store, settings: Settings) -> None:
    sent = [eventlet.spawn(store.put, io.BytesIO(CONTENT), len(CONTENT)) for _ in range(4)]
    assert [Blob(SUM, len(CONTENT))] * 4 == [each.wait() for each in sent]
    assert 1 == len(kept(settings))


def test_what_is_larger_than_allowed_is_not_kept(store: Store, settings: Settings) -> None:
    with pytest.raises(Invalid) as refused:
        store.put(io.BytesIO(CONTENT), len(CONTENT) - 1)
    assert "file" == refused.value.details["errors"][0]["field"]
    assert [] == kept(settings)


def test_what_breaks_off_is_not_kept(store: Store, settings: Settings) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        store.put(Torn(CONTENT), len(CONTENT))
    assert [] == kept(settings)


def test_a_file_is_never_whole_in_memory(store: Store) -> None:
    largest = 0

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal largest
            assert size is not None
            assert size > 0
            largest = max(largest, size)
            return super().read(size)

    store.put(Watched(CONTENT), len(CONTENT))
    assert 256 * 1024 == largest


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


def test_what_one_space_removes_another_keeps(store: Store, settings: Settings) -> None:
    other = store_of(settings, Space.OPEN_DATA)
    store.put(io.BytesIO(CONTENT), len(CONTENT))
    assert not other.has(SUM)
    other.put(io.BytesIO(CONTENT), len(CONTENT))
    store.remove(SUM)
    assert (False, True) == (store.has(SUM), other.has(SUM))
    assert [SUM] == list(other.put_before(datetime.now(UTC) + timedelta(hours=1)))
    assert [] == list(store.put_before(datetime.now(UTC) + timedelta(hours=1)))


def test_files_are_found_by_when_they_were_last_put(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "_LISTED_AT_ONCE", 2)
    assert [] == list(store.put_before(datetime.now(UTC) + timedelta(hours=1)))
    sums = [store.put(io.BytesIO(b"%d" % number), 9).sha256 for number in range(5)]
    between = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # servers count whole seconds
    assert [] == list(store.put_before(between - timedelta(minutes=5)))
    assert sorted(sums) == sorted(store.put_before(between))
    until(lambda: datetime.now(UTC) >= between)
    store.put(io.BytesIO(b"0"), 9)
    assert sorted(sums[1:]) == sorted(store.put_before(between))
    for found in store.put_before(between):
        store.remove(found)
    assert sums[:1] == list(store.put_before(between + timedelta(hours=1)))


def test_what_a_dead_process_left_is_swept_after_a_day(store: Store, root: Path) -> None:
    store.put(io.BytesIO(CONTENT), len(CONTENT))
    old, new = (root / "documents" / "incoming" / name for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    store.put(io.BytesIO(b"x"), 1)
    assert (False, True) == (old.exists(), new.exists())


# --- the scanner

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The text that every scanner calls a virus, and that harms nothing (eicar.org)."""
SCANNER = """#!/bin/sh
env | grep -q IMECE_ && exit 3
echo ran >> "$1"
case "$2" in
  slow) sleep 30 & wait ;;
  loud) yes | head -c 1000000 ;;
  broken) echo 'no such socket'; exit 2 ;;
esac
grep -q 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE' && { echo 'stream: Eicar-Signature FOUND'; exit 1; }
exit 0
"""


@pytest.fixture
def scanned(settings: Settings, tmp_path: Path) -> Callable[..., Store]:
    """A store with a scanner, working in the given way; `ran` beside it lists its runs."""
    script = tmp_path / "the scanner.sh"
    script.write_text(SCANNER)
    script.chmod(0o700)

    def made(way: str = "", space: Space = Space.DOCUMENTS, command: str | None = None) -> Store:
        whole = command or f"'{script}' '{tmp_path / 'ran'}' {way}"
        return store_of(
            Settings(documents_dir=settings.documents_dir, documents_url=settings.documents_url, scan_command=whole),
            space,
        )

    return made


def test_a_clean_file_is_kept_after_the_scanner_saw_it(
    scanned: Callable[..., Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMECE_DATABASE_URL", "postgresql://user:secret@host/")
    for way in ("", "loud"):
        assert scanned(way).has(scanned(way).put(io.BytesIO(CONTENT), len(CONTENT)).sha256)
    assert "ran\nran\n" == (tmp_path / "ran").read_text()


def test_an_infected_file_is_refused_and_leaves_nothing(
    scanned: Callable[..., Store], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for space in (Space.DOCUMENTS, Space.PETITIONS):
        with pytest.raises(Invalid) as refused:
            scanned(space=space).put(io.BytesIO(b"harmless words " * 100_000 + EICAR), 10**7)
        (said,) = refused.value.details["errors"]
        assert "file" == said["field"]
        assert "Eicar-Signature" not in str(said)
    assert [] == kept(settings)
    assert "Eicar-Signature" not in caplog.text


def test_what_we_wrote_ourselves_is_not_scanned(scanned: Callable[..., Store], tmp_path: Path) -> None:
    scanned(space=Space.OPEN_DATA).put(io.BytesIO(EICAR), 100)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("settings", ["folder"], indirect=True)
@pytest.mark.parametrize("way", ["broken", "slow"])
def test_a_file_of_which_the_scanner_says_nothing_clear_is_not_kept(
    way: str, scanned: Callable[..., Store], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.scan.SCAN_SECONDS", 0.5)
    began = monotonic()
    with pytest.raises(Unavailable):
        scanned(way).put(io.BytesIO(CONTENT), len(CONTENT))
    assert monotonic() - began < 5
    assert [] == kept(settings)


@pytest.mark.parametrize("settings", ["folder"], indirect=True)
def test_a_scanner_that_is_not_there_keeps_every_file_out(scanned: Callable[..., Store], settings: Settings) -> None:
    with pytest.raises(Unavailable):
        scanned(command="/nowhere/scanner -").put(io.BytesIO(CONTENT), len(CONTENT))
    assert [] == kept(settings)


@pytest.mark.parametrize("settings", ["folder"], indirect=True)
def test_others_work_while_scanners_run_and_only_so_many_run_at_once(
    scanned: Callable[..., Store], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("services.runtime.scan.SCAN_SECONDS", 0.3)
    store = scanned("slow")
    waiting = [eventlet.spawn(outcome, store) for _ in range(5)]
    turns = 0
    until((tmp_path / "ran").exists)
    while not all(each.dead for each in waiting):
        turns += 1
        eventlet.sleep(0.01)
    assert [Unavailable] * 5 == [each.wait() for each in waiting]
    assert turns > 10
    assert 2 <= len((tmp_path / "ran").read_text().split()) <= 4


def outcome(store: Store) -> type[ImeceError] | None:
    try:
        store.put(io.BytesIO(CONTENT), len(CONTENT))
    except ImeceError as refused:
        return type(refused)
    return None


# --- the folder


def test_nobody_else_can_read_what_is_kept(folder: Store, root: Path) -> None:
    before = os.umask(0)
    try:
        folder.put(io.BytesIO(CONTENT), len(CONTENT))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in [root, *root.rglob("*")]}
    assert {0o700, 0o600} == modes


def test_documents_lie_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    assert tmp_path / "documents" == Settings(data_dir=tmp_path).documents
    assert isinstance(store_of(Settings(data_dir=tmp_path), Space.DOCUMENTS), Folder)


# --- the bucket


def in_bucket(address: str, root: Path) -> Store:
    return store_of(Settings(documents_dir=str(root), documents_url=address), Space.DOCUMENTS)


def test_an_object_is_named_after_its_space_and_its_sum(s3: S3, root: Path) -> None:
    address = s3.new_bucket()
    store = in_bucket(address, root)
    assert isinstance(store, Bucket)
    store.put(io.BytesIO(CONTENT), len(CONTENT))
    listed = client(address).list_objects_v2(Bucket=address.rpartition("/")[2])["Contents"]
    assert [f"documents/{SUM[:2]}/{SUM[2:4]}/{SUM}"] == [each["Key"] for each in listed]


def test_a_store_that_is_away_is_unavailable_and_its_secret_is_told_nobody(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with s3_process(tmp_path) as server:
        address, port = server.new_bucket(), server.port
        store = in_bucket(address, root)
        store.put(io.BytesIO(CONTENT), len(CONTENT))
        reading = store.open(SUM)
        assert CONTENT[:10] == reading.read(10)
    asked: list[Callable[[], object]] = [
        lambda: store.put(io.BytesIO(b"x"), 1),
        lambda: store.open(SUM),
        lambda: store.has(SUM),
        lambda: store.remove(SUM),
        lambda: list(store.put_before(datetime.now(UTC))),
        lambda: reading.seek(0, os.SEEK_END) and reading.seek(500_000) and reading.read(600_000),
    ]
    for ask in asked:
        began = monotonic()
        with pytest.raises(Unavailable) as away:
            ask()
        assert monotonic() - began < bucket.ANSWER_SECONDS
        assert away.value.__cause__ is None
    assert [] == kept(Settings(documents_dir=str(root)))
    assert SECRET not in caplog.text
    assert "very%2F" not in caplog.text
    assert "AWS4" not in caplog.text
    with s3_process(tmp_path, port=port):
        client(address).create_bucket(Bucket=address.rpartition("/")[2])
        assert store.has(store.put(io.BytesIO(b"x"), 1).sha256)  # the same store, when its server is back


def test_a_store_that_says_nothing_is_unavailable_in_time_while_others_work(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(bucket, "SILENCE_SECONDS", 0.5)
    silent = eventlet.listen(("127.0.0.1", 0))
    store = in_bucket(f"s3://k:s@127.0.0.1:{silent.getsockname()[1]}/imece", root)
    turns = [eventlet.spawn_after(0.01 * number, lambda: None) for number in range(20)]
    for ask in (lambda: store.has(SUM), lambda: store.put(io.BytesIO(b"x"), 1)):
        began = monotonic()
        with pytest.raises(Unavailable):
            ask()
        assert monotonic() - began < 5
    assert all(each.dead for each in turns)
    silent.close()


@pytest.mark.parametrize("broken", ["no such bucket", "stopped"])
def test_a_bucket_that_takes_nothing_is_unavailable(s3: S3, tmp_path: Path, root: Path, broken: str) -> None:
    if broken == "no such bucket":
        store = in_bucket(s3.address("no-such-bucket"), root)
        for ask in (lambda: store.put(io.BytesIO(b"x"), 1), lambda: list(store.put_before(datetime.now(UTC)))):
            with pytest.raises(Unavailable):
                ask()
        with pytest.raises(Unavailable):
            store.open(SUM)
        return
    with s3_process(tmp_path) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(bucket, "SILENCE_SECONDS", 1.0)
        store = in_bucket(server.new_bucket(), root)
        server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(Unavailable):
            store.put(io.BytesIO(b"x"), 1)
        server.process.send_signal(signal.SIGCONT)


def test_over_tls_the_server_must_show_who_it_is(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    with s3_process(tmp_path, str(certificate), str(key)) as server:
        store = in_bucket(server.address("imece"), root)
        with pytest.raises(Unavailable):
            store.put(io.BytesIO(b"x"), 1)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        bucket._client.cache_clear()  # noqa: SLF001 - as a process that starts with that setting
        trusted = server.new_bucket()
        assert in_bucket(trusted, root).has(in_bucket(trusted, root).put(io.BytesIO(b"x"), 1).sha256)


@pytest.mark.parametrize(
    "wrong",
    [
        "http://key:secret@host/bucket",
        "s3://host/bucket",
        "s3://key:secret@host/",
        "s3://key:secret@host/bucket/folder",
        "s3://key:se/cret@host/bucket",
        "s3://key:secret@host:99999/bucket",
        "s3://key:secret@host/bucket?region=a b",
        "s3://key:secret@host/bucket?zone=a",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_at_the_start_without_being_repeated(wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        Settings.from_environment({"IMECE_DOCUMENTS_URL": wrong})
    assert "IMECE_DOCUMENTS_URL" in str(refused.value.details)
    assert wrong not in str(refused.value.details)


def test_addresses_with_and_without_a_region_are_taken() -> None:
    for right in ("s3://key:se%2Fcret@host:9000/bucket", "s3s://key:secret@s3.example.org/b-1.x/?region=eu-central-1"):
        assert right == Settings.from_environment({"IMECE_DOCUMENTS_URL": right}).documents_url
    for wrong in ("'unclosed", "  "):
        with pytest.raises(Invalid):
            Settings.from_environment({"IMECE_SCAN_COMMAND": wrong})
