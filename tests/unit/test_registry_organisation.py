"""What an organisation's fields may be, and the words in which they are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Conflict, Invalid
from services.registry.domain.organisation import Organisation
from services.registry.domain.province import NAMES, province_code
from services.registry.domain.vocabulary import Form, State

TODAY = date(2026, 3, 2)


def register(**fields: Any) -> Organisation:
    organisation, _ = Organisation.register("o", {"name": "Örnek Derneği", "form": "association", **fields}, TODAY)
    return organisation


def refusal(**fields: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        register(**fields)
    return {error["field"]: error["message"]["template"] for error in refused.value.details["errors"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " . "),
        ("name", "a" * 301),
        ("name", "bel\x07"),
        ("name", "\ud800"),
        ("province_code", "82"),
        ("province_code", "00"),
        ("province_code", "6"),
        ("province_code", "٣٤"),
        ("founded_on", date(2026, 3, 3)),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a b@c.org"),
        ("phone", "call me"),
        ("phone", "123"),
        ("website", "javascript:alert(1)"),
        ("website", "ftp://ornek.org"),
        ("website", "ornek"),
        ("registry_no", "x" * 51),
        ("expertise", [str(n) for n in range(51)]),
        ("expertise", ["x" * 101]),
        ("address", "a\x00b"),
    ],
)
def test_a_field_that_cannot_be_right_is_refused_by_its_name(field: str, value: object) -> None:
    assert [field] == list(refusal(**{field: value}))


def test_all_wrong_fields_are_named_at_once() -> None:
    assert {"tax_no", "email", "founded_on"} == set(
        refusal(tax_no="1", email="x", founded_on=date(2030, 1, 1), phone="+90 212 000 00 00")
    )


@pytest.mark.parametrize("written", ["4540536920", " 4540536920 ", "454 053 69 20"])
def test_a_right_tax_number_is_kept_as_ten_digits(written: str) -> None:
    assert "4540536920" == register(tax_no=written).facts.tax_no


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("4540536921", "last digit"),
        ("454053692", "ten digits"),
        ("10000000146", "person's identity number"),
        ("45405369AB", "digits only"),
    ],
)
def test_a_wrong_tax_number_is_refused_with_what_is_wrong_about_it(number: str, says: str) -> None:
    assert says in refusal(tax_no=number)["tax_no"]


@pytest.mark.parametrize("address", ["ornek.org.tr", "http://ornek.org", "https://ornek.org.tr/a?b=c#d"])
def test_a_web_address_may_come_with_or_without_its_scheme(address: str) -> None:
    assert address == register(website=address).facts.website


@pytest.mark.parametrize("number", ["06.157.157", "34-123-456", "81.000.001", None])
def test_a_registry_number_of_the_known_shape_is_no_warning(number: str | None) -> None:
    assert [] == register(registry_no=number).warnings()


@pytest.mark.parametrize("number", ["6.157.157", "82.157.157", "34123456", "abc"])
def test_a_registry_number_of_another_shape_is_a_warning_and_no_refusal(number: str) -> None:
    organisation = register(registry_no=number)
    assert number == organisation.facts.registry_no
    assert 1 == len(organisation.warnings())


def test_a_registry_number_of_another_province_is_a_warning() -> None:
    assert 1 == len(register(registry_no="06.157.157", province_code="34").warnings())


def test_a_foundation_may_have_any_registry_number() -> None:
    assert [] == register(form="foundation", registry_no="5123").warnings()


def test_text_is_kept_in_one_line_and_one_spelling() -> None:
    organisation = register(name=" Cagdas\u0327 \ufeff Ya\u00adsam\n", district="")
    assert ("Cagdaş Yasam", None) == (organisation.facts.name, organisation.facts.district)


def test_expertise_is_kept_without_blanks_and_repetitions() -> None:
    assert ("harita", "su") == register(expertise=["harita", " ", "su", "harita "]).facts.expertise


def test_a_new_organisation_is_active_unless_said_otherwise() -> None:
    assert State.ACTIVE == register().facts.state
    assert State.TO_VERIFY == register(state="to_verify").facts.state


def test_an_update_changes_what_is_given_and_nothing_else() -> None:
    organisation = register(district="Şişli", email="bilgi@ornek.org.tr")
    event = organisation.update({"email": None, "form": "federation"}, TODAY)
    assert event is not None
    assert (2, None, "Şişli", Form.FEDERATION) == (
        event.subject_version,
        organisation.facts.email,
        organisation.facts.district,
        organisation.facts.form,
    )


def test_a_stale_version_is_a_conflict_and_none_is_not_checked() -> None:
    organisation = register()
    organisation.check_version(None)
    organisation.check_version(1)
    with pytest.raises(Conflict):
        organisation.check_version(2)


@given(st.text(max_size=60))
def test_whatever_is_written_as_a_name_is_kept_or_refused(name: str) -> None:
    try:
        kept = register(name=name).facts.name
    except Invalid:
        return
    assert kept == register(name=kept).facts.name
    kept.encode()


def test_each_province_is_found_by_its_number_and_its_name() -> None:
    assert 81 == len(NAMES)
    for number, name in enumerate(NAMES, start=1):
        code = f"{number:02}"
        assert {code} == {province_code(code), province_code(name), province_code(str(number))}
    assert ["34", "34", None, None] == [province_code(given) for given in ("istanbul", "ISTANBUL", "82", "x")]
