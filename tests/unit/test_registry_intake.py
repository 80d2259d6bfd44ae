"""Reading rows of files, telling what differs, and the course of an import."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Invalid, Refused
from services.kernel.text import Sentence
from services.kernel.turkish import collation_key, fold
from services.registry.domain.field import WrongField, text
from services.registry.domain.intake.course import Import, ImportState, Phase
from services.registry.domain.intake.diff import apply, diff, reverse, still_standing
from services.registry.domain.intake.identity import identity_key, registry_key
from services.registry.domain.intake.judgement import Decision, Known, Outcome, Row, judge_organisation
from services.registry.domain.intake.layout import LAYOUTS, heading_key, layout_called, recognise
from services.registry.domain.intake.reading import Reading, row_reader
from services.registry.domain.municipality import Municipality, read_municipality
from services.registry.domain.organisation import FACTS, Facts, facts_of, record_of
from services.registry.domain.vocabulary import Form, State

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NATIONAL = (
    "Ad,Sayi,Oran,Plaka,AnaNevisi,telNo,Mail,WebSitesi,FkSisKodPkNevi,FKSisTeskilatPk,SisKod,KurumAd,KurumAdres,Sira,"
    "BaskanAdSoyad,FkSisCityInfoPk,AltNevisString,IsActive,DtOlusturma,DtDegistirme,Olusturan,Degistiren"
)

VALUES = st.one_of(st.text(max_size=5), st.integers(), st.lists(st.text(max_size=3), max_size=2))
RECORDS = st.dictionaries(st.text(min_size=1, max_size=3), VALUES, max_size=6)


def read(layout: str, **cells: str) -> Reading:
    return row_reader(layout_called(layout), list(cells), TODAY)(list(cells.values()))


# --- what differs


@given(RECORDS, RECORDS)
def test_a_difference_that_is_applied_gives_the_other_record(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert b == apply(diff(a, b), a)


@given(RECORDS, RECORDS)
def test_a_difference_that_is_reversed_leads_back(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a == apply(reverse(diff(a, b)), b)


@given(RECORDS)
def test_nothing_differs_from_itself(a: dict[str, Any]) -> None:
    assert () == diff(a, a)


@given(RECORDS, RECORDS, RECORDS)
def test_each_change_still_stands_or_was_overtaken(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    changes = diff(a, b)
    standing, overtaken = still_standing(changes, c)
    assert all(c.get(change.field) == change.new for change in standing)
    assert all(c.get(change.field) != change.new for change in overtaken)
    assert len(changes) == len(standing) + len(overtaken)


FACTS_OF_ANY = st.builds(
    Facts,
    name=st.text(min_size=1, max_size=20),
    form=st.sampled_from(list(Form)),
    state=st.sampled_from(list(State)),
    registry_no=st.none() | st.text(min_size=1, max_size=10),
    founded_on=st.none() | st.dates(),
    expertise=st.lists(st.text(min_size=1, max_size=5), max_size=3).map(tuple),
)


@given(FACTS_OF_ANY)
def test_facts_survive_as_a_record(facts: Facts) -> None:
    assert facts == facts_of(record_of(facts))


# --- reading


@given(st.sampled_from([layout.id for layout in LAYOUTS]), st.data())
def test_no_row_is_too_strange_to_be_read(layout: str, data: st.DataObject) -> None:
    known = layout_called(layout)
    holds = [column.holds for column in known.columns]
    cells = data.draw(st.lists(st.text(max_size=30), min_size=len(holds), max_size=len(holds)))
    reading = row_reader(known, holds, TODAY)(cells)
    assert all(name and str(sentence) for name, sentence in reading.wrong)
    assert all(value is not None for value in reading.said.values())


LIKELY = st.text(alphabet="aıİşğÇ \u00a0\u200b\u0301\t\n9é", max_size=12) | st.text(max_size=12)


@given(LIKELY)
def test_the_quick_way_of_reading_text_reads_as_the_careful_one(given_text: str) -> None:
    def carefully(value: str) -> str | None:
        visible = (character for character in value if unicodedata.category(character) != "Cf")
        line = " ".join(unicodedata.normalize("NFC", "".join(visible)).split())
        if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in line):
            raise WrongField(AssertionError)  # type: ignore[arg-type]
        return line or None

    try:
        expected = carefully(given_text)
    except WrongField:
        with pytest.raises(WrongField):
            text(300)(given_text)
    else:
        assert expected == text(300)(given_text)


@given(LIKELY)
def test_folding_letter_by_letter_folds_as_a_table_would(given_text: str) -> None:
    dots, marks = str.maketrans("İIı", "iii"), str.maketrans("şğçöüâîû", "sgcouaiu")
    lowered = unicodedata.normalize("NFC", given_text).translate(dots).lower().translate(marks)
    assert lowered.replace("i\u0307", "i") == fold(given_text)


def test_the_sort_key_knows_the_turkish_alphabet() -> None:
    names = ["cami", "çınar", "Iğdır", "ışık", "İzmir", "jale", "zümrüt", "ωmega"]
    assert names == sorted(set(names), key=collation_key)


def test_the_national_export_is_read_into_our_fields() -> None:
    reading = read(
        "national_associations", registry_no="34.123.456", name=" Örnek  Derneği ", province="34",
        other_field="Mesleki", field="Dayanışma", email="bilgi@ornek.org.tr", is_active="False",
    )  # fmt: skip
    assert reading.said == {
        "registry_no": "34.123.456", "name": "Örnek Derneği", "province_code": "34", "field": "Dayanışma",
        "email": "bilgi@ornek.org.tr", "form": "association",
    }  # fmt: skip
    assert reading.inactive


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Türkiye Örnek Federasyonu", "federation"),
        ("TÜRKİYE ÖRNEK KONFEDERASYONU", "confederation"),
        ("Örnek Derneği Ankara Şubesi", "association_branch"),
        ("Federasyonu Sevenler Derneği", "association"),
    ],
)
def test_the_last_word_of_a_name_tells_umbrellas_and_branches(name: str, form: str) -> None:
    assert form == read("national_associations", name=name, registry_no="06.001.001", province="6").said["form"]


def test_where_the_export_names_no_organisation_its_other_name_is_taken_unless_it_is_a_province() -> None:
    assert "Örnek Derneği" == read("national_associations", other_name="Örnek Derneği").said["name"]
    assert [("name", "Give the full name of the organisation.")] == [
        (name, str(why)) for name, why in read("national_associations", other_name="Ankara", province="06").wrong
    ] or "name" not in read("national_associations", other_name="Ankara").said


def test_a_foundations_place_and_telephone_are_taken_apart() -> None:
    reading = read(
        "foundations", name="Örnek Vakfı", province_and_district="ANKARA / Çankaya", phone_and_fax="0312 000 00 00/01"
    )
    assert ("06", "Çankaya", "0312 000 00 00", "foundation") == tuple(
        reading.said[name] for name in ("province_code", "district", "phone", "form")
    )


@pytest.mark.parametrize("day", ["2024-05-31", "31.05.2024", "31/5/2024", "2024-05-31 00:00:00"])
def test_dates_are_read_as_they_are_written_here(day: str) -> None:
    assert "2024-05-31" == read("organisations", name="Örnek", founded_on=day).said["founded_on"]


@pytest.mark.parametrize("day", ["2024-02-30", "dün", "31.05.24", "9999-01-01", "2030-01-01"])
def test_a_date_that_cannot_be_is_named(day: str) -> None:
    assert ["founded_on"] == [name for name, _ in read("organisations", name="Örnek", founded_on=day).wrong]


def test_every_field_that_is_wrong_is_named_and_the_others_are_read() -> None:
    reading = read("organisations", name="Örnek", province="99", form="uçak", email="x", registry_no="34.001.001")
    assert ["email", "form", "province"] == sorted(name for name, _ in reading.wrong)
    assert {"name": "Örnek", "registry_no": "34.001.001"} == reading.said


# --- layouts


@pytest.mark.parametrize(
    ("kind", "header", "layout"),
    [
        ("organisations", NATIONAL, "national_associations"),
        ("organisations", "Tel / Faks,Ad,IL / İLÇE,Adres", "foundations"),
        ("organisations", "Kütük No,Ad,Tür,İl,İlçe,E-posta", "organisations"),
        ("organisations", "registry_no,name,form,province,district,founded_on,field", "organisations"),
        ("statuses", "registry_no,kind,decision_no,decision_on,gazette_no,gazette_on,valid_from,valid_to", "statuses"),
        ("municipalities", "code,name,kind,province_code,province,district,civil_authority_code", "municipalities"),
    ],
)
def test_a_layout_is_recognised_by_its_header_in_any_order(kind: str, header: str, layout: str) -> None:
    columns = header.split(",")
    for order in (columns, columns[::-1], [f" {column.upper()} " for column in columns]):
        assert layout == recognise(kind, order).layout.id


def test_only_known_columns_are_kept_and_persons_are_not_among_them() -> None:
    header = NATIONAL.split(",")
    found = recognise("organisations", header)
    kept = {header[place] for place in found.keep}
    assert {
        "Ad", "Plaka", "AnaNevisi", "telNo", "Mail", "WebSitesi", "SisKod", "KurumAd", "KurumAdres",
        "AltNevisString", "IsActive",
    } == kept  # fmt: skip
    assert list(found.keep) == sorted(found.keep)
    assert found.holds[found.keep.index(header.index("SisKod"))] == "registry_no"


def test_a_header_of_no_layout_says_what_is_missing() -> None:
    with pytest.raises(Invalid) as refused:
        recognise("statuses", ["kind", "decision_no"])
    [error] = refused.value.details["errors"]
    assert "registry_no / name" == error["message"]["values"]["missing"]


def test_a_file_of_another_kind_is_not_taken_for_this_one() -> None:
    for header in ("registry_no,kind,decision_no,valid_from", "registry_no,name,province,kind,decision_no,decision_on"):
        with pytest.raises(Invalid):
            recognise("organisations", header.split(","))


def test_two_columns_that_hold_the_same_are_refused() -> None:
    with pytest.raises(Invalid):
        recognise("organisations", ["name", "Ad", "form", "province"])


def test_no_heading_stands_for_two_fields_of_one_layout() -> None:
    for layout in LAYOUTS:
        known = {(heading_key(heading), column.holds) for column in layout.columns for heading in column.headings}
        assert len(known) == len({heading for heading, _ in known}), layout.id
        assert {holds for group in layout.known_by for holds in group} <= {column.holds for column in layout.columns}


# --- judgement


def known(**record: Any) -> Known:
    facts = {"name": "Örnek Derneği", "form": "association", "state": "active", **record}
    return Known("id-1", 3, facts, registry_key(facts.get("registry_no")))


def judged(reading: Reading, numbered: Any = (), namesakes: Any = (), *decided: Any) -> Row:
    return judge_organisation(Row(2, Outcome.UNCHANGED), reading, numbered, namesakes, *decided)


def test_what_the_row_does_not_say_stays_as_it_is() -> None:
    found = judged(
        read("organisations", registry_no="34.001.001", email=""), [known(email="a@b.org", registry_no="34.001.001")]
    )
    assert (Outcome.UNCHANGED, ()) == (found.outcome, found.changes)


@pytest.mark.parametrize(
    ("numbered", "namesakes"),
    [
        ([known(registry_no="34.001.001", form="federation")], []),
        ([known(registry_no="34.001.001"), known(registry_no="34.001.001")], []),
        ([], [known()]),
    ],
)
def test_whatever_is_not_clear_goes_to_review(numbered: list[Known], namesakes: list[Known]) -> None:
    row = judged(
        read("organisations", registry_no="34.001.001", name="Örnek Derneği", form="dernek"), numbered, namesakes
    )
    assert Outcome.REVIEW is row.outcome
    assert row.candidates
    assert row.organisation_id is None


def test_a_namesake_with_a_number_is_the_same_for_a_list_without_numbers() -> None:
    reading = read("foundations", name="Örnek Vakfı", province_and_district="Ankara")
    one = known(name="Örnek Vakfı", form="foundation", registry_no="1234", province_code="06")
    assert Outcome.UNCHANGED is judged(reading, (), [one]).outcome
    assert Outcome.REVIEW is judged(reading, (), [known(form="association")]).outcome


def test_a_row_that_is_settled_with_a_taken_number_is_rejected() -> None:
    reading = read("organisations", registry_no="34.001.001", name="Örnek", form="dernek")
    row = judged(reading, [known(registry_no="34.001.001")], (), Decision("new"))
    assert (Outcome.REJECTED, "registry_no") == (row.outcome, row.reasons[0][0])


def test_identity_is_folded_and_keeps_places_apart() -> None:
    assert identity_key("IŞIK Derneği", "34", "Şişli") == identity_key("ışık DERNEĞİ", "34", "ŞİŞLİ")
    assert identity_key("Işık", "34", None) != identity_key("Işık", "06", None)
    assert ("34157157", None, None) == (registry_key("34.157-157"), registry_key(""), registry_key(" - "))


# --- the course


def imported(**values: Any) -> Import:
    given: dict[str, Any] = {
        "id": "i", "kind": "organisations", "source": "s", "layout": "organisations", "file_name": None,
        "file_sha256": None, "holds": [], "keep": [], "wanted": False, "requested_at": NOW, "requested_by": {},
        "acted_by": {}, "touched_at": NOW,
    }  # fmt: skip
    return Import(**{**given, **values})


def test_an_import_goes_its_course() -> None:
    one = imported()
    one.take_rows(3, NOW)
    one.end_upload(1, NOW)
    assert (Phase.COMPARING, 3) == (one.phase, one.of)
    one.end_comparison(NOW)
    assert (ImportState.READY, None) == (one.state, one.phase)
    one.want_applied(None, {}, NOW)
    assert Phase.APPLYING is one.phase
    one.applied(1, NOW)
    one.want_undone("i", {}, NOW)
    one.undone(NOW)
    assert (ImportState.UNDONE, None) == (one.state, one.applied_no)
    one.want_applied(None, {}, NOW)
    assert Phase.COMPARING is one.phase


def test_steps_out_of_order_are_refused() -> None:
    for step in (
        lambda: imported().want_applied(None, {}, NOW),
        lambda: imported(state=ImportState.READY, phase=None).want_undone("i", {}, NOW),
        lambda: imported(state=ImportState.READY, phase=None).take_rows(1, NOW),
        lambda: imported(state=ImportState.APPLIED, phase=None).want_undone("other", {}, NOW),
        lambda: imported(state=ImportState.APPLIED, phase=None).settle(2, Decision("skip"), NOW),
        lambda: imported(state=ImportState.READY, phase=None, cleaned_at=NOW).want_applied(None, {}, NOW),
    ):
        with pytest.raises(Refused):
            step()


def test_an_import_that_cannot_be_undone_stays_applied() -> None:
    one = imported(state=ImportState.RUNNING, phase=Phase.UNDOING)
    one.fail(Sentence("No."), NOW)
    assert (ImportState.APPLIED, "No.") == (one.state, str(one.problem))


# --- municipalities

TOWN = {
    "code": "34-t01", "name": "Örnek Belediyesi", "kind": "town", "province_code": "34", "district": "Şile",
    "civil_authority_code": "K34-34", "civil_authority_kind": "district_governor",
    "civil_authority": "Şile Kaymakamlığı", "full_membership": "9",
}  # fmt: skip


def test_a_town_is_read_and_registered() -> None:
    said, wrong = read_municipality(TOWN)
    assert [] == wrong
    town, event = Municipality.register(said.pop("code"), said)
    assert ("34-T01", "İstanbul", 9, 1) == (town.code, town.province, town.full_membership, event.subject_version)
    assert said == town.record()


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", "06-T01"), ("civil_authority_code", "V34"), ("full_membership", 2), ("name", None)],
)
def test_a_municipality_that_cannot_be_is_refused(field: str, value: Any) -> None:
    said, _ = read_municipality(TOWN)
    said = {**said, field: value}
    with pytest.raises(Invalid) as refused:
        Municipality.register(said.pop("code"), said)
    assert field == refused.value.details["errors"][0]["field"]


def test_a_list_changes_a_municipality_and_leaves_its_sittings() -> None:
    said, _ = read_municipality(TOWN)
    town, _ = Municipality.register(said.pop("code"), said)
    town.sittings = (TODAY,)
    assert town.restate(said) is None
    event = town.restate({**said, "full_membership": 11})
    assert event is not None
    assert (2, 11, (TODAY,)) == (town.version, town.full_membership, town.sittings)


def test_every_fact_has_its_place_in_a_record() -> None:
    assert set(FACTS) >= set(record_of(Facts("a", Form.UNION, expertise=("b",))))
