"""The questions of the guided form, for people who never wrote a petition: a table, by kind of petition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.kernel.text import Label
from services.petitions.domain.advice.topic import INFORMATION_REQUEST, OPINION, PARTNERSHIP_PROPOSAL, PETITION

SHORT, MIDDLE, LONG = 300, 1_000, 3_000


@dataclass(frozen=True)
class Question:
    """One question. `longest` is in characters; `choices` lists the possible answers, none means free text.

    `lines`: every line of the answer is an item of its own.
    """

    code: str
    label: Label
    help: Label
    example: Label
    required: bool = False
    longest: int = MIDDLE
    choices: Mapping[str, Label] = field(default_factory=dict)
    lines: bool = False

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "code": self.code,
            "label": self.label.to_plain(),
            "help": self.help.to_plain(),
            "example": self.example.to_plain(),
            "required": self.required,
            "longest": self.longest,
            "lines": self.lines,
            "choices": [{"code": code, "label": label.to_plain()} for code, label in self.choices.items()],
        }


CHANNELS: Mapping[str, Label] = {
    "email": Label("E-posta ile", "By e-mail"),
    "post": Label("Posta ile", "By post"),
    "by_hand": Label("Elden alacağım", "I will fetch it"),
}

_ADDRESSEE = Question(
    "municipality",
    Label("Hangi belediyeye yazıyorsunuz?", "Which municipality do you write to?"),
    Label("Yalnız adını yazın. Yanlış yere giden dilekçe doğru yere gönderilir ve size bildirilir (3071/5).",
          "Its name is enough. A petition sent to the wrong place is passed on, and you are told (3071/5)."),
    Label("Şişli", "Şişli"), required=True, longest=100,
)  # fmt: skip
_SUBJECT = Question(
    "subject",
    Label("Konu, birkaç kelimeyle", "The subject, in a few words"),
    Label("Boş bırakırsanız istediğinizden çıkarırız.", "If you leave it empty we take it from what you ask for."),
    Label("Sokak lambasının onarılması", "Sokak lambasının onarılması"), longest=200,
)  # fmt: skip
_CHANNEL = Question(
    "answer_channel",
    Label("Cevabı nasıl almak istersiniz?", "How would you like to get the answer?"),
    Label("Cevap 30 gün içinde verilir (3071/7); bilgi edinmede 15 iş günü (4982/11).",
          "The answer is due within 30 days (3071/7); for information within 15 working days (4982/11)."),
    Label("E-posta ile", "By e-mail"), choices=CHANNELS, longest=20,
)  # fmt: skip
_ATTACHMENTS = Question(
    "attachments",
    Label("Eklemek istediğiniz belgeler", "Documents that you want to add"),
    Label("Her satıra bir belge. Gerekmeyen kişisel bilgileri eklemeyin.",
          "One document on each line. Do not add data about persons that is not needed."),
    Label("Fotoğraf (2 adet)", "Fotoğraf (2 adet)"), longest=MIDDLE, lines=True,
)  # fmt: skip

QUESTIONS: Mapping[str, tuple[Question, ...]] = {
    PETITION: (
        _ADDRESSEE,
        Question(
            "what_happened",
            Label("Ne oldu?", "What happened?"),
            Label("Gördüğünüzü anlatın. Kimseyi suçlamanız gerekmez.",
                  "Tell what you saw. You need not accuse anybody."),
            Label("Evimizin önündeki sokak lambası yanmıyor.", "Evimizin önündeki sokak lambası yanmıyor."),
            required=True, longest=LONG,
        ),
        Question(
            "where",
            Label("Nerede?", "Where?"),
            Label("Mahalle, sokak, numara ya da herkesin bildiği bir yer.",
                  "Neighbourhood, street, number or a place that everybody knows."),
            Label("Feriköy Mahallesi, Örnek Sokak No: 12", "Feriköy Mahallesi, Örnek Sokak No: 12"), longest=SHORT,
        ),
        Question(
            "since_when",
            Label("Ne zamandan beri?", "Since when?"),
            Label("Tam günü bilmiyorsanız yaklaşık yazın.", "If you do not know the day, write roughly."),
            Label("3 Mart 2026", "3 Mart 2026"), longest=SHORT,
        ),
        Question(
            "whom_it_concerns",
            Label("Kimleri ilgilendiriyor?", "Whom does it concern?"),
            Label("Ad vermeden yazın: çocuklar, esnaf, mahalle sakinleri.",
                  "Without names: children, shopkeepers, residents."),
            Label("Okuldan dönen çocuklar", "Okuldan dönen çocuklar"), longest=SHORT,
        ),
        Question(
            "what_is_asked",
            Label("Belediyeden ne yapmasını istiyorsunuz?", "What do you ask the municipality to do?"),
            Label("Tek bir şey isteyin; başka bir konu için ayrı dilekçe yazın.",
                  "Ask for one thing; write another petition about another matter."),
            Label("Lambanın onarılmasını", "Lambanın onarılmasını"), required=True,
        ),
        _SUBJECT, _CHANNEL, _ATTACHMENTS,
    ),
    INFORMATION_REQUEST: (
        _ADDRESSEE,
        Question(
            "what_is_asked",
            Label("Hangi bilgi ya da belgeyi istiyorsunuz?", "Which information or document do you ask for?"),
            Label("Olabildiğince belirli yazın; neden istediğinizi söylemeniz gerekmez.",
                  "Be as definite as you can; you need not say why you ask."),
            Label("2025 yılında budanan ağaçların sayısı ve bu iş için yapılan harcama",
                  "2025 yılında budanan ağaçların sayısı ve bu iş için yapılan harcama"),
            required=True, longest=LONG, lines=True,
        ),
        Question(
            "period",
            Label("Hangi döneme ait?", "Of which period?"),
            Label("Bir yıl ya da iki tarih.", "A year or two dates."), Label("2025", "2025"), longest=SHORT,
        ),
        _SUBJECT, _CHANNEL,
    ),
    PARTNERSHIP_PROPOSAL: (
        _ADDRESSEE,
        Question(
            "need",
            Label("Hangi ihtiyaca cevap veriyor?", "Which need does it answer?"),
            Label("Kimin ihtiyacı olduğunu ve bunu nereden bildiğinizi yazın.",
                  "Say whose need it is and how you know of it."),
            Label("Mahallede çocukların oynayabileceği güvenli sokak yok; 2026 baharında 120 aileyle görüştük.",
                  "Mahallede çocukların oynayabileceği güvenli sokak yok; 2026 baharında 120 aileyle görüştük."),
            required=True, longest=LONG,
        ),
        Question(
            "proposed_activity",
            Label("Birlikte ne yapmayı öneriyorsunuz?", "What do you propose to do together?"),
            Label("Bir faaliyet: ne, nerede, nasıl.", "One activity: what, where, how."),
            Label("Ayda bir gün trafiğe kapatılan sokakta oyun günü", "Ayda bir gün trafiğe kapatılan sokakta oyun günü"),
            required=True, longest=LONG,
        ),
        Question(
            "municipal_duty",
            Label("Belediyenin hangi görevine hizmet ediyor?", "Which duty of the municipality does it serve?"),
            Label("Ortak hizmet projesi belediyenin görev alanında olmalıdır (5393/14, 75).",
                  "A joint service project must lie within the municipality's duties (5393/14, 75)."),
            Label("Sosyal hizmet, gençlik ve spor, park ve yeşil alanlar",
                  "Sosyal hizmet, gençlik ve spor, park ve yeşil alanlar"),
            required=True, longest=SHORT,
        ),
        Question(
            "we_bring",
            Label("Siz ne katacaksınız?", "What do you bring?"),
            Label("Uzmanlık, gönüllü, malzeme, kendi bütçeniz.", "Expertise, volunteers, materials, your own budget."),
            Label("Eğitmenler, gönüllüler ve oyun malzemesi", "Eğitmenler, gönüllüler ve oyun malzemesi"), required=True,
        ),
        Question(
            "municipality_brings",
            Label("Belediyeden ne bekliyorsunuz?", "What do you expect of the municipality?"),
            Label("Belediye dernek ve vakıflara para ya da mal veremez; yer, personel, duyuru ve projenin kendi giderleri "
                  "olabilir (5393/60-m, 75).",
                  "A municipality may not give money or goods to associations and foundations; premises, staff, publicity "
                  "and the project's own costs are possible (5393/60-m, 75)."),
            Label("Sokağın trafiğe kapatılması, duyuru ve temizlik görevlisi",
                  "Sokağın trafiğe kapatılması, duyuru ve temizlik görevlisi"),
            required=True,
        ),
        Question(
            "beneficiaries",
            Label("Kimler, kaç kişi yararlanacak?", "Who benefits, and how many?"),
            Label("Yaklaşık sayı yeter.", "A rough number is enough."),
            Label("6–12 yaşında yaklaşık 200 çocuk", "6–12 yaşında yaklaşık 200 çocuk"), required=True, longest=SHORT,
        ),
        Question(
            "period",
            Label("Ne zaman ve ne kadar sürecek?", "When, and for how long?"),
            Label("Meclis kararı ve izin gerekir: başlangıç için en az dört ay sonrasını düşünün.",
                  "A council decision and a permission are needed: think of a start at least four months ahead."),
            Label("Nisan–Ekim 2027, yedi ay", "Nisan–Ekim 2027, yedi ay"), required=True, longest=SHORT,
        ),
        Question(
            "plan_link",
            Label("Stratejik planda hangi amaç, hedef ya da faaliyete uyuyor?",
                  "Which goal, target or activity of the strategic plan does it fit?"),
            Label("Bilmiyorsanız boş bırakın.", "Leave it empty if you do not know."),
            Label("Hedef 3.2: Çocuk dostu sokaklar", "Hedef 3.2: Çocuk dostu sokaklar"), longest=SHORT,
        ),
        _SUBJECT, _CHANNEL, _ATTACHMENTS,
    ),
    OPINION: (
        _ADDRESSEE,
        Question(
            "about_what",
            Label("Neyle ilgili görüş bildiriyorsunuz?", "What is your opinion about?"),
            Label("Bir plan, karar, taslak ya da uygulama.", "A plan, a decision, a draft or a practice."),
            Label("2027–2031 stratejik plan taslağı", "2027–2031 stratejik plan taslağı"), required=True, longest=SHORT,
        ),
        Question(
            "opinion",
            Label("Görüşünüz nedir?", "What is your opinion?"),
            Label("Önce ne düşündüğünüzü, sonra nedenini yazın.", "First what you think, then why."),
            Label("Taslakta oyun alanlarına ayrılan pay ihtiyacı karşılamıyor.",
                  "Taslakta oyun alanlarına ayrılan pay ihtiyacı karşılamıyor."),
            required=True, longest=LONG,
        ),
        Question(
            "grounds",
            Label("Neye dayanıyorsunuz?", "What is it based on?"),
            Label("Deneyim, gözlem, araştırma, mevzuat.", "Experience, observation, research, law."),
            Label("2026 yılında on iki parkta yaptığımız sayım", "2026 yılında on iki parkta yaptığımız sayım"), longest=LONG,
        ),
        Question(
            "proposal",
            Label("Ne öneriyorsunuz?", "What do you propose?"),
            Label("Değişiklik öneriyorsanız yeni metni yazın.", "If you propose a change, write the new wording."),
            Label("Her mahalleye en az bir oyun alanı hedefinin eklenmesi",
                  "Her mahalleye en az bir oyun alanı hedefinin eklenmesi"), longest=LONG,
        ),
        _SUBJECT, _CHANNEL, _ATTACHMENTS,
    ),
}  # fmt: skip
"""Kind → its questions, in the order in which they are asked."""

REMINDERS: Mapping[str, Label] = {
    PARTNERSHIP_PROPOSAL: Label(
        "Belediye dernek ve vakıflara nakdî ya da aynî yardım yapamaz; görev alanında, meclis kararı ve protokolle ortak "
        "hizmet projesi yapabilir (5393/75).",
        "A municipality may not give grants to associations and foundations; within its duties it may run a joint service "
        "project, with a council decision and a protocol (5393/75).",
    ),
    INFORMATION_REQUEST: Label(
        "Bilgi edinme elde bulunan bilgi ve belgeler içindir; ayrı bir çalışma gerektirenler verilmeyebilir (4982/7).",
        "Requests for information are about information and documents that exist; what would need separate work may be "
        "refused (4982/7).",
    ),
}
