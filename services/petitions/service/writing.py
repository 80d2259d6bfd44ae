"""Help with writing: advice, the guided form and papers. Nothing is stored, and no text is logged."""

from __future__ import annotations

from base64 import b64encode

from services.contracts.writing import AdviceRequest, AnswersRequest, PaperRequest
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.petitions.adapters.paper import LARGEST, MEDIA_TYPES, Paper
from services.petitions.adapters.paper.docx import petition_docx
from services.petitions.adapters.paper.pdf import petition_pdf
from services.petitions.domain.advice import advise
from services.petitions.domain.guide import QUESTIONS, REMINDERS, compose
from services.petitions.service.desk import Desk, Plain
from services.runtime.entrypoints import rpc
from services.runtime.schema import load


class WritingDesk(Desk):
    """Questions about texts that belong to the caller alone."""

    @rpc
    def advise_petition(self, request: Plain) -> Plain:
        """See `advice.advise`. Raises Invalid."""
        asked = load(AdviceRequest(), request)
        return advise(
            asked["subject"],
            asked["body"],
            asked["petitioner_type"],
            asked["kind"],
            asked["petitioner"],
            asked["municipality"] or "",
        ).to_plain()

    @rpc
    def petition_guide(self, kind: str) -> Plain:
        """The questions of the guided form for a kind of petition, with what should be known before. Raises Invalid."""
        if kind not in QUESTIONS:
            raise Invalid.field("kind", Sentence("Choose one of: {choices}.", choices=", ".join(QUESTIONS)))
        reminder = REMINDERS.get(kind)
        return {
            "kind": kind,
            "reminder": reminder.to_plain() if reminder else None,
            "questions": [question.to_plain() for question in QUESTIONS[kind]],
        }

    @rpc
    def compose_petition(self, request: Plain) -> Plain:
        """The petition that the answers make, and advice on it. Raises Invalid."""
        asked = load(AnswersRequest(), request)
        answers = {code: answer or "" for code, answer in asked["answers"].items()}
        made = compose(asked["kind"], answers, asked["petitioner_type"])
        advice = advise(made.subject, made.body, asked["petitioner_type"], asked["kind"])
        return {"subject": made.subject, "body": made.body, "advice": advice.to_plain()}

    @rpc
    def petition_paper(self, request: Plain) -> Plain:
        """A petition as a file, in base64. Raises Invalid."""
        asked = load(PaperRequest(), request)
        kind = asked.pop("format")
        words: Plain = {name: value or "" for name, value in asked.items() if name not in ("dated_on", "attachments")}
        paper = Paper(**words, dated_on=asked["dated_on"], attachments=asked["attachments"])
        content = petition_pdf(paper) if kind == "pdf" else petition_docx(paper)
        if len(content) > LARGEST:
            raise Invalid.field("body", Sentence("This text makes a file that is too large."))
        return {"content": b64encode(content).decode(), "media_type": MEDIA_TYPES[kind], "file_name": f"dilekce.{kind}"}
