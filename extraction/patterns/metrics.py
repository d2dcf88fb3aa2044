"""Figures of a practice: assets, production, clients, years, licences, designations, pay, transferable share."""

import re
from collections.abc import Iterator

from extraction.patterns.money import NOT_HIS
from extraction.patterns.reading import Passage, Span
from extraction.patterns.words import NUMBER, number_from

_CLIENT_NOUN = (
    r"(?:client households|households?|HHs?|families|familles|ménages|famiglie|nuclei|lares|familias|famílias|clients?|"
    r"clientes|relationships|mandate|"
    r"mandanten|kundinnen|kunden|stiftungen|clienti|famílias|trusts|foyers|grupos familiares|"
    r"household count|dentists\sas\sclients|haushalte)"
)
_CLIENTS = re.compile(
    rf"(?<![$€£.,\d])(?<!hundred )(?<!hundred and )\b({NUMBER})(?:\s(?:loyal|private|client|active|wealthy|trust|U?HNW|"
    rf"affluent|high[ -]net[ -]worth|retired|family|"
    rf"core))?\s{{1,6}}{_CLIENT_NOUN}\b",
    re.I,
)
_CLIENTS_AFTER = re.compile(
    r"\b(?:household count|households|clients|relationships|clientele|clientela|familles|"
    r"mandate)[^\w\n]{1,5}(?!(?:19|20)\d\d\b)(\d{1,4})(?![\d%]|[.,]\d|\s?[%$€KM])",
    re.I,
)
_CLIENTS_COUNTED = re.compile(
    rf"\b{_CLIENT_NOUN}\b[^.()]{{0,70}}\((\d{{1,4}})(?: of them| exactly| exactement| on the last count)?\)", re.I
)
_COUNTED = re.compile(rf"\b(?:{_CLIENT_NOUN}|y(?:ea)?rs?|ans|a[ñn]os|anni|\w*jahren?)\b", re.I)
_ACQUAINTED = re.compile(r"\b(?:called on|known|worked (?:with|for)|knows?|met) (?:her|him|them|you)\b[^.;]*$", re.I)
_EXACT = re.compile(r"\((\d{1,4})(?: exactly| exactement| on the last count| of them)?\)(?!\s?\d)")
_YEARS = re.compile(
    rf"\b({NUMBER})(?:-plus|\+)?\s{{1,6}}(?:yrs?|years?|years['’]|ans|años|anos|anni|jahren?|berufsjahren|"
    rf"jahre)\b(?!\s?(?:ago|"
    rf"old|notice|"
    rf"contract|next))",
    re.I,
)
_CAREER = re.compile(rf"\b({NUMBER})-years? (?:career|veteran|run|stint|history|experience)\b", re.I)
_DECADES = re.compile(
    rf"\b({NUMBER}|an?) decades?\b(?=(?: of experience)?(?: in| as| with clients| of| advising| serving|[,.;]))(?! "
    rf"ago)",
    re.I,
)
_YEARS_CUE = re.compile(
    r"business|profession|industry|experience|career|trenches|in\b|sector|métier|pratique|berufs|betreue|mercado|"
    r"attività|mestiere|professione|in the game|oficio|doing this|\bat it\b|(?:been|work\w*|advis\w+|it|doing|"
    r"serv\w+)\b[^.;]{0,50}\bfor\b|behind (?:me|him|her|us)|come (?:this |next )?(?-i:[A-Z])|for the (?:past|last)|"
    r"llevo|depuis|seit|j['’]ai|,\s?$|yrs|experiencia",
    re.I,
)
_OF_A_CAREER = re.compile(
    r"experi[eê]n\w+|expérience|erfahrung|esperienza|business|industry|career|profession|trade|métier|oficio|sector|"
    r"settore|"
    r"berufs\w*|mercado|altogether|doing (?:it|this)|as an? (?:\w+ ){0,2}(?:advis[oe]r|planner|broker|banker)\b",
    re.I,
)
_SERIES = re.compile(
    r"\bSeries\s(\d{1,2}(?:(?:,?\s(?:and|&|y|und|et|plus|as well as)\s|,\s?|/|\s&\s|\s(?=\d))(?:(?:la|the|"
    r"my)\s)?(?:Series\s)?\d{1,2}(?!\d|[.,]\d|"
    r"\s?[%$MK]))*)",
    re.I,
)
_BARE_LICENSES = re.compile(
    r"(?:\b[Rr]egistrations?:?|\b[Ll]icen[sc](?:es|ed):?|\bFINRA:?|\bExams?:?|\bI am\b|\b(?:hold|holds|have|has|got|"
    r"carry|carries|"
    r"passed)(?: (?:the|my|his|her|a))?\b|\bwith the\b|\bthe SIE(?:\sand\b)?|"
    r"\bregistered with\b|\b[Ss]eries\b|\b[Aa]lso\b|"
    r"(?<!\d)[.,]\s)\W{0,3}(?:the\s)?(?:SIE,?\s(?:and\s(?:the\s)?)?)?((?:\d{1,2})(?:(?:,\s(?:and\s)?(?:the\s)?|/|\s&\s|"
    r"\sand\s(?:the\s)?|\splus\s(?:the\s)?|\s(?=\d{1,2}(?:\s\d{1,2})*\s(?:and|&)\s\d))\d{1,2}(?![\d,.]\d|"
    r"\s?[%$MKmk]\b)){0,6})(?=[\s.;,)])",
)
# "S7, S63, S65".
_SHORT = re.compile(r"(?<![\w-])((?:S-?\d{1,2}(?:,? (?:and |& )?|/)){1,6}S-?\d{1,2})(?![\w-])")
_LICENSE_NUMBERS = frozenset(
    "3 4 6 7 8 9 10 14 16 22 23 24 26 27 28 30 31 39 50 51 52 53 57 63 65 66 79 82 86 87 99".split()
)
_HELD = re.compile(r"(?:hold|holds|have|has|got|carry|carries|passed)\s(?:the|my|his|her|a)\s|.*\bSIE\b", re.I | re.S)
_COMMON_LICENSES = frozenset({"6", "7", "24", "31", "63", "65", "66"})
_LIFE = re.compile(r"\blife (?:&|and) health\b", re.I)
DESIGNATIONS = (
    "CFP CFEP CIIA CFA CPFA CWS CFEI CEP CExP CBDA NSSA RSSA AEP CLTC ChSNC LUTCF FSCP CIPM FCSI DMS PFP QAFP "
    "CHS TEP FMA APFS FPFS DipPFS DipFA CeFA EFPA EIP CEA CGA ACCA MCSI FCISI CIMA CPWA ChFC CLU CPA CIM "
    "CAP CTFA CDFA RICP CEPA AAMS CRPC CAIA FPQP IACCP EFP AFP AIF AIFA AWMA ADPA CRPS CSLP EA CMFC CFS "
    "CBEC CEBS CKA QPFC FRM CMT CAMS CSRIC RMA EFA CHFC PFS"
).split()
_DESIGNATION = re.compile(
    r"(?<![\w&.-])("
    + "|".join(sorted(DESIGNATIONS, key=len, reverse=True))
    + r"|Pl\. Fin\.?)(?![\w-]*@|[\w.]*\.example)(?=[^\w]|$)"
)
_NOT_YET = re.compile(
    r"\b(?:before the|to go before|shy of|studying|candidate for|coursework|gave up|given up|dropped|let go of|"
    r"sit(?:ting)? (?:for )?the|exam in|"
    r"pursuing|towards? (?:the|my)|no letters|not (?:a|yet)|crowd|(?:don|doesn|didn|haven|won)['’]t (?:have|hold|"
    r"sit|got)|no|never|without|neither|nor)\W[^.]{0,20}$|\bthe\s$(?<=before the )",
    re.I,
)
_EARNED = re.compile(r"\b(?:passed|earned|finished|completed|added|obtained|got)\b[^.;]{0,20}$", re.I)
_NOT_YET_AFTER = re.compile(
    r"^\W{0,2}(?:coursework|exam in|candidate|track|in progress|studies|level|-crowd|yet\b|I (?:abandoned|dropped|"
    r"gave up|never)|lo dej[éó]|la dej[éó]|ho lasciato|abandonné|exam\b|next (?:year|spring|fall)|lapsed)",
    re.I,
)
_SHARE = re.compile(r"\b(\d{1,3})(?:\s?(?:to|-|–)\s?(\d{1,3}))?\s?(?:%|percent|per cent|prozent|por ciento)", re.I)
_SHARE_CUE = re.compile(
    r"transfer\w*|portab\w+|follow|come (?:along|with)|moves?\b|mine to take|vendría|me suivraient|avance|wechseln|"
    r"cartera|book\b|would come|of them would\b|sign\b|take with|(?:stick|stay|come|go|along) with|go where",
    re.I,
)
_ALL_MOVES = re.compile(r"\ball of it (?:moves|is portable|comes|transfers)\b|\b100\s?%", re.I)


def counts_in(passage: Passage) -> Iterator[Span]:
    """Clients and years of experience, as plain digits."""
    for match in _CAREER.finditer(passage.text):
        if value := number_from(match.group(1)):
            yield Span(value, passage, *match.span(), 0.8, "years_experience")
    for match in _DECADES.finditer(passage.text):
        tens = number_from(match.group(1)) or "1"
        if int(tens) < 6 and not re.search(r"\b(?:last|past|next|for)\W*$", passage.before(match.start(), 20)):
            yield Span(f"{tens}0", passage, *match.span(), 0.7, "years_experience")
    if not _COUNTED.search(passage.text):
        return
    for label, pattern in (
        ("client_count", _CLIENTS_COUNTED),
        ("client_count", _CLIENTS),
        ("client_count", _CLIENTS_AFTER),
        ("years_experience", _YEARS),
    ):
        for match in pattern.finditer(passage.text):
            if passage.after(match.end(), 15).startswith(" in common"):
                continue
            value = number_from(match.group(1))
            context = passage.before(match.start(), 50) + " " + passage.after(match.end(), 40)
            if "\n" in match.group() and len(_line_at(passage.text, match.start())) < 50:
                continue  # the end of one line and the beginning of another
            told = f"{match.group()} {context}"
            if value is None or NOT_HIS.search(passage.before(match.start(), 60)):
                continue
            if label == "years_experience" and (
                not (_YEARS_CUE.search(told) or _OF_A_CAREER.search(told) or _stands_alone(passage, match))
                or re.search(r"\bago|hers|dont\b|following", passage.before(match.start(), 12))
                or _ACQUAINTED.search(passage.before(match.start(), 50))
            ):
                continue
            exact = _EXACT.search(passage.text, match.end(), match.end() + 50)
            if label == "client_count" and exact:
                value = exact.group(1)
            score = 0.8 if label == "client_count" or _OF_A_CAREER.search(told) else 0.7
            yield Span(value, passage, match.start(), match.end(), score, label)


def _stands_alone(passage: Passage, match: re.Match[str]) -> bool:
    """ "Senior Advisor at Acme Wealth, eleven years, $73 million": an item of an enumeration."""
    before, after = passage.before(match.start(), 20), passage.text[match.end() : match.end() + 2]
    return bool(re.search(r"(?:^|[,;(|•*–-])\s?$", before) and re.match(r"\s?(?:[,;.)|]|$)", after))


def numbers_listed(answer_text: str) -> list[str]:
    """Licences of a labelled answer, which may be bare numbers: "7, 66" gives `["7", "66"]`, what is denied is left
    out."""
    asserted = re.split(r"\b(?:no|not|never|without|lapsed)\b", answer_text, flags=re.I)[0]
    return [
        number
        for number in re.findall(r"(?<![\d$.])\d{1,2}(?![\d%.]\d|%|[MKk])", asserted)
        if number in _LICENSE_NUMBERS
    ]


def _line_at(text: str, position: int) -> str:
    return text[text.rfind("\n", 0, position) + 1 :].partition("\n")[0]


def licenses_in(passage: Passage) -> Iterator[Span]:
    """`Series 7`, `SIE`, `Life & Health`, one span each."""
    text = passage.text
    for match in re.finditer(r"\bSIE\b", text):
        yield Span("SIE", passage, match.start(), match.end(), 0.9)
    for pattern in (_SERIES, _BARE_LICENSES, _SHORT):
        for match in pattern.finditer(text):
            numbers = list(re.finditer(r"\d{1,2}", match.group(1)))
            if pattern is _BARE_LICENSES and (
                (len(numbers) < 2 and not _HELD.match(match.group()))
                or any(n.group() not in _LICENSE_NUMBERS for n in numbers)
                or not any(n.group() in _COMMON_LICENSES for n in numbers)
            ):
                continue
            for number in numbers:
                start = match.start(1) + number.start()
                if _is_denied(passage, match.start(), start, match.start(1) + number.end()):
                    continue
                yield Span(f"Series {int(number.group())}", passage, start, match.start(1) + number.end(), 0.9)
    for match in _LIFE.finditer(text):
        yield Span("Life & Health", passage, match.start(), match.end(), 0.8)


def _is_denied(passage: Passage, first: int, start: int, end: int) -> bool:
    """ "I do not have the 7", "the Series 7 is long gone", "used to hold a 65 but it lapsed"."""
    before = passage.before(first, 40) + passage.text[first:start]
    return bool(_NOT_HELD.search(before) or _GONE.match(passage.after(end, 45)))


_NOT_HELD = re.compile(
    r"(?:\bnot|n['’]t|\bno|\bnever|\bwithout|used to|gave up|dropped|gone is|let (?:my|the))\b[^.;,]{0,25}$", re.I
)
_GONE = re.compile(r"^[^.;,]{0,20}\b(?:gone|lapsed|expired|inactive|ran out|went away)\b|^[^.;\d]{0,14}\bnot\b", re.I)


_IN_WORDS = {
    "certified financial planner": "CFP",
    "chartered financial consultant": "ChFC",
    "chartered financial analyst": "CFA",
    "certified public accountant": "CPA",
    "chartered life underwriter": "CLU",
    "certified private wealth advisor": "CPWA",
    "certified investment management analyst": "CIMA",
    "certified trust and fiduciary advisor": "CTFA",
    "retirement income certified professional": "RICP",
    "certified divorce financial analyst": "CDFA",
    "accredited investment fiduciary": "AIF",
    "enrolled agent": "EA",
}
_SPELT = re.compile(rf"\b({'|'.join(_IN_WORDS)})\b(?! (?:board|exam|program|track|candidate|course))", re.I)


def designations_in(passage: Passage) -> Iterator[Span]:
    """Letters after a name, or what they stand for, but not those that somebody is still studying for."""
    for match in _SPELT.finditer(passage.text):
        if not _NOT_YET.search(passage.before(match.start(), 50)):
            yield Span(_IN_WORDS[match.group(1).lower()], passage, match.start(), match.end(), 0.8)
    for match in _DESIGNATION.finditer(passage.text):
        before, after = passage.before(match.start(), 50), passage.after(match.end(), 25)
        earned = _EARNED.search(before)
        if (
            (earned or not _NOT_YET.search(before))
            and (earned or not _NOT_YET_AFTER.match(after))
            and not re.search(r"[\w.]$", passage.text[match.start() - 1 : match.start()])
        ):
            yield Span(match.group(1), passage, match.start(), match.end(), 0.85)


def shares_in(passage: Passage) -> Iterator[Span]:
    """The transferable share of the book, `75%` or `80%-85%`."""
    for match in _SHARE.finditer(passage.text):
        if _SHARE_CUE.search(passage.before(match.start(), 60) + " " + passage.after(match.end(), 60)):
            value = f"{match.group(1)}%-{match.group(2)}%" if match.group(2) else f"{match.group(1)}%"
            yield Span(value, passage, match.start(), match.end(), 0.8, "book_transferable")
    for match in _ALL_MOVES.finditer(passage.text):
        yield Span("100%", passage, match.start(), match.end(), 0.7, "book_transferable")
