"""Papers as PDF by typst, which brings its own fonts and needs nothing from the system.

PDF/UA-1 (ISO 14289-1): tagged, with title and language. A text with a letter that the fonts lack is
printed without that promise, because the standard does not allow a letter that cannot be shown.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Any, Literal

import segno
import typst

from services.petitions.adapters.paper import Paper, Receipt

_STANDARD: Literal["ua-1"] = "ua-1"


def petition_pdf(paper: Paper) -> bytes:
    """The petition on A4, over as many pages as it needs."""
    return _printed("petition.typ", paper.to_plain())


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt on one page of A4, with a QR code of the tracking page."""
    return _printed("receipt.typ", {**receipt.to_plain(), "code": qr_svg(receipt.link)})


def qr_svg(link: str) -> str:
    """The link as a QR code (ISO/IEC 18004), drawn as SVG; a quarter of it may be unreadable."""
    drawn = BytesIO()
    segno.make(link, error="q", micro=False).save(drawn, kind="svg", border=4, xmldecl=False, nl=False)
    return drawn.getvalue().decode()


def _printed(template: str, content: dict[str, Any]) -> bytes:
    source, inputs = _source(template), {"paper": json.dumps(content, ensure_ascii=False)}
    try:
        made = typst.compile(source, sys_inputs=inputs, ignore_system_fonts=True, pdf_standards=[_STANDARD])
    except typst.TypstError:
        made = typst.compile(source, sys_inputs=inputs, ignore_system_fonts=True)
    return bytes(made)


@cache
def _source(template: str) -> bytes:
    return resources.files("services.petitions.adapters.paper").joinpath(template).read_bytes()
