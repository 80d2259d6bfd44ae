"""Why: one sentence for each piece of advice, with its source."""

from __future__ import annotations

from services.kernel.text import Sentence

RICA_PRIVATE = Sentence(
    "“Rica ederim” is what an office writes to those under it; a person or an organisation writes “arz ederim” to an "
    "authority (Official Correspondence Regulation 16/12). A petition is dealt with all the same (31/7)."
)
RICA_PUBLIC = Sentence(
    "To an equal or higher authority an office writes “arz ederim”, “rica ederim” only to those under it, and “arz ve "
    "rica ederim” where a letter goes to both (Official Correspondence Regulation 16/12)."
)
MIXED = Sentence(
    "“Arz ve rica ederim” is for letters of offices that go to higher and lower ones at once; a petition ends with "
    "“arz ederim” (Official Correspondence Regulation 16/12)."
)
DEMAND = Sentence(
    "Demanding is your right, and some read it as an order; the form that nobody takes amiss is “arz ederim” "
    "(Official Correspondence Regulation 16/12)."
)
ORDER = Sentence(
    "This reads as an order to the office. Say what should be done and end with “arz ederim” (Official Correspondence "
    "Regulation 16/12); the reasoned answer within 30 days is owed to you anyhow (3071/7)."
)
ORDER_REQUEST = Sentence(
    "This reads as an order to the office. Say what you want to know and end with “arz ederim” (Official "
    "Correspondence Regulation 16/12); access or a reasoned refusal within 15 working days is owed to you anyhow (4982/11)."
)
PRESSING_REQUEST = Sentence(
    "The law gives the time to give access: 15 working days (4982/11). Say exactly which information you mean; that "
    "hurries more than this word."
)
PRESSING = Sentence(
    "The law gives the time to answer: 30 days (3071/7). Where there is danger, say what the danger is; that hurries "
    "more than this word."
)
OF_REQUESTS = {ORDER.template: ORDER_REQUEST, PRESSING.template: PRESSING_REQUEST}
"""What is said instead of a request for information, which has a period of its own."""
THREAT = Sentence(
    "What you may do after the answer, or after its absence, is given by law and need not be announced (2577/10, "
    "11). A petition that asks is read; one that threatens is defended against."
)
INSULT = Sentence(
    "Insulting somebody can be a crime (5237/125) and turns the reader away from your matter. Say what was done or "
    "left undone."
)
HARSH = Sentence(
    "Anger is understandable; facts move more. A petition is judged by its matter (3071/4, 6), so say what happened, "
    "where and since when."
)
EXCLAMATION = Sentence("Official letters have no exclamation marks; to many they read as shouting.")
CAPITALS = Sentence("Capital letters in running text read as shouting and are harder to read.")
GREETING = Sentence(
    "A letter to an authority begins with its name, as in “… BELEDİYE BAŞKANLIĞINA” (Official Correspondence "
    "Regulation, addressee)."
)
FAREWELL = Sentence(
    "A letter to an authority ends with “arz ederim” or “Saygılarımla” (Official Correspondence Regulation 16/12)."
)
CHAT_WORD = Sentence("Abbreviations of chats are not understood by every reader; write the word out.")

SALUTATION = Sentence(
    "The name of the authority at the head shows who is asked; a petition to the wrong one is passed on, but that "
    "takes time (3071/5)."
)
CLOSING = Sentence(
    "A petition usually ends with “Gereğini arz ederim” (Official Correspondence Regulation 16/12). It is dealt with "
    "without it, too (31/7)."
)
NO_SUBJECT = Sentence(
    "A petition without a definite subject is not examined (3071/6-a). Say in one sentence what you ask for."
)
PLACE = Sentence("The unit can go and look only if it knows where: neighbourhood, street, number or a landmark.")
NAME = Sentence("A petition needs the petitioner's name and surname; without them it is not examined (3071/4, 6-c).")
TITLE = Sentence("An organisation's petition needs its full title, as in its statute (by analogy with 4982/6).")
ADDRESS = Sentence("A petition needs a home or work address; without it, it is not examined (3071/4, 6-c).")
SIGNATURE = Sentence("A petition needs a signature; without it, it is not examined (3071/4, 6-c).")
DATE = Sentence("The period to answer is counted from the filing (3071/7); a date on the letter helps to prove it.")
REPRESENTATIVE = Sentence(
    "For an organisation somebody signs who may; name their office so that it can be checked (by analogy with 4982/6)."
)
AUTHORITY_DOCUMENT = Sentence(
    "An organisation adds the document that shows who may sign for it, such as the board's decision or a signature "
    "circular (by analogy with 4982/6)."
)

SEVERAL = Sentence(
    "These are matters of different units. In petitions of their own each is answered in time and none is overlooked "
    "(3071/7 gives each 30 days)."
)
COURT = Sentence(
    "Matters that are for the courts to decide are not examined by a municipality (3071/6-b). What the municipality "
    "itself does or leaves undone can be asked for."
)
GRANT = Sentence(
    "A municipality may not give money or goods to associations and foundations: 5393/75 allows joint service "
    "projects with a protocol and excludes the aid that 5018/29 knows. Propose a joint project in which each side bears "
    "its part."
)
IDENTITY_NUMBER = Sentence(
    "Identity numbers are not among what a petition needs (3071/4); data that is not needed should not be given (6698/4)."
)
ACCOUNT_NUMBER = Sentence("No account number is needed to decide on a petition; give it when it is asked for (6698/4).")
OTHERS_PHONE = Sentence(
    "This looks like the number of somebody else, who has not agreed to it being passed on (6698/5). The office will "
    "ask if it needs it."
)
OTHERS_HEALTH = Sentence(
    "The health of others is specially protected (6698/6). The office can help without it: say what happens, not "
    "what somebody suffers from."
)
ASKS_TO_KNOW = Sentence(
    "You ask to know something. As a request for information it is answered within 15 working days instead of 30 "
    "days (4982/11; 3071/7)."
)
ASKS_TO_ACT = Sentence(
    "You ask that something be done. That is a petition (3071); a request for information gives you information and "
    "documents that exist (4982/7)."
)
