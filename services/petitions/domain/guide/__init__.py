"""The guided form: answers to plain questions become a petition, which the petitioner can edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.kernel.turkish import fold
from services.petitions.domain.advice.drafting import capital
from services.petitions.domain.advice.topic import INFORMATION_REQUEST, OPINION, PARTNERSHIP_PROPOSAL, PETITION
from services.petitions.domain.advice.voice import VOICES, Voice
from services.petitions.domain.guide.question import QUESTIONS, REMINDERS, Question

__all__ = ["QUESTIONS", "REMINDERS", "Composed", "Question", "compose"]

_LONGEST_SUBJECT = 120
_BODY_OF = re.compile(r"(?<=[^ ]) {1,3}belediye(?:si|ye|sine)?(?: {1,3}baskanligi(?:na)?)?\Z")
_LAW = "4982 sayılı Bilgi Edinme Hakkı Kanunu"
_ENDS = ".!?…:"
_LIST_MARK = re.compile(r"\A(?:[0-9]{1,2}[.)]|[-•*–])[ \t]{1,4}")
_ASKED = re.compile(r"m[ae](?:si|leri)ni\Z")
_NAMED = re.compile(r"m[ae](?:si|leri)\Z")
_WANT = re.compile(r"[\s,]{1,3}(?:istiyoru[mz]|isteri[mz]|(?:arz|rica|talep)\s{1,3}(?:ederi[mz]|ediyoru[mz]))\Z")


@dataclass(frozen=True)
class Composed:
    """A petition made of answers: its subject line and its text, from the addressee to the list of annexes."""

    subject: str
    body: str


def compose(kind: str, answers: Mapping[str, str], petitioner_type: str = "citizen") -> Composed:
    """The petition of these answers (question code → answer); the answers' own words stay.

    Raises Invalid for an answer that is missing, too long, none of the choices, or to no question of this
    kind. Raises KeyError for a kind or a petitioner type that is none.
    """
    voice = VOICES[petitioner_type]
    said = _checked(QUESTIONS[kind], answers)
    parts = [
        f"{capital(_name(said['municipality']))} BELEDİYE BAŞKANLIĞINA",
        *_MIDDLES[kind](said, voice),
        *_channel(said, voice),
        *_annexes(said),
    ]
    return Composed(_subject(kind, said), "\n\n".join(part for part in parts if part))


def _checked(questions: tuple[Question, ...], answers: Mapping[str, str]) -> dict[str, str]:
    by_code = {question.code: question for question in questions}
    wrong = [(f"answers.{code}", Sentence("This field is not known here.")) for code in answers if code not in by_code]
    said = {code: _tidy(answers.get(code) or "", question) for code, question in by_code.items()}
    for code, question in by_code.items():
        if question.required and not said[code]:
            wrong.append((f"answers.{code}", Sentence("Fill this in.")))
        elif len(said[code]) > question.longest:
            wrong.append((f"answers.{code}", Sentence("Write at most {most} characters.", most=question.longest)))
        elif said[code] and question.choices and said[code] not in question.choices:
            choices = ", ".join(question.choices)
            wrong.append((f"answers.{code}", Sentence("Choose one of: {choices}.", choices=choices)))
    if wrong:
        raise Invalid.fields(wrong)
    return said


def _name(municipality: str) -> str:
    """The name without "Belediyesi" and the like after it."""
    key = fold(municipality)
    return (
        municipality[: at.start()] if len(key) == len(municipality) and (at := _BODY_OF.search(key)) else municipality
    )


def _tidy(answer: str, question: Question) -> str:
    """The answer without blanks around it and empty lines in it; short ones on one line."""
    lines = [" ".join(line.split()) for line in answer.splitlines()]
    kept = [line for line in lines if line]
    return ("\n" if question.lines or question.longest > _LONGEST_SUBJECT * 5 else " ").join(kept)


def _sentence(text: str) -> str:
    """The text with a capital at its beginning and a sign at its end."""
    whole = text.strip()
    return f"{capital(whole[:1])}{whole[1:]}{'' if whole[-1:] in _ENDS else '.'}" if whole else ""


def _row(label: str, text: str) -> str:
    return f"{label}: {text.rstrip('.')}" if text else ""


def _rows(*rows: str) -> str:
    return "\n".join(row for row in rows if row)


def _wish(text: str, voice: Voice) -> str:
    """What is asked, with the verb that ends a petition."""
    whole = text.strip().rstrip(".! ")
    key = fold(whole)
    if len(key) == len(whole):
        want = _WANT.search(key)
        if want is not None and _ASKED.search(key, 0, want.start()):
            whole = whole[: want.start()]
            key = fold(whole)
    if _ASKED.search(key):
        return _sentence(f"{whole} {voice.closing()}")
    if _NAMED.search(key):
        return _sentence(f"{whole} hususunda gereğini {voice.closing()}")
    return f"{_sentence(text)}\n\nGereğini {voice.closing()}."


def _petition(said: Mapping[str, str], voice: Voice) -> list[str]:
    return [
        _sentence(said["what_happened"]),
        _rows(
            _row("Yer", said["where"]),
            _row("Ne zamandan beri", said["since_when"]),
            _row("Kimleri ilgilendiriyor", said["whom_it_concerns"]),
        ),
        _wish(said["what_is_asked"], voice),
    ]


def _information(said: Mapping[str, str], voice: Voice) -> list[str]:
    mine = "tarafımıza" if voice.plural else "tarafıma"
    return [
        f"{_LAW} uyarınca aşağıdaki bilgi ve belgelerin {mine} verilmesini {voice.closing()}:",
        _listed(said["what_is_asked"]),
        _row("Dönem", said["period"]),
    ]


def _proposal(said: Mapping[str, str], voice: Voice) -> list[str]:
    ours = "Önerimizin" if voice.plural else "Önerimin"
    return [
        _sentence(said["need"]),
        _sentence(f"Bu ihtiyaç için aşağıdaki ortak hizmet projesini {'öneriyoruz' if voice.plural else 'öneriyorum'}"),
        _rows(
            _row("Önerilen faaliyet", said["proposed_activity"]),
            _row("Hizmet edeceği belediye görevi", said["municipal_duty"]),
            _row("Bizim katkımız" if voice.plural else "Benim katkım", said["we_bring"]),
            _row("Belediyenin katkısı", said["municipality_brings"]),
            _row("Yararlanacaklar", said["beneficiaries"]),
            _row("Süre", said["period"]),
            _row("Stratejik plandaki yeri", said["plan_link"]),
        ),
        f"{ours} 5393 sayılı Belediye Kanunu'nun 75. maddesi kapsamında değerlendirilmesini {voice.closing()}.",
    ]


def _opinion(said: Mapping[str, str], voice: Voice) -> list[str]:
    my = "görüşümüz" if voice.plural else "görüşüm"
    return [
        f"{_sentence(said['about_what']).rstrip('.')} hakkındaki {my} şöyledir:",
        _sentence(said["opinion"]),
        _row("Dayanak", said["grounds"]),
        _row("Öneri", said["proposal"]),
        f"Bilgilerinize {voice.closing()}.",
    ]


_MIDDLES = {
    PETITION: _petition,
    INFORMATION_REQUEST: _information,
    PARTNERSHIP_PROPOSAL: _proposal,
    OPINION: _opinion,
}

_HOW = {"email": "e-posta ile", "post": "posta ile", "by_hand": "elden"}


def _channel(said: Mapping[str, str], voice: Voice) -> list[str]:
    chosen = said.get("answer_channel")
    mine = "tarafımıza" if voice.plural else "tarafıma"
    return [f"Cevabın {mine} {_HOW[chosen]} verilmesini {voice.closing()}."] if chosen else []


def _annexes(said: Mapping[str, str]) -> list[str]:
    given = said.get("attachments")
    return [f"Ekler:\n{_listed(given)}"] if given else []


def _listed(text: str) -> str:
    lines = [_LIST_MARK.sub("", line) for line in text.split("\n")]
    return (
        "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)) if len(lines) > 1 else f"1. {lines[0]}"
    )


_ESSENCE = {
    PETITION: "what_is_asked",
    INFORMATION_REQUEST: "what_is_asked",
    PARTNERSHIP_PROPOSAL: "proposed_activity",
    OPINION: "about_what",
}


def _subject(kind: str, said: Mapping[str, str]) -> str:
    """The given subject, or what is asked, cut at a word and without the verb."""
    if said.get("subject"):
        return said["subject"]
    whole = said[_ESSENCE[kind]].split("\n")[0].rstrip(".! ")
    key = fold(whole)
    if len(key) == len(whole):
        want = _WANT.search(key)
        whole = whole[: want.start()] if want else whole
    if _ASKED.search(fold(whole)):
        whole = whole[:-2]
    if len(whole) > _LONGEST_SUBJECT:
        whole = whole[:_LONGEST_SUBJECT].rpartition(" ")[0] or whole[:_LONGEST_SUBJECT]
        whole += " …"
    return f"{capital(whole[:1])}{whole[1:]}"
