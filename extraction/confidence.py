"""How sure a value is. Calibrated: of the values shown with 0.9, nine in ten are to be right on the corpus."""

FILLED = 0.5  # from here on a value is filled in; below, it is only offered
UNSUPPORTED = 0.3  # a value whose words are not in the mail is never surer than this

# What a pattern's value is worth when the words around leave no doubt: between its precision on the mails the patterns
# were written against and that on the mails they had never seen (docs/extraction.md gives both).
BASE: dict[str, float] = {
    "email": 0.98,
    "meeting_link": 0.98,
    "linkedin_url": 0.98,
    "full_name": 0.98,
    "first_name": 0.98,
    "last_name": 0.98,
    "phone": 0.97,
    "licenses": 0.96,
    "country": 0.96,
    "client_count": 0.96,
    "website": 0.95,
    "city": 0.95,
    "state": 0.95,
    "company_name": 0.94,
    "aum": 0.94,
    "production": 0.94,
    "compensation": 0.94,
    "designations": 0.94,
    "referrer_name": 0.94,
    "referrer_email": 0.96,
    "years_experience": 0.93,
    "title": 0.91,
    "target_title": 0.9,
}
OTHERWISE = 0.9
PLAIN = 0.8  # a span's score from which on nothing speaks against it
OFFERED = 0.45  # below, it is only offered


def agreed(a: float, b: float) -> float:
    """Two origins that say the same: the chance that both are wrong, were they independent; never quite certain."""
    return round(min(0.99, 1 - (1 - a) * (1 - b)), 4)


def of_pattern(field: str, score: float) -> float:
    """A span's plausibility as a confidence: full worth where it is plain, little less where it is likely, and half at
    most where it is one of several."""
    certain = 1 - 0.7 * max(0.0, PLAIN - score) if score >= OFFERED else score / PLAIN
    return round(min(0.98, BASE.get(field, OTHERWISE) * certain), 3)
