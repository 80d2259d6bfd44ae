"""The proposals of a municipality as its offices take them into a spreadsheet: columns and words, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.text import Label

COLUMNS: Mapping[str, Label] = {
    "number": Label(tr="Sayı", en="Number"),
    "filed_on": Label(tr="Başvuru tarihi", en="Filed on"),
    "kind": Label(tr="Tür", en="Kind"),
    "stage": Label(tr="Aşama", en="Stage"),
    "outcome": Label(tr="Sonuç", en="Outcome"),
    "petitioner_type": Label(tr="Paydaş türü", en="Kind of stakeholder"),
    "institution": Label(tr="Kurum", en="Institution"),
    "activity_code": Label(tr="Faaliyet kodu", en="Code of the activity"),
    "activity_title": Label(tr="Faaliyet", en="Activity"),
    "supporters": Label(tr="Destek sayısı", en="Signatures"),
}
"""No subject and no text: words of the petitioner may name persons."""

STAKEHOLDERS: Mapping[str, Label] = {
    "citizen": Label(tr="Yurttaş", en="Citizen"),
    "organisation": Label(tr="Sivil toplum kuruluşu", en="Civil society organisation"),
    "public_body": Label(tr="Kamu kurumu", en="Public body"),
    "local_government": Label(tr="Yerel yönetim", en="Local government"),
    "mukhtar": Label(tr="Muhtarlık", en="Mukhtar"),
    "school": Label(tr="Okul", en="School"),
    "company": Label(tr="Şirket", en="Company"),
    "neighbourhood_assembly": Label(tr="Mahalle meclisi", en="Neighbourhood assembly"),
    "citizen_assembly": Label(tr="Yurttaş meclisi", en="Citizen assembly"),
    "other": Label(tr="Diğer", en="Other"),
}
