"""Résumés: what is over and what is about others is left out, so that what is left is true now."""

import re

_YEAR = r"(?:(?:\d{1,2}[/.]|[A-Za-zÀ-ÿ]{3,9}\.?\s)?(?:19|20)\d\d)"
_TO = r"\s?(?:[-–—]|to|until|bis|à|au|a|al|até)\s?"
_ENDED = re.compile(rf"(?<![\d/]){_YEAR}{_TO}{_YEAR}(?!\d)", re.I)
_GOES_ON = re.compile(
    rf"{_YEAR}{_TO}(?:present|today|now|current|date|heute|jetzt|aujourd['’]hui|ce jour|hoy|actual\w*|presente|oggi|"
    rf"hoje|"
    rf"atual\w*)|\b(?:since|seit|depuis|desde|dal?)\s{_YEAR}",
    re.I,
)
_OF_OTHERS_OR_OVER = re.compile(
    r"referen|referee|education|academic|previous|earlier|before that|hobb|ausbildung|früher|studium|formation|études|"
    r"formación|estudios|educación|formazione|istruzione|formação|educação|referên",
    re.I,
)
_SECTION = re.compile(
    r"^\W*(?:experience|employment|profile|summary|objective|licen[sc]es|designations|credentials|skills|curriculum|r[ée]sum[ée]|"
    r"education|registrations|references|qualifications|contact|lebenslauf|berufl\w+|beruf|ausbildung|weiterbildung|"
    r"expérience\w*|formation|compétences|experiencia\w*|formación|perfil|esperienz\w+|formazione|experiência\w*|"
    r"present position|work history|career)\b",
    re.I | re.M,
)


def is_resume(text: str) -> bool:
    """Two sections of a résumé at least."""
    return len({match.group().strip().lower() for match in _SECTION.finditer(text[:6000])}) >= 2


def of_today(text: str) -> str:
    """The same text, as long, where jobs that ended, studies and referees are spaces."""
    lines = text.split("\n")
    kept, over = [], False
    for number, line in enumerate(lines):
        entry = line + "\n" + _date_below(lines, number)
        if _GOES_ON.search(entry):
            over = False
        elif _ENDED.search(entry):
            over = True
        elif _is_heading(line):
            over = bool(_OF_OTHERS_OR_OVER.search(line))
        kept.append(" " * len(line) if over else line)
    return "\n".join(kept)


def _date_below(lines: list[str], number: int) -> str:
    """The next line when it holds nothing but dates: they belong to the line above."""
    below = next((line for line in lines[number + 1 : number + 3] if line.strip()), "")
    rest = _GOES_ON.sub("", _ENDED.sub("", below))
    return below if lines[number].strip() and below.strip() and not re.search(r"[^\W\d_]{4}", rest) else ""


def _is_heading(line: str) -> bool:
    words = line.split()
    return 1 <= len(words) <= 4 and not re.search(r"[\d@,;|•\t]|\.\s*$", line) and line.strip()[0].isupper()
