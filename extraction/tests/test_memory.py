"""Corrections remembered, without a database: what teaches a rule, where it holds, how it speaks."""

from datetime import date

import pytest

from extraction.corrections import corrected
from extraction.errors import MemoryUnavailable
from extraction.memory import LearnedRule, Scope, is_spelling, lessons_from, rules_in, scopes_of, with_learned
from extraction.notebook import Notebook
from extraction.pipeline import Tools, intake
from extraction.rules import with_rules
from extraction.tests.test_pipeline import MAIL
from extraction.types import Corrections, Email, Evidence, Extraction, FieldValue, OwnFirm, Person

OWN = OwnFirm(domains=frozenset({"well.example"}))
TODAY = date(2026, 5, 4)
THIRD_OF_MAY = 1_777_800_000.0
ACME = Scope("domain", "acmewealth.example")
EVIDENCE = Evidence(source="body", start=3, end=14, quote="Acme Wealth")


def person(email="jane.roe@acmewealth.example", company="Acme Wealth", confidence=0.85, index=0, **others):
    values = {("contact", "email"): email, ("company", "company_name"): company}
    values |= {tuple(name.split("__")): value for name, value in others.items()}
    sure = {("contact", "email"): 0.97}
    if isinstance(company, tuple):
        values["company", "company_name"], sure["company", "company_name"] = company
    fields = [
        FieldValue(
            record=name[0],
            field=name[1],
            value=value,
            confidence=sure.get(name, confidence),
            origin="pattern",
            evidence=EVIDENCE,
        )
        for name, value in values.items()
        if value
    ]
    return Person(index=index, fields=tuple(fields))


def understood(*people):
    return with_rules(Extraction(intent="candidate", people=people), OWN, TODAY)


def changed(index=0, skip=False, **values):
    given = {"index": index, "skip": skip}
    for name, value in values.items():
        record, field = name.split("__")
        given[record] = given.get(record, {}) | {field: value}
    return Corrections.model_validate({"people": [given]})


def lessons(found, corrections):
    return [(one.scope, one.field, one.original, one.value) for one in lessons_from(found, corrections, OWN)]


def rule(value="Acme Wealth Partners", original="Acme Wealth", name=("company", "company_name"), scope=ACME, **given):
    given = {"id": 7, "learned_at": THIRD_OF_MAY} | given
    return LearnedRule(scope=scope, record=name[0], field=name[1], original=original, value=value, **given)


def said(found, *rules):
    return with_rules(with_learned(found, rules, OWN), OWN, TODAY)


# ---------------------------------------------------------------- scopes


@pytest.mark.parametrize(
    ("email", "company", "scopes"),
    [
        ("jane@acmewealth.example", "Acme Wealth", [ACME, Scope("company", "acme wealth")]),
        ("jane@acmewealth.example", None, [ACME]),
        ("jane@gmail.com", "ACME  Wealth.", [Scope("company", "acme wealth")]),
        ("jane@yahoo.co.uk", None, []),
        ("notifications@calendly.com", None, []),
        ("colleague@well.example", None, []),
        (None, None, []),
        (None, "x" * 201, []),
        ("jane@gmail.com", ("Acme Wealth", 0.3), []),
    ],
)
def test_a_scope_is_the_firms_domain_or_its_name_and_never_free_mail_nor_ourselves(email, company, scopes):
    assert list(scopes_of(person(email, company), OWN)) == scopes


# ---------------------------------------------------------------- lessons


def test_a_changed_company_name_is_a_lesson_for_its_domain():
    found = understood(person())

    assert lessons(found, changed(company__company_name="Acme Wealth Partners")) == [
        (ACME, "company_name", "Acme Wealth", "Acme Wealth Partners")
    ]


def test_what_was_missing_is_learned_as_missing_and_written_as_it_is_filed():
    found = understood(person("jane@gmail.com"))

    assert lessons(found, changed(company__website="https://www.acme.example/team")) == [
        (Scope("company", "acme wealth"), "website", None, "acme.example")
    ]


@pytest.mark.parametrize(
    "corrections",
    [
        changed(contact__first_name="Janet"),
        changed(contact__email="janet@acmewealth.example", contact__phone="+12605550199"),
        changed(contact__city="Austin", deal__referrer_name="Bob Smith", deal__aum="$1M"),
        changed(company__phone="+12605550199", company__credit_person="Bob Smith"),
        changed(company__company_name="Acme Wealth"),
        changed(company__company_name=None),
        changed(company__company_name="Unknown"),
        changed(company__company_name="x" * 201),
        changed(company__company_name="Acme Wealth Partners", skip=True),
        changed(index=5, company__company_name="Acme Wealth Partners"),
        changed(deal__job_title="Branch Manager"),
        changed(contact__title="Senior Advisor"),
        changed(deal__target_title="Senior Advisor"),
    ],
)
def test_people_and_what_is_true_of_one_mail_only_are_no_lessons(corrections):
    assert lessons(understood(person(contact__title="Advisor")), corrections) == []


def test_nothing_is_learned_where_nothing_is_common():
    assert lessons(understood(person("jane@gmail.com", None)), changed(company__company_name="Acme")) == []


def test_a_value_that_a_user_gave_along_teaches_nothing_once_more():
    along = changed(company__company_name="Acme Wealth Partners")
    found = corrected(understood(person()), along, OWN, TODAY)

    assert lessons(found, changed(company__company_name="Acme Partners")) == []


def test_a_corrected_job_title_teaches_the_spelling_of_the_title_it_came_from():
    found = understood(person(contact__title="Sr. Fin. Adv."))
    assert found.people[0].text("deal", "job_title") == "Sr. Fin. Adv."

    assert lessons(found, changed(deal__job_title="Senior Financial Advisor")) == [
        (ACME, "title", "Sr. Fin. Adv.", "Senior Financial Advisor")
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Sr. Fin. Adv.", "Senior Financial Advisor", True),
        ("Financial Adviser", "Financial Advisor", True),
        ("SENIOR ADVISOR", "Senior Advisor", True),
        ("SVP", "Senior Vice President", True),
        ("VP of Sales", "Vice President of Sales", True),
        ("Senior VP", "Senior Vice President", True),
        ("Advisor", "Senior Advisor", False),
        ("Financial Analyst", "Financial Advisor", False),
        ("Advisor", "Branch Manager", False),
        ("VP", "Vice Chairman", False),
        ("", "Advisor", False),
    ],
)
def test_a_spelling_is_told_from_another_title(one, other, same):
    assert is_spelling(one, other) is same
    assert is_spelling(other, one) is same


def test_of_two_people_with_the_same_mistake_the_last_correction_is_the_lesson():
    found = understood(person(), person("ann@acmewealth.example", index=1))
    both = [changed(index=n, company__company_name=name).people[0] for n, name in enumerate(("Acme A", "Acme B"))]

    assert lessons(found, Corrections(people=both)) == [(ACME, "company_name", "Acme Wealth", "Acme B")]


# ---------------------------------------------------------------- rules


def test_a_rule_says_the_users_value_on_the_same_words_with_the_original_beside_it():
    found = said(understood(person(contact__title="Advisor")), rule())

    value = found.people[0].get("company", "company_name")
    assert (value.value, value.origin, value.confidence) == ("Acme Wealth Partners", "rule", 0.9)
    assert (value.evidence.quote, value.evidence.status) == ("Acme Wealth", "derived")
    assert [(other.value, other.origin) for other in value.alternatives] == [("Acme Wealth", "pattern")]
    assert (value.learned.rule, value.learned.original) == (7, "Acme Wealth")
    assert value.learned.edited_at.startswith("2026-05-03T")
    assert found.people[0].text("deal", "deal_name") == "Advisor - Acme Wealth Partners"
    assert rules_in(found) == {7}


def test_a_rule_fills_what_is_missing_again():
    missing = rule("acme.example", None, ("company", "website"))

    filled = said(understood(person()), missing)
    found_by_itself = said(understood(person(company__website="acmewealth.example")), missing)

    assert filled.people[0].text("company", "website") == "acme.example"
    assert found_by_itself.people[0].text("company", "website") == "acmewealth.example"


@pytest.mark.parametrize(
    "someone",
    [
        person(company="Beta Capital"),
        person(company="Acme Wealth Partners"),
        person("jane@other.example"),
        person("jane@gmail.com"),
    ],
)
def test_a_rule_is_silent_elsewhere_and_where_something_else_was_found(someone):
    before = understood(someone)

    after = said(before, rule())

    assert after == before
    assert not rules_in(after)


def test_a_rule_of_a_company_holds_for_all_who_name_it():
    by_name = rule("acme.example", None, ("company", "website"), Scope("company", "acme wealth"))

    assert said(understood(person("ann@gmail.com", "ACME Wealth")), by_name).people[0].text("company", "website")


@pytest.mark.parametrize("company", [None, ("Acmewealth", 0.28)])
def test_a_domain_says_whose_it_is_where_the_mail_leaves_it_open(company):
    open_case = understood(person(company=company))
    website, city = (rule(found, "x", ("company", name)) for name, found in (("website", "w"), ("city", "Fort Wayne")))

    found = said(open_case, rule(), website, city).people[0]

    assert (found.text("company", "company_name"), found.get("company", "company_name").confidence) == (
        "Acme Wealth Partners",
        0.9,
    )
    assert (found.text("company", "website"), found.text("company", "city")) == ("w", None)
    assert (
        said(open_case, rule(), rule("Acme", company and company[0], id=8)).people[0].text("company", "company_name")
        == "Acme"
    )


def test_of_rules_that_differ_the_domains_wins_then_the_newer():
    company = Scope("company", "acme wealth")
    rules = [
        rule("Old", id=1, learned_at=THIRD_OF_MAY - 9),
        rule("New", id=2),
        rule("By name", id=3, scope=company, learned_at=THIRD_OF_MAY + 9),
    ]

    assert said(understood(person()), *rules).people[0].text("company", "company_name") == "New"
    assert said(understood(person("j@gmail.com")), *rules).people[0].text("company", "company_name") == "By name"


def test_a_rule_makes_nothing_sure_that_the_mail_does_not_say():
    spelling = rule("Senior Advisor", "Sr. Advisor", ("contact", "title"))

    value = said(understood(person(confidence=0.3, contact__title="Sr. Advisor")), spelling).people[0]

    assert (value.text("contact", "title"), value.get("contact", "title").confidence) == ("Senior Advisor", 0.3)


def test_the_user_wins_over_a_rule_and_rules_are_applied_once():
    once = said(understood(person()), rule())
    users = corrected(understood(person()), changed(company__company_name="Acme"), OWN, TODAY)

    assert said(once, rule(), rule("Other", "Acme Wealth Partners", id=8)) == once
    assert said(users, rule("Other", "Acme")) == users


@pytest.mark.parametrize("back", ["Acme Wealth", None, "N/A"])
def test_a_rules_value_that_is_taken_back_revokes_the_rule(back):
    found = said(understood(person()), rule())

    (lesson,) = lessons_from(found, changed(company__company_name=back), OWN)

    assert (lesson.original, lesson.value, lesson.replaces) == ("Acme Wealth", None, 7)


def test_a_rules_value_that_is_changed_again_replaces_the_rule():
    found = said(understood(person("jane@gmail.com")), rule(scope=Scope("company", "acme wealth")))

    (lesson,) = lessons_from(found, changed(company__company_name="Acme Group"), OWN)

    assert (lesson.original, lesson.value, lesson.replaces) == ("Acme Wealth", "Acme Group", 7)
    assert lesson.scope == Scope("company", "acme wealth")


def test_a_rules_value_that_is_left_alone_teaches_nothing():
    found = said(understood(person()), rule())

    assert lessons_from(found, changed(company__company_name="Acme Wealth Partners"), OWN) == ()


# ---------------------------------------------------------------- in a run


class Rules:
    """A memory that holds these rules, or is away."""

    def __init__(self, *rules, away=False):
        self.rules, self.away, self.asked = rules, away, []

    async def recall(self, tenant, scopes):
        self.asked.append((tenant, set(scopes)))
        if self.away:
            raise MemoryUnavailable
        return [rule for rule in self.rules if rule.scope in scopes]

    async def learn(self, *given):
        raise AssertionError("a run teaches nothing before it is saved")

    async def used(self, *given):
        raise AssertionError("who runs the run counts")


async def run(memory, email=MAIL):
    notebook = Notebook()
    found = await intake(email, notebook, Tools(own=OWN, memory=memory, tenant="firm"))
    return found.extraction, notebook.events


async def test_a_run_asks_once_and_tells_the_rules_value_with_whose_it_supersedes():
    memory = Rules(rule())

    whole, events = await run(memory)

    assert memory.asked == [("firm", {ACME, Scope("company", "acme wealth")})]
    assert whole.people[0].get("company", "company_name").origin == "rule"
    told = [(event.value, event.origin) for event in events if getattr(event, "field", "") == "company_name"]
    assert (told[0], told[-1]) == (("Acme Wealth", "pattern"), ("Acme Wealth Partners", "rule"))


async def test_a_memory_that_is_away_costs_the_run_nothing_but_a_word():
    whole, _ = await run(Rules(rule(), away=True))

    assert whole.people[0].text("company", "company_name") == "Acme Wealth"
    assert [issue.code for issue in whole.issues] == ["rules_unknown"]


async def test_values_that_come_with_the_mail_win_over_rules():
    given = {"user_corrections": {"people": [{"index": 0, "company": {"company_name": "Acme"}}]}}

    whole, _ = await run(Rules(rule()), Email.model_validate(MAIL.model_dump(exclude_unset=True) | given))

    assert whole.people[0].get("company", "company_name").origin == "user"
