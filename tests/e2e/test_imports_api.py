"""A registrar brings a list over HTTP or from the command line, sees every difference, applies it and takes it back."""

from __future__ import annotations

import csv
import io
import socket
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from harness import Client, System, until
from test_command_line import at

from services.gateway.schemas import intake as schemas
from services.registry import sample

ROWS = 60
NAME, NUMBER, PROVINCE = (sample.COLUMNS.index(each) for each in ("KurumAd", "SisKod", "Plaka"))
OTHERS = ("admin", "unit", "clerk", "mayor", "authority")


def edition(seed: int) -> list[list[str]]:
    """A list with its header; numbers of other seeds do not meet these."""
    return [list(sample.COLUMNS), *([*row.values()] for row in sample.associations(ROWS, seed))]


def as_csv(rows: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(rows: list[list[str]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def send(client: Client, data: bytes, source: str, name: str = "liste.csv", **more: str) -> Any:
    form = {"kind": "organisations", "source": source} | more
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    form.pop("key", None)
    return client.session.post(
        f"{client.url}/imports", data=form, files={"file": (name, data)}, headers=headers, timeout=60
    )


def at_rest(client: Client, import_id: str) -> dict[str, Any]:
    def found() -> Any:
        imported = client.get(f"/imports/{import_id}")
        return imported if imported["state"] != "running" else None

    rested: dict[str, Any] = until(found, 40)
    return rested


def brought(client: Client, data: bytes, source: str, **more: str) -> dict[str, Any]:
    answer = send(client, data, source, **more)
    assert 202 == answer.status_code, answer.text
    assert f"/api/v1/imports/{answer.json()['id']}" == answer.headers["Location"]
    return at_rest(client, answer.json()["id"])


def counts(imported: dict[str, Any]) -> dict[str, int]:
    names = ("read", "added", "changed", "unchanged", "vanished", "rejected", "review", "kept")
    return {name: imported[name] for name in names if imported[name]}


def later(first: list[list[str]]) -> list[list[str]]:
    """The next edition: 3 changed, 2 new, 4 missing, 2 that cannot be right and 1 with a cell too many."""
    rows = [list(row) for row in first]
    for row in rows[1:4]:
        row[NAME] = f"Büyük {row[NAME]}"
    for row in rows[4:6]:
        row[PROVINCE] = "99"
    rows[6].append("fazla")
    del rows[10:14]
    for number, row in enumerate(edition(99)[1:3], start=1):
        row[NUMBER] = f"{row[PROVINCE]}.000.00{number}"
        rows.append(row)
    return rows


def test_a_list_is_compared_applied_and_taken_back(system: System) -> None:
    registrar, source = system.client("registrar"), f"dernekler {uuid.uuid4()}"
    first = edition(seed=uuid.uuid4().int)
    trial = brought(registrar, as_csv(first), source)
    assert ("ready", {"read": ROWS, "added": ROWS}) == (trial["state"], counts(trial))
    assert [] == found(registrar, first[1])
    registrar.post(f"/imports/{trial['id']}/apply", status=202)
    assert "applied" == at_rest(registrar, trial["id"])["state"]
    assert [first[1][NAME]] == [each["name"] for each in found(registrar, first[1])]

    second = brought(registrar, as_csv(later(first)), source, apply="true")
    # Whom the row that cannot be read is about, nobody knows: the fifth to be verified.
    expected = {"read": ROWS - 2, "added": 2, "changed": 3, "unchanged": ROWS - 10, "vanished": 5, "rejected": 3}
    assert ("applied", expected) == (second["state"], counts(second))
    listed = registrar.get(f"/imports/{second['id']}/rows?size=200")["items"]
    assert Counter({name: number for name, number in expected.items() if name != "read"}) == Counter(
        row["outcome"] for row in listed
    )
    changed = registrar.get(f"/imports/{second['id']}/rows?outcome=changed")["items"]
    assert [2, 3, 4] == [row["row"] for row in changed]
    assert [{"field": "name", "old": first[1][NAME], "new": f"Büyük {first[1][NAME]}"}] == changed[0]["changes"]
    rejected = registrar.get(f"/imports/{second['id']}/rows?outcome=rejected")["items"]
    assert [5, 6, 7] == [row["row"] for row in rejected]
    assert ["province", "province", None] == [row["reasons"][0]["field"] for row in rejected]
    assert "The row has 23 cells and the header 22" in rejected[2]["reasons"][0]["message"]
    (doubted,) = found(registrar, first[10])
    assert "to_verify" == doubted["state"]

    registrar.post(f"/imports/{second['id']}/undo", status=202)
    assert "undone" == at_rest(registrar, second["id"])["state"]
    assert [(first[1][NAME], "active")] == [(each["name"], each["state"]) for each in found(registrar, first[1])]
    assert "active" == found(registrar, first[10])[0]["state"]


def found(client: Client, row: list[str]) -> list[dict[str, Any]]:
    return [
        each
        for each in client.get(f"/organisations?query={row[NUMBER]}&size=200")["items"]
        if each["registry_no"] == row[NUMBER]
    ]


def test_every_encoding_and_a_workbook_give_the_same_differences(embedded: System) -> None:
    registrar = embedded.client("registrar")
    first, source = edition(seed=11), f"biçimler {uuid.uuid4()}"
    brought(registrar, as_csv(first), source, apply="true")
    seen = []
    second = [row[: len(first[0])] for row in later(first)]
    for data in (
        as_csv(second),
        as_csv(second, "utf-8-sig", ";"),
        as_csv(second, "cp1254", "\t"),
        as_xlsx(second),
    ):
        imported = brought(registrar, data, source, name="başka ad.xls")
        rows = registrar.get(f"/imports/{imported['id']}/rows?size=200")["items"]
        # What a trial would add has an id of its own each time.
        seen.append((counts(imported), [row | {"organisation_id": None} for row in rows]))
    assert {"read": ROWS - 2, "added": 2, "changed": 3, "unchanged": ROWS - 9, "vanished": 4, "rejected": 2} == seen[0][
        0
    ]
    assert seen[0] == seen[1] == seen[2] == seen[3]


def test_no_persons_name_is_kept_anywhere(embedded: System) -> None:
    registrar = embedded.client("registrar")
    brought(registrar, as_csv(edition(seed=12)), f"kişiler {uuid.uuid4()}", apply="true")
    brought(registrar, as_xlsx(edition(seed=13)), f"kişiler {uuid.uuid4()}")
    marks = [sample.PERSON.encode(), sample.PERSON.encode("utf-16-le"), rb"K\u0130\u015e\u0130"]
    files = [each for each in embedded.folder.rglob("*") if each.is_file()]
    assert any(each.suffix == ".sqlite" for each in files)
    assert [] == [each.name for each in files if any(mark in each.read_bytes() for mark in marks)]


def test_the_registrar_alone_brings_lists_and_the_auditor_may_look(embedded: System) -> None:
    registrar, auditor = embedded.client("registrar"), embedded.client("auditor")
    imported = brought(registrar, as_csv(edition(seed=14)), f"roller {uuid.uuid4()}")
    paths = (f"/imports/{imported['id']}", f"/imports/{imported['id']}/rows", "/imports")
    assert [200, 200, 200] == [auditor.ask("GET", path).status for path in paths]
    for office in (*OTHERS, "auditor"):
        client = embedded.client(office)
        assert (403, "wrong_office") == ((answer := send(client, b"a,b\n", "x")).status_code, answer.json()["code"])
        for move in ("apply", "undo"):
            assert 403 == client.ask("POST", f"{paths[0]}/{move}").status
    for office in OTHERS:
        assert [403] * 3 == [embedded.client(office).ask("GET", path).status for path in paths]
    assert 401 == send(Client(embedded.url, None), b"a,b\n", "x").status_code


def raw(system: System, token: str, *lines: str) -> socket.socket:
    """A request by hand of which only the head is sent."""
    host, _, port = system.environment["IMECE_HTTP_ADDRESS"].rpartition(":")
    line = socket.create_connection((host, int(port)), timeout=20)
    head = ["POST /api/v1/imports HTTP/1.1", "Host: x", f"Authorization: {token}", *lines, "", ""]
    line.sendall("\r\n".join(head).encode())
    return line


@pytest.mark.parametrize(("office", "status"), [("auditor", 403), ("nobody", 401), ("registrar", 413)])
def test_who_may_not_send_and_what_is_too_large_is_refused_before_a_byte_of_the_file(
    embedded: System, office: str, status: int
) -> None:
    token = "Bearer x" if office == "nobody" else str(embedded.client(office).session.headers["Authorization"])
    size = 10**12 if office == "registrar" else 10**6
    line = raw(embedded, token, "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {size}")
    answer = b""
    while more := line.recv(65536):  # until the other side closes
        answer += more
    assert f"HTTP/1.1 {status} ".encode() == answer[:13]
    assert b"application/problem+json" in answer


def test_an_upload_that_is_cut_off_leaves_nothing(embedded: System) -> None:
    registrar, source = embedded.client("registrar"), f"kesik {uuid.uuid4()}"
    line = raw(
        embedded,
        str(registrar.session.headers["Authorization"]),
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Length: 1000000",
    )
    part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    line.sendall(part.encode() + b"x" * 300_000)
    line.close()
    assert 0 == registrar.get(f"/imports?source={source}")["total"]
    kept = [each for each in embedded.folder.rglob("*") if each.is_file()]
    assert kept
    assert [] == [each.name for each in kept if b"x" * 1_000 in each.read_bytes()]


@pytest.mark.parametrize(
    ("data", "more", "field"),
    [
        (b"%PDF-1.7", {}, "file"),
        (b"", {}, "file"),
        (b"a;b\n1;2\n", {}, "header"),
        (b"registry_no,name\n1,\xc5\x9f\n2,\xfe\n", {}, "file"),
        (b"name\nx\n", {"kind": "people"}, "kind"),
        (b"name\nx\n", {"apply": "perhaps"}, "apply"),
        (b"name\nx\n", {"source": " "}, "source"),
        (b"name\nx\n", {"color": "blue"}, "color"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    embedded: System, data: bytes, more: dict[str, str], field: str
) -> None:
    answer = send(embedded.client("registrar"), data, **({"source": f"hata {uuid.uuid4()}"} | more))
    assert (422, [field]) == (answer.status_code, [each["field"] for each in answer.json()["errors"]])


def test_a_file_is_needed_and_a_form_too(embedded: System) -> None:
    registrar = embedded.client("registrar")
    form = {"kind": (None, "organisations"), "source": (None, "x")}
    answer = registrar.session.post(f"{registrar.url}/imports", files=form, timeout=30)
    assert (422, "file") == (answer.status_code, answer.json()["errors"][0]["field"])
    assert (415, "unsupported_media_type") == (
        (json := registrar.ask("POST", "/imports", {"kind": "organisations"})).status, json.code,
    )  # fmt: skip
    assert (422, "body_missing") == ((empty := registrar.ask("POST", "/imports")).status, empty.code)


def test_a_table_that_breaks_in_its_middle_leaves_an_import_that_failed(embedded: System) -> None:
    registrar, source = embedded.client("registrar"), f"yarım {uuid.uuid4()}"
    whole = as_xlsx([["registry_no", "name", "form"], *([str(n), f"Dernek {n}", "association"] for n in range(3_000))])
    import zipfile

    package, out = zipfile.ZipFile(io.BytesIO(whole)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as torn:
        for name in package.namelist():
            part = package.read(name)
            torn.writestr(name, part[:-5_000] if name.endswith("sheet1.xml") else part)
    answer = send(registrar, out.getvalue(), source)
    assert (422, "file") == (answer.status_code, answer.json()["errors"][0]["field"])
    assert ["failed"] == [each["state"] for each in registrar.get(f"/imports?source={source}")["items"]]
    assert 202 == send(registrar, whole, source).status_code


def test_the_same_key_sends_a_file_once(embedded: System) -> None:
    registrar, source, key = embedded.client("registrar"), f"anahtar {uuid.uuid4()}", str(uuid.uuid4())
    first, again = (send(registrar, as_csv(edition(15)), source, key=key) for _ in range(2))
    assert (202, 202, first.json()["id"]) == (first.status_code, again.status_code, again.json()["id"])
    assert 422 == send(registrar, as_csv(edition(16)), source, key=key).status_code
    assert 1 == registrar.get(f"/imports?source={source}")["total"]


# the command line


def written(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def test_the_command_line_brings_a_list_beside_a_running_system(embedded: System, tmp_path: Path) -> None:
    source, first = f"komut {uuid.uuid4()}", edition(seed=17)
    options = ("--kind", "organisations", "--source", source, "--language", "en")
    said = at(
        embedded, "registry", "import", written(tmp_path, "a.csv", as_csv(first, "cp1254", ";")), *options, "--apply"
    )
    assert (0, "") == (said.code, said.err)
    assert "a.csv: CSV, cp1254, “;”" in said.out
    assert "İmece is running here and does the work" in said.out
    assert "was applied" in said.out
    said = at(embedded, "registry", "import", written(tmp_path, "b.xlsx", as_xlsx(later(first))), *options)
    assert 0 == said.code
    assert "row 5 " in said.out
    assert "province: Give the province by its name or its plate number" in said.out
    assert f"name: “{first[1][NAME]}” → “Büyük {first[1][NAME]}”" in said.out
    trial = said.out.rpartition("imece registry apply ")[2].strip()
    (other,) = {each["id"] for each in embedded.client("registrar").get(f"/imports?source={source}")["items"]} - {trial}
    listed = at(embedded, "registry", "imports", "--source", source).out.splitlines()
    assert [trial, other] == [line.split()[0] for line in listed]
    assert "ready" in listed[0]
    assert "was undone" in at(embedded, "registry", "undo", other, "--language", "en").out
    assert "was undone" in at(embedded, "registry", "show", other, "--language", "en").out
    assert "\r" not in said.out


def test_the_command_line_does_the_work_itself_where_nothing_runs(tmp_path: Path) -> None:
    from harness import free_port
    from test_command_line import imece

    alone = {"IMECE_HTTP_ADDRESS": f"127.0.0.1:{free_port()}"}
    listed, granted = str(tmp_path / "list.csv"), str(tmp_path / "statuses.csv")
    assert (
        0 == imece("registry", "sample", "--rows", "700", "--out", listed, "--statuses", granted, folder=tmp_path).code
    )
    assert (701, 3) == tuple(Path(each).read_text().count("\n") for each in (listed, granted))
    options = ("--source", "dernekler", "--language", "en")
    said = imece("registry", "import", listed, "--kind", "organisations", *options, "--apply", folder=tmp_path, **alone)
    assert (0, "") == (said.code, said.err)
    assert "700  new" in said.out
    said = imece("registry", "import", granted, "--kind", "statuses", *options, folder=tmp_path, **alone)
    assert "2  new" in said.out
    trial = said.out.rpartition("imece registry apply ")[2].strip()
    assert "was applied" in imece("registry", "apply", trial, "--language", "en", folder=tmp_path, **alone).out
    again = imece("registry", "import", listed, "--kind", "organisations", *options, folder=tmp_path, **alone)
    assert "700  unchanged" in again.out
    assert "işlem" not in again.out


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"%PDF-1.7", "This is a PDF"), (b"a,b\n1,2\n", "columns of this file are not known"), (b"", "The file is empty")],
)
def test_a_list_that_cannot_be_read_is_one_clear_line(embedded: System, tmp_path: Path, data: bytes, said: str) -> None:
    path = written(tmp_path, "x.csv", data)
    options = ("--kind", "organisations", "--source", "x", "--language", "en")
    assert said in at(embedded, "registry", "import", path, *options).refusal()


def test_an_import_that_is_not_there_is_one_clear_line(embedded: System) -> None:
    for command in ("show", "apply", "undo"):
        at(embedded, "registry", command, str(uuid.uuid4())).refusal()


def test_the_forms_limits_are_those_of_the_contract() -> None:
    assert 100 == schemas.SOURCE
