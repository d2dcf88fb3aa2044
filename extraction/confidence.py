"""How sure a value is. Calibrated: of the values shown with 0.9, nine in ten are to be right on the corpus."""

FILLED = 0.5  # from here on a value is filled in; below, it is only offered
UNSUPPORTED = 0.3  # a value whose words are not in the mail is never surer than this

# What a pattern's value is worth when the words around it leave no doubt. Behind it the measured precision on the
# development corpus: on mails the patterns were not written against it is lower, hence the distance.
BASE: dict[str, float] = {
    "email": 0.97,  # 1.00
    "meeting_link": 0.97,  # 1.00
    "linkedin_url": 0.96,  # 1.00
    "full_name": 0.95,  # 1.00
    "first_name": 0.95,  # 1.00
    "last_name": 0.95,  # 1.00
    "licenses": 0.93,  # 1.00
    "phone": 0.92,  # 1.00
    "designations": 0.92,  # 1.00
    "website": 0.92,  # 1.00
    "city": 0.9,  # 1.00
    "state": 0.92,  # 1.00
    "country": 0.94,  # 1.00
    "referrer_name": 0.9,  # 1.00
    "referrer_email": 0.9,  # 1.00
    "company_name": 0.9,  # 1.00
    "aum": 0.9,  # 1.00
    "production": 0.88,  # 1.00
    "compensation": 0.88,  # 1.00
    "client_count": 0.9,  # 1.00
    "title": 0.88,  # 0.98
    "target_title": 0.86,  # 1.00
    "years_experience": 0.85,  # 0.91
}
OTHERWISE = 0.85


def agreed(a: float, b: float) -> float:
    """Two origins that say the same: the chance that both are wrong, were they independent; never quite certain."""
    return round(min(0.99, 1 - (1 - a) * (1 - b)), 4)


def of_pattern(field: str, score: float) -> float:
    """A span's plausibility as a confidence: full worth from 0.8 on, in proportion below."""
    return round(min(0.98, BASE.get(field, OTHERWISE) * min(1.0, score / 0.8)), 3)
