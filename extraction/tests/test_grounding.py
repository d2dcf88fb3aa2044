"""What a model says against what the mail says, field by field: right, other, invented, somebody else's, hostile."""

import datetime
import json
import time
from contextlib import suppress

import pytest

from extraction.answer import PLACES, Answer
from extraction.confidence import FILLED, UNSUPPORTED
from extraction.events import ExtractionField
from extraction.merge import merged
from extraction.mime import letter_from
from extraction.patterns import understand
from extraction.prompt import numbered_lines, prompt_for
from extraction.reader import FieldReader, MalformedAnswer
from extraction.records import records_from
from extraction.rules import with_rules
from extraction.tests.letters import OWN
from extraction.tests.scripted_model import KINDS, RawModel, ScriptedModel, told_texts, understood, values_of
from extraction.types import LISTS, Corrections, Email, FieldValue

TODAY = datetime.date(2026, 11, 3)

BODY = """Dear Dana,

Tom Hale (tom.hale@haletax.example) referred me to you. My name is Marisol Tregenza, I am a Senior Financial Advisor
at Harbor Wealth Partners in Fort Wayne, Indiana.
I would like to become a Regional Director.

I manage $120 million for 85 families; my production is $1.1M.
I have been in the business for twenty-two years, hold the Series 7 and 66, and am a CFP.
I specialize in retirement planning and equity compensation. About 80% of my book would follow me.
I expect between $250,000 and $300,000 and could start in March.
My clients are long-standing families who stay with me.

My cell is (260) 555-0144, my profile is https://www.linkedin.com/in/marisol-tregenza
and our site is www.harborwealth.example. I booked https://calendly.com/events/ab-12345 with you.

Best regards,
Marisol Tregenza
"""
MAIL = Email(
    sender_email="marisol.tregenza@harborwealth.example",
    sender_name="Marisol Tregenza",
    subject="A move",
    body=BODY,
)
RIGHT = {
    "full_name": "Marisol Tregenza",
    "email": "marisol.tregenza@harborwealth.example",
    "phone": "+12605550144",
    "title": "Senior Financial Advisor",
    "target_title": "Regional Director",
    "company_name": "Harbor Wealth Partners",
    "website": "harborwealth.example",
    "city": "Fort Wayne",
    "state": "IN",
    "country": "US",
    "linkedin_url": "https://www.linkedin.com/in/marisol-tregenza",
    "referrer_name": "Tom Hale",
    "referrer_email": "tom.hale@haletax.example",
    "meeting_link": "https://calendly.com/events/ab-12345",
    "aum": "$120M",
    "production": "$1.1M",
    "client_count": "85",
    "licenses": ["Series 7", "Series 66"],
    "designations": ["CFP"],
    "years_experience": "22",
    "compensation": "$250K-$300K",
    "availability": "in March",
    "book_transferable": "80%",
    "specializations": ["retirement planning", "equity compensation"],
    "description_of_reqs": "Clients are long-standing families who stay with her.",
}
POINTING = {
    "phone": "My cell",
    "state": "Indiana",
    "aum": "I manage",
    "country": "Indiana",
    "years_experience": "twenty-two",
    "licenses": "Series 7 and 66",
    "compensation": "I expect",
    "description_of_reqs": "My clients are",
}
QUOTES = RIGHT | {
    "phone": "(260) 555-0144",
    "state": "Indiana",
    "country": "Indiana",
    "aum": "120",
    "licenses": "7",
    "designations": "CFP",
    "years_experience": "twenty-two",
    "compensation": "250,000 and $300,000",
    "specializations": "retirement planning",
    "description_of_reqs": "My clients are long-standing families who stay with me.",
}
STATUS = dict.fromkeys(RIGHT, "quoted") | {
    **dict.fromkeys(("phone", "state", "aum", "licenses", "years_experience", "compensation"), "normalised"),
    **dict.fromkeys(("country", "description_of_reqs"), "derived"),
}
INVENTED = {
    "full_name": "Victor Langdale",
    "email": "victor@apex.example",
    "phone": "+13105550190",
    "title": "Chief Executive Officer",
    "target_title": "Managing Partner",
    "company_name": "Apex Dominion Wealth",
    "website": "apexdominion.example",
    "city": "Honolulu",
    "state": "HI",
    "country": "BR",
    "linkedin_url": "https://www.linkedin.com/in/victor-langdale",
    "referrer_name": "Ann Quigley",
    "referrer_email": "ann@quigley.example",
    "meeting_link": "https://calendly.com/events/zz-99999",
    "aum": "$9B",
    "production": "$77M",
    "client_count": "4711",
    "licenses": ["Series 24"],
    "designations": ["CIMA"],
    "years_experience": "41",
    "compensation": "$5M",
    "availability": "tomorrow at dawn",
    "book_transferable": "99%",
    "specializations": ["crypto mining"],
    "description_of_reqs": "Wants a corner office with a harbour view and 12 assistants.",
}
FIELDS = sorted(RIGHT)
NOBODY = {"full_name": RIGHT["full_name"], "email": RIGHT["email"]}


def place(field):
    return PLACES.get(field, "deal"), field


def only(field, value):
    """An answer that says nothing but this of the mail's person."""
    return ScriptedModel(NOBODY | {field: value}, pointing=POINTING)


def answered(model, email=MAIL, without=()):
    """The people once the model has answered; `without` are fields that the rules did not find."""
    letter = letter_from(email)
    draft = with_rules(understand(letter, OWN), OWN, TODAY)
    people = tuple(
        person.model_copy(update={"fields": tuple(value for value in person.fields if value.field not in without)})
        for person in draft.people
    )
    draft = draft.model_copy(update={"people": people})
    answer, reader = Answer(letter, numbered_lines(letter), draft, OWN), FieldReader()
    with suppress(MalformedAnswer):
        for found in reader.feed(model.answer(prompt_for(letter, draft, OWN).user)):
            list(answer.take(found))
    return answer.people, letter


def test_every_field_of_the_schema_is_tried():
    assert set(FIELDS) == set(KINDS) - {"role"} == set(INVENTED)


# ---------------------------------------------------------------- right


@pytest.mark.parametrize("field", FIELDS)
def test_what_the_model_finds_alone_is_filled_and_rests_on_its_words(field):
    people, letter = answered(only(field, RIGHT[field]), without=[field])

    value = people[0].get(*place(field))
    assert value is not None
    assert (value.value, value.origin) == (RIGHT[field], "model")
    assert value.confidence >= FILLED
    assert value.evidence is not None
    assert (value.evidence.quote, value.evidence.status) == (QUOTES[field], STATUS[field])
    assert letter.sources[value.evidence.source][value.evidence.start : value.evidence.end] == QUOTES[field]


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"description_of_reqs", "availability", "specializations"}))
async def test_where_rules_and_model_agree_the_value_is_surer(field):
    alone, _ = await understood(MAIL)
    together, notebook = await understood(MAIL, only(field, RIGHT[field]))

    first, second = (found.extraction.people[0].get(*place(field)) for found in (alone, together))
    assert first is not None
    assert second is not None
    assert first.value == second.value == RIGHT[field]
    assert second.confidence > first.confidence
    assert second.evidence == first.evidence or first.evidence is None
    told = [e for e in notebook.events if isinstance(e, ExtractionField) and (e.record, e.field) == place(field)]
    assert {event.origin for event in told} == {first.origin}


# ---------------------------------------------------------------- different

OTHER = {
    "full_name": ("Marisol T. Tregenza", "I sign as Marisol T. Tregenza."),
    "email": ("marisol@tregenza.example", "My private address is marisol@tregenza.example."),
    "phone": ("+12605550199", "At home I am at (260) 555-0199."),
    "title": ("Team Lead", "My team calls me Team Lead."),
    "target_title": ("Market Executive", "Market Executive would do, too."),
    "company_name": ("Harborside Trust", "We clear through Harborside Trust."),
    "website": ("tregenza.example", "Private: www.tregenza.example"),
    "city": ("Carmel", "I grew up around Carmel."),
    "state": ("OH", "I am registered in Ohio."),
    "country": ("CA", "My mother lives in Canada."),
    "linkedin_url": ("https://www.linkedin.com/in/mt-2", "Old: https://www.linkedin.com/in/mt-2"),
    "referrer_name": ("Ann Quigley", "Ann Quigley encouraged me as well."),
    "referrer_email": ("ann@quigley.example", "Ann is ann@quigley.example."),
    "meeting_link": ("https://calendly.com/events/zz-9", "Before: https://calendly.com/events/zz-9"),
    "aum": ("$95M", "Last year it was $95M."),
    "production": ("$900K", "Before that $900K."),
    "client_count": ("90", "With my partner it is 90 families."),
    "licenses": (["Series 24"], "I once held the Series 24."),
    "designations": (["CFA"], "My partner is a CFA."),
    "years_experience": ("15", "15 years of these in Fort Wayne."),
    "compensation": ("$400K", "Others are paid $400K."),
    "availability": ("after the summer", "I could also come after the summer."),
    "book_transferable": ("60%", "Some say 60% of the book."),
    "specializations": (["executive benefits"], "I know executive benefits."),
    "description_of_reqs": ("She once held the Series 24.", "I once held the Series 24."),
}


@pytest.mark.parametrize("field", FIELDS)
def test_where_they_differ_both_are_shown(field):
    value, words = OTHER[field]
    email = MAIL.model_copy(update={"body": BODY.replace("\n\nBest", f"\n{words}\n\nBest")})
    model = ScriptedModel(NOBODY | {field: value}, pointing={field: words})
    (before,), _ = answered(ScriptedModel(), email)

    (person,), _ = answered(model, email)

    known, shown = before.get(*place(field)), person.get(*place(field))
    assert shown is not None
    both = [shown.value, *(other.value for other in shown.alternatives)]
    assert value in both
    assert known is None or known.value in both


async def test_a_sentence_of_the_model_stands_above_the_figures():
    found, _ = await understood(MAIL, only("description_of_reqs", RIGHT["description_of_reqs"]))
    again = with_rules(found.extraction, OWN, TODAY)

    value = found.extraction.people[0].get("deal", "description_of_reqs")
    words, figures = value.value.split("\n\n")
    assert words == RIGHT["description_of_reqs"]
    assert figures.startswith("AUM: $120M")
    assert again.people[0].get("deal", "description_of_reqs") == value


async def test_what_the_user_says_stands_against_everybody():
    corrections = Corrections.model_validate({"people": [{"index": 0, "contact": {"city": "Austin"}}]})
    email = MAIL.model_copy(update={"user_corrections": corrections})

    found, _ = await understood(email, only("city", "Fort Wayne"))

    assert found.extraction.people[0].get("contact", "city").value == "Austin"


def test_agreeing_with_the_user_does_not_make_the_value_less_sure():
    user = FieldValue(record="contact", field="city", value="Austin", confidence=1.0, origin="user")
    model = FieldValue(record="contact", field="city", value="austin", confidence=0.8, origin="model")

    assert merged(user, model).confidence == 1.0


# ---------------------------------------------------------------- invented


@pytest.mark.parametrize("field", FIELDS)
async def test_what_the_mail_does_not_say_is_never_filled_and_never_saved(field):
    alone, _ = await understood(MAIL)
    found, notebook = await understood(MAIL, only(field, INVENTED[field]))

    assert values_of(found, FILLED) == values_of(alone, FILLED)
    for value in found.extraction.people[0].fields:
        held = [(value.value, value.confidence)] + [(other.value, other.confidence) for other in value.alternatives]
        assert all(sure <= UNSUPPORTED for content, sure in held if content == INVENTED[field])
    for told in notebook.events:
        assert not isinstance(told, ExtractionField) or told.value != INVENTED[field] or told.confidence <= UNSUPPORTED
    assert saved(found) == saved(alone)


@pytest.mark.parametrize("field", FIELDS)
def test_of_what_the_rules_left_open_an_invention_is_shown_and_not_filled(field):
    (person,), _ = answered(only(field, INVENTED[field]), without=[field])

    value = person.get(*place(field))
    assert value is None or (value.confidence <= UNSUPPORTED and value.evidence is None)
    assert value is not None or field in ("full_name", "email")


def contents(person):
    """All values of a person, on offer or filled, but not how sure they are."""
    return {value.name: [value.value, *(other.value for other in value.alternatives)] for value in person.fields}


def saved(found):
    """What a save would write."""
    filings = records_from(found.extraction, Corrections(), found.letter)
    return [(filing.account, filing.contact, filing.deal, filing.note) for filing in filings]


def test_of_a_list_the_part_that_the_mail_says_is_filled():
    (person,), _ = answered(only("licenses", ["Series 7", "Series 24"]), without=["licenses"])

    value = person.get("deal", "licenses")
    assert value.value == ["Series 7"]
    assert value.confidence >= FILLED
    assert [(other.value, other.confidence) for other in value.alternatives] == [
        (["Series 7", "Series 24"], UNSUPPORTED)
    ]


async def test_somebody_who_is_not_in_the_mail_is_nobody():
    alone, _ = await understood(MAIL)
    found, _ = await understood(MAIL, ScriptedModel(RIGHT, INVENTED, pointing=POINTING))

    assert len(found.extraction.people) == len(alone.extraction.people) == 1
    assert "Victor Langdale" not in set(told_texts(found))


# ---------------------------------------------------------------- somebody else's

FORWARD = Email(
    sender_email="gordon.plaice@plaicepartners.example",
    sender_name="Gordon Plaice",
    to=["Dana Whitlock <dana@well.example>"],
    subject="Fwd: Looking around",
    body="""Dana, have a look at this one.

Gordon Plaice
Managing Partner
Plaice Partners LLC
Columbus, Ohio
614-555-0177 | https://www.linkedin.com/in/gordon-plaice | www.plaicepartners.example

---------- Forwarded message ---------
From: Noor van der Berg <noor.vdberg@gmail.com>
Date: Mon, Nov 2, 2026 at 9:14 AM
Subject: Looking around
To: Gordon Plaice <gordon.plaice@plaicepartners.example>

Gordon, I am thinking of a move. I am a Private Client Advisor at Copper Beech Advisors and manage $205 million.

Noor van der Berg
608-555-0124
Fax: 608-555-0125
""",
)
OF_THE_FORWARDER = {
    "email": "gordon.plaice@plaicepartners.example",
    "phone": "614-555-0177",
    "title": "Managing Partner",
    "company_name": "Plaice Partners LLC",
    "website": "plaicepartners.example",
    "city": "Columbus",
    "state": "OH",
    "country": "US",
    "linkedin_url": "https://www.linkedin.com/in/gordon-plaice",
    "referrer_name": "Gordon Plaice",
}
NOOR = {"full_name": "Noor van der Berg"}


@pytest.mark.parametrize("field", sorted(OF_THE_FORWARDER))
async def test_what_is_the_forwarders_is_not_the_candidates(field):
    alone, _ = await understood(FORWARD)
    found, _ = await understood(FORWARD, ScriptedModel(NOOR | {field: OF_THE_FORWARDER[field]}))

    assert values_of(found, FILLED) == values_of(alone, FILLED)


async def test_what_somebody_else_says_is_shown_with_its_words_and_supports_nothing():
    found, _ = await understood(FORWARD, ScriptedModel(NOOR | {"city": "Columbus"}))

    city = found.extraction.people[0].get("contact", "city")
    assert (city.value, city.confidence) == ("Columbus", UNSUPPORTED)
    assert (city.evidence.quote, city.evidence.status) == ("Columbus", "unsupported")


async def test_the_forwarder_is_no_second_candidate():
    found, _ = await understood(FORWARD, ScriptedModel({"full_name": "Gordon Plaice"} | OF_THE_FORWARDER, NOOR))

    filled = values_of(found, FILLED)
    assert filled[0]["contact", "full_name"] == "Noor van der Berg"
    assert not any("Plaice" in str(value) for person in filled[1:] for value in person.values())
    assert len(saved(found)) == 1


REFERRAL = Email(
    sender_email="henrik@abelsontax.example",
    sender_name="Henrik Abelson",
    to=["Dana Whitlock <dana@well.example>"],
    subject="Somebody for you",
    body="""Hi Dana,

I'd like to refer Noor van der Berg to you. Noor is a Private Client Advisor at Copper Beech Advisors in Madison,
Wisconsin. Her cell is 608-555-0124, and she reads noor.vdberg@gmail.com.

Give her my best,
Henrik

Henrik Abelson, CPA
Abelson Tax
414-555-0101
""",
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "henrik@abelsontax.example"),
        ("phone", "414-555-0101"),
        ("company_name", "Abelson Tax"),
        ("designations", ["CPA"]),
        ("referrer_name", "Noor van der Berg"),
    ],
)
async def test_what_is_the_referrers_is_not_the_candidates(field, value):
    alone, _ = await understood(REFERRAL)
    found, _ = await understood(REFERRAL, ScriptedModel({"full_name": "Noor van der Berg", field: value}))

    assert values_of(found, FILLED) == values_of(alone, FILLED)
    assert values_of(found)[0]["deal", "referrer_name"] == "Henrik Abelson"


async def test_the_referrer_is_no_second_candidate():
    henrik = {"full_name": "Henrik Abelson", "email": "henrik@abelsontax.example", "phone": "414-555-0101"}
    found, _ = await understood(REFERRAL, ScriptedModel(henrik, {"full_name": "Noor van der Berg"}))

    assert len(saved(found)) == 1
    assert saved(found)[0][1].last_name == "van der Berg"


THREAD = Email(
    sender_email="noor.vdberg@gmail.com",
    sender_name="Noor van der Berg",
    to=["Dana Whitlock <dana@well.example>"],
    cc=["Kim Oduya <kim@well.example>", "Tom Hale <tom@haletax.example>"],
    subject="Re: A call",
    body="""Friday works. Call me then, please.

Noor

On Mon, Nov 2, 2026 at 9:14 AM Dana Whitlock <dana@well.example> wrote:
> Hi Noor, can we talk about the role?
>
> Dana Whitlock
> Senior Recruiter
> The Well
> 317-555-0100 | dana@well.example | well.example
> Zoom 317-555-0111
""",
)
OURS = {
    "full_name": "Dana Whitlock",
    "email": "dana@well.example",
    "phone": "317-555-0100",
    "title": "Senior Recruiter",
    "company_name": "The Well",
    "website": "well.example",
    "referrer_name": "Dana Whitlock",
    "referrer_email": "kim@well.example",
}


@pytest.mark.parametrize("field", sorted(OURS))
async def test_what_is_the_recruiters_is_nobodys(field):
    alone, _ = await understood(THREAD)
    found, _ = await understood(THREAD, ScriptedModel({"full_name": "Noor van der Berg"} | {field: OURS[field]}))

    assert values_of(found, FILLED) == values_of(alone, FILLED)
    if field not in ("phone", "title"):  # those are offered beside the rules' values at most
        assert values_of(found) == values_of(alone)


@pytest.mark.parametrize(
    "who",
    [
        {"full_name": "Dana Whitlock", "email": "dana@well.example"},
        {"full_name": "Dana R. Whitlock"},
        {"full_name": "Kim Oduya", "email": "kim@well.example"},
        {"email": "dana@well.example"},
    ],
)
async def test_nobody_of_the_firm_is_a_person(who):
    alone, _ = await understood(THREAD)
    found, _ = await understood(
        THREAD, ScriptedModel(who | {"phone": "317-555-0100"}, {"full_name": "Noor van der Berg"})
    )

    assert values_of(found) == values_of(alone)


async def test_to_be_in_copy_is_no_referral():
    found, _ = await understood(THREAD, ScriptedModel({"full_name": "Noor van der Berg", "referrer_name": "Tom Hale"}))

    assert ("deal", "referrer_name") not in values_of(found, FILLED)[0]


@pytest.mark.parametrize("number", ["608-555-0125", "317-555-0111"])
async def test_a_fax_and_a_dial_in_are_nobodys_phone(number):
    email = FORWARD if number.startswith("608") else THREAD
    found, _ = await understood(email, ScriptedModel(NOOR | {"phone": number}))

    assert "5550125" not in str(values_of(found, FILLED))
    assert "5550111" not in str(values_of(found, FILLED))


async def test_what_the_rules_know_to_be_anothers_is_not_given_away():
    body = """Two people for you.

1. Ann Lee, Senior Advisor at Acme Wealth in Carmel, Indiana, ann.lee@acme.example, 317-555-0142
2. Bob Quist, Branch Manager at Beta Capital in Dayton, Ohio, bob@beta.example, 937-555-0143
"""
    email = FORWARD.model_copy(update={"subject": "Two people", "body": body, "sender_email": "kim@well.example"})
    alone, _ = await understood(email)
    bob = {"full_name": "Bob Quist", "phone": "317-555-0142", "email": "ann.lee@acme.example"}
    found, _ = await understood(email, ScriptedModel({"full_name": "Ann Lee"}, bob))

    assert len(alone.extraction.people) == 2
    assert [{k: v for k, v in p.items() if k[1] in ("phone", "email")} for p in values_of(found, FILLED)] == [
        {k: v for k, v in p.items() if k[1] in ("phone", "email")} for p in values_of(alone, FILLED)
    ]


async def test_an_assistants_signature_names_the_principals_firm():
    email = Email(
        sender_email="kim.lee@harborwealth.example",
        sender_name="Kim Lee",
        subject="On behalf of Marisol Tregenza",
        body="Dear Dana,\n\nI write on behalf of Marisol Tregenza (marisol.tregenza@harborwealth.example).\n\n"
        "Best regards,\n\nKim Lee\nExecutive Assistant\nHarbor Wealth Partners\n260-555-0100\n",
    )
    kims = {"company_name": "Harbor Wealth Partners", "title": "Executive Assistant", "phone": "260-555-0100"}
    found, _ = await understood(email, ScriptedModel(NOBODY | kims))

    person = next(p for p in found.extraction.people if p.text("contact", "last_name") == "Tregenza")
    assert person.text("company", "company_name") == "Harbor Wealth Partners"
    assert person.get("company", "company_name").confidence >= FILLED
    for field in ("title", "phone"):
        assert (value := person.get("contact", field)) is None or value.confidence <= UNSUPPORTED


# ---------------------------------------------------------------- hostile

WRONG = [
    "(260) 555-0144",
    "marisol.tregenza@harborwealth.example",
    "https://calendly.com/events/ab-12345",
    "$120 million",
]
FITS = {
    ("phone", WRONG[0]),
    ("email", WRONG[1]),
    ("referrer_email", WRONG[1]),
    ("meeting_link", WRONG[2]),
    ("website", WRONG[2]),
    *((field, WRONG[3]) for field in ("aum", "production", "compensation")),
}


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("field", FIELDS)
def test_a_value_of_the_mail_in_the_wrong_field_is_no_value(field, value):
    if (field, value) in FITS:
        return
    (person,), _ = answered(only(field, [value] if field in LISTS else value), without=[field])

    shown = person.get(*place(field))
    assert shown is None or shown.confidence <= UNSUPPORTED or shown.origin == "rule"


UNFIT = [
    "x" * 1_000_000,
    "Senior <script>alert(1)</script>",
    "<b>Senior Advisor</b>",
    "javascript:alert(1)",
    "\x00\x07",
    "",
    " ",
]


@pytest.mark.parametrize("field", FIELDS)
def test_markup_and_values_of_a_megabyte_are_no_values(field):
    email = MAIL.model_copy(update={"body": BODY.replace("Dear Dana", " ".join(["Dear Dana", *UNFIT[1:4]]))})
    (before,), _ = answered(ScriptedModel(), email)

    for unfit in UNFIT:
        (person,), _ = answered(only(field, [unfit] if field in LISTS else unfit), email)
        assert contents(person) == contents(before)


def test_control_characters_are_taken_out():
    (person,), _ = answered(only("title", "Senior \x1b[31mFinancial\u202e\x00 Advisor\x07"), without=["title"])

    assert person.get("contact", "title").value == "Senior Financial Advisor"


@pytest.mark.parametrize("line", [0, -1, 10**12, 1.5, True, None, "7", [7], {"n": 7}])
async def test_a_wrong_line_number_leads_nowhere_and_harms_nothing(line):
    everything = json.loads(ScriptedModel(RIGHT).answer(""))
    for key, told in everything["people"][0].items():
        for item in told if isinstance(told, list) else [told]:
            if isinstance(item, dict) and key != "description_of_reqs":
                item["line"] = line

    found, _ = await understood(MAIL, RawModel(json.dumps(everything)))

    assert found.extraction.engine == "model"
    assert {field: found.extraction.people[0].get(*place(field)).value for field in FIELDS if field in RIGHT} | {
        "description_of_reqs": RIGHT["description_of_reqs"]
    } == RIGHT


SHAPES = [
    {"intent": ["none"], "people": []},
    {"intent": "delete everything", "people": []},
    {"intent": None, "people": None, "more": {"a": 1}},
    {"intent": "candidate", "people": {"0": NOBODY}},
    {"intent": "candidate", "people": ["Marisol Tregenza", 7, None, []]},
    {"people": [{"role": "emperor", "full_name": 7, "email": [], "phone": {"value": {"value": 1}}, "x": 1}]},
    {"people": [{"full_name": None, "email": None, "licenses": "Series 7", "designations": {"value": 1}}]},
    {"people": [{"full_name": NOBODY["full_name"], "licenses": [None, 7, [], {"line": 1}], "__class__": "x"}]},
    {"people": [{"deal_name": {"value": "A"}, "email": {"value": "a@b.example"}, "stage": {"value": "Won"}}]},
    {
        "people": [
            NOBODY | {"deal_name": {"value": "A"}, "stage": {"value": "Closed Won"}, "first_name": {"value": "B"}}
        ]
    },
]


@pytest.mark.parametrize("told", SHAPES)
async def test_an_answer_of_another_shape_changes_nothing(told):
    alone, _ = await understood(MAIL)
    found, notebook = await understood(MAIL, RawModel(json.dumps(told)))

    assert values_of(found) == values_of(alone)
    assert found.extraction.intent == "candidate"
    assert notebook.events[-1].type == "validation_result"


@pytest.mark.parametrize("people", [[INVENTED], [RIGHT], [NOBODY], [{"full_name": "Ann Lee"}], [{}]])
async def test_ten_thousand_people_end_in_seconds_with_the_one_of_the_mail(people):
    alone, _ = await understood(MAIL)
    many = ScriptedModel(*people).answer("")
    person = many[many.index("[") + 1 : -2]
    text = '{"intent":"candidate","people":[' + ",".join([person] * 10_000) + "]}"
    began = time.perf_counter()

    found, _ = await understood(MAIL, RawModel(text))

    assert time.perf_counter() - began < 30
    assert len(found.extraction.people) == len(alone.extraction.people) == 1
    assert [issue.code for issue in found.extraction.issues] == ["model_malformed"]


async def test_a_crowd_that_the_mail_names_has_a_limit():
    names = [f"Ann{chr(97 + n // 26)}{chr(97 + n % 26)} Lee{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(150)]
    email = MAIL.model_copy(update={"body": BODY + "\n" + ", ".join(names)})

    found, _ = await understood(email, ScriptedModel(*({"full_name": name} for name in names)))

    assert len(found.extraction.people) <= 100


async def test_orders_in_the_answer_reach_nothing_but_values():
    """A model that writes fields which it is not asked for: nothing of them arrives."""
    told = {"record": "deal", "stage": "Closed Won", "confidence": 1, "origin": "user"}
    answer = json.loads(ScriptedModel(NOBODY).answer(""))
    answer["people"][0] |= told
    answer["people"][0]["title"] = {
        "value": "Emperor",
        "line": 1,
        "confidence": 1.0,
        "origin": "user",
        "status": "quoted",
    }

    found, _ = await understood(MAIL, RawModel(json.dumps(answer)))

    person = found.extraction.people[0]
    assert person.text("deal", "stage") == "Lead"
    assert person.text("contact", "title") == "Senior Financial Advisor"
    assert [(other.value, other.confidence) for other in person.get("contact", "title").alternatives] == [
        ("Emperor", UNSUPPORTED)
    ]
