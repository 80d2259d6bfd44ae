"""The petition as DOCX (ECMA-376), for those who want to go on writing."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from services.petitions.adapters.paper import Paper

_LANGUAGE = "tr-TR"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_FONT = "Times New Roman"


def petition_docx(paper: Paper) -> bytes:
    """The petition on A4 with page numbers; the same bytes for the same paper."""
    content = paper.to_plain()
    document = Document()
    _set_up(document, paper, content)
    if content["number"]:
        document.add_paragraph(f"Kayıt no: {content['number']}")
    if content["dated"]:
        document.add_paragraph(content["dated"]).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    head = document.add_paragraph(style="Title")
    head.alignment = WD_ALIGN_PARAGRAPH.CENTER
    head.add_run(content["head"]).bold = True
    if content["subject"]:
        subject = document.add_paragraph()
        subject.add_run("Konu: ").bold = True
        subject.add_run(content["subject"])
    for each in content["paragraphs"]:
        document.add_paragraph(each)
    _sign(document, content)
    return _packed(document)


def _set_up(document: Any, paper: Paper, content: dict[str, Any]) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(25)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _add_field(footer, "PAGE")
    footer.add_run(" / ")
    _add_field(footer, "NUMPAGES")
    for name, size in (("Normal", 12), ("Title", 13)):
        style = document.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        properties = style.element.get_or_add_rPr()
        properties.get_or_add_rFonts().set(qn("w:eastAsia"), _FONT)
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), _LANGUAGE)
        properties.append(language)
    made = _NO_DAY if paper.dated_on is None else datetime(*paper.dated_on.timetuple()[:3], tzinfo=UTC)
    core = document.core_properties
    core.title, core.language, core.author, core.comments = content["title"][:255], _LANGUAGE, "", ""
    core.created = core.modified = made
    core.last_modified_by, core.revision = "", 1


def _add_field(paragraph: Any, instruction: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    paragraph._p.append(field)  # noqa: SLF001 - the library has no call for fields


def _sign(document: Any, content: dict[str, Any]) -> None:
    if content["foot"]:
        document.add_paragraph(content["foot"])
        return
    signer = document.add_paragraph(f"{content['signer']}\n\n(imza)")
    signer.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph(content["address"])
    if content["annexes"]:
        document.add_paragraph().add_run("Ekler:").bold = True
        for each in content["annexes"]:
            document.add_paragraph(each, style="List Number")


def _packed(document: Any) -> bytes:
    """The document's parts in one archive, in order and without the time of day."""
    saved, packed = BytesIO(), BytesIO()
    document.save(saved)
    with ZipFile(saved) as made, ZipFile(packed, "w") as archive:
        names = made.namelist()
        for name in sorted(names, key=lambda name: (name != "[Content_Types].xml", name)):
            archive.writestr(ZipInfo(name, _LONG_AGO), made.read(name), compress_type=ZIP_DEFLATED)
    return packed.getvalue()
