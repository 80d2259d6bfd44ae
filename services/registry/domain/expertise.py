"""What an organisation offers to municipalities: tags of a short list, its own words, where and until when."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.kernel.errors import Invalid
from services.kernel.text import Label, Sentence
from services.registry.domain.events import OrganisationExpertiseChangedV1
from services.registry.domain.field import WrongField, text
from services.registry.domain.organisation import check_version
from services.registry.domain.province import province_code

MOST_TAGS = 10
LONGEST_TEXT = 3_000
LONGEST_TITLE = 200
LARGEST_DOCUMENT = 10 * 1024 * 1024
"""Bytes."""
MOST_DOCUMENTS = 50


class Area(StrEnum):
    """What a tag is about; tags are shown by area."""

    PEOPLE = "people"
    CITY = "city"
    CULTURE = "culture"
    PARTICIPATION = "participation"


AREAS = {
    Area.PEOPLE: Label(tr="İnsan ve sosyal hizmet", en="People and social services"),
    Area.CITY: Label(tr="Kent, çevre ve afet", en="City, environment and disasters"),
    Area.CULTURE: Label(tr="Kültür, eğitim ve spor", en="Culture, education and sport"),
    Area.PARTICIPATION: Label(tr="Katılım, veri ve hukuk", en="Participation, data and law"),
}


@dataclass(frozen=True)
class Tag:
    """A field of expertise: its code for programs, its name for people."""

    code: str
    area: Area
    label: Label


TAGS: Mapping[str, Tag] = {
    tag.code: tag
    for tag in (
        # The duties of 5393/14 and of the needs that municipalities named; the codes are in contracts/expertise.py too.
        Tag("children", Area.PEOPLE, Label(tr="Çocuklar", en="Children")),
        Tag("youth", Area.PEOPLE, Label(tr="Gençlik", en="Youth")),
        Tag("women_equality", Area.PEOPLE, Label(tr="Kadın ve toplumsal eşitlik", en="Women and equality")),
        Tag("disability", Area.PEOPLE, Label(tr="Engelli hakları ve hizmetleri", en="Disability")),
        Tag("older_people", Area.PEOPLE, Label(tr="Yaşlılar", en="Older people")),
        Tag("migration", Area.PEOPLE, Label(tr="Göç ve uyum", en="Migration and integration")),
        Tag("poverty", Area.PEOPLE, Label(tr="Yoksulluk ve sosyal yardım", en="Poverty and social aid")),
        Tag("health", Area.PEOPLE, Label(tr="Sağlık", en="Health")),
        Tag("psychosocial", Area.PEOPLE, Label(tr="Psikososyal destek", en="Psychosocial support")),
        Tag("employment", Area.PEOPLE, Label(tr="Meslek ve istihdam", en="Skills and employment")),
        Tag("disaster", Area.CITY, Label(tr="Afet ve acil durum", en="Disasters and emergencies")),
        Tag("environment", Area.CITY, Label(tr="Çevre ve iklim", en="Environment and climate")),
        Tag("animal_welfare", Area.CITY, Label(tr="Hayvan hakları ve refahı", en="Animal welfare")),
        Tag("agriculture", Area.CITY, Label(tr="Tarım ve gıda", en="Agriculture and food")),
        Tag("urban_planning", Area.CITY, Label(tr="Kent planlama ve mimarlık", en="Urban planning and architecture")),
        Tag("transport", Area.CITY, Label(tr="Ulaşım ve bisiklet", en="Transport and cycling")),
        Tag("accessibility", Area.CITY, Label(tr="Erişilebilirlik", en="Accessibility")),
        Tag("mapping", Area.CITY, Label(tr="Haritalama", en="Mapping")),
        Tag("culture_arts", Area.CULTURE, Label(tr="Kültür ve sanat", en="Culture and arts")),
        Tag("heritage", Area.CULTURE, Label(tr="Kültürel miras ve turizm", en="Heritage and tourism")),
        Tag("education", Area.CULTURE, Label(tr="Eğitim", en="Education")),
        Tag("sport", Area.CULTURE, Label(tr="Spor", en="Sport")),
        Tag("volunteering", Area.PARTICIPATION, Label(tr="Gönüllülük", en="Volunteering")),
        Tag("participation", Area.PARTICIPATION, Label(tr="Katılım ve izleme", en="Participation and monitoring")),
        Tag("data_technology", Area.PARTICIPATION, Label(tr="Veri ve teknoloji", en="Data and technology")),
        Tag("legal_aid", Area.PARTICIPATION, Label(tr="Hukuki destek", en="Legal aid")),
        Tag("training_guidance", Area.PARTICIPATION, Label(tr="Danışmanlık ve kapasite", en="Guidance and capacity")),
    )
}


@dataclass(frozen=True)
class Offer:
    """What an organisation offers, as it is recorded; no province means the whole country.

    `valid_until` is the last day on which it holds; without one it holds until it is changed.
    """

    id: str
    organisation_id: str
    version: int = 0
    tags: tuple[str, ...] = ()
    text: str | None = None
    provinces: tuple[str, ...] = ()
    valid_until: date | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None

    def holds(self, today: date) -> bool:
        """Whether it is offered today."""
        return bool(self.tags or self.text) and (self.valid_until is None or self.valid_until >= today)

    def change(
        self, given: Mapping[str, Any], expected_version: int | None, *, today: date, now: datetime, by: str
    ) -> tuple[Offer, OrganisationExpertiseChangedV1] | None:
        """The offer as `given` says; None when that is what is recorded already. Raises Invalid, Conflict."""
        check_version(self.version, expected_version)
        read = _read(given, today)
        if self.version and all(getattr(self, name) == value for name, value in read.items()):
            return None
        changed = replace(self, **read, version=self.version + 1, changed_at=now, changed_by=by)
        return changed, OrganisationExpertiseChangedV1(
            subject_id=changed.id,
            subject_version=changed.version,
            organisation_id=changed.organisation_id,
            tags=changed.tags,
            provinces=changed.provinces,
            valid_until=changed.valid_until,
        )


@dataclass(frozen=True)
class Document:
    """A file that shows what an organisation offers."""

    id: str
    organisation_id: str
    title: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    added_by: str


def document_title(given: str) -> str:
    """The title of a document, on one line. Raises Invalid."""
    try:
        title = text(LONGEST_TITLE)(given)
    except WrongField as error:
        raise Invalid.field("title", error.sentence) from None
    if title is None:
        raise Invalid.field("title", Sentence("Give the document a title."))
    return title


def _read(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    wrong: list[tuple[str, Sentence]] = []
    tags = tuple(sorted(set(given["tags"])))
    if unknown := [tag for tag in tags if tag not in TAGS]:
        wrong.append(("tags", Sentence("There is no such field of expertise: {tag}.", tag=unknown[0])))
    if len(tags) > MOST_TAGS:
        wrong.append(("tags", Sentence("Choose at most {most} fields of expertise.", most=MOST_TAGS)))
    provinces = tuple(sorted(set(given["provinces"])))
    if any(province_code(code) != code for code in provinces):
        wrong.append(("provinces", Sentence("Give a province by its plate number, 01 to 81.")))
    until = given["valid_until"]
    if until is not None and until < today:
        wrong.append(("valid_until", Sentence("This day has passed.")))
    try:
        words = _paragraphs(given["text"])
    except WrongField as error:
        wrong.append(("text", error.sentence))
        words = None
    if wrong:
        raise Invalid.fields(wrong)
    return {"tags": tags, "text": words, "provinces": provinces, "valid_until": until}


def _paragraphs(given: str | None) -> str | None:
    """Free text on several lines, without blank ends, invisible signs and empty lines in a row."""
    lines = [text(LONGEST_TEXT)(line) or "" for line in unicodedata.normalize("NFC", given or "").splitlines()]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    whole = "\n".join(kept).strip()
    if len(whole) > LONGEST_TEXT:
        raise WrongField(Sentence("This text is too long: at most {longest} characters.", longest=LONGEST_TEXT))
    return whole or None
