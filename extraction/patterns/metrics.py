"""Figures of a practice: assets, production, clients, years, licences, designations, pay, transferable share."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span
from extraction.patterns.words import NUMBER, number_from

_SIGNS = dict.fromkeys(("$", "US$", "C$", "CA$", "CAD", "USD"), "$")
_SIGNS |= {
    "₹": "₹",
    "INR": "₹",
    "RS": "₹",
    "€": "€",
    "EUR": "€",
    "£": "£",
    "GBP": "£",
    "CHF": "CHF ",
    "R$": "R$",
    "A$": "A$",
    "AUD": "A$",
    "S$": "S$",
    "MX$": "MX$",
}
_UNITS = {
    "k": "K",
    "thousand": "K",
    "mil": "K",
    "m": "M",
    "mm": "M",
    "mio": "M",
    "million": "M",
    "millions": "M",
    "millones": "M",
    "milhões": "M",
    "millionen": "M",
    "b": "B",
    "bn": "B",
    "billion": "B",
    "mrd": "B",
    "mln": "M",
    "mila": "K",
    "mld": "B",
    "md": "B",
    "milliards": "B",
    "milliarden": "B",
    "miliardi": "B",
    "milioni": "M",
    "tsd": "K",
    "tausend": "K",
    "mi": "M",
    "bi": "B",
    "bilhões": "B",
}
_INDIAN = {"crore": 1e7, "crores": 1e7, "cr": 1e7, "lakh": 1e5, "lakhs": 1e5}
_UNIT = (
    r"(?:crores?|cr|lakhs?|mln\.?|mila|mld\.?|md|milliards?|milliarden|miliardi|milioni|tsd\.?|tausend|bilhões|"
    r"mi|bi|k|thousand|mil(?!l)|mm|mio\.?|m|millions?|millones|milhões|millionen|bn|b|billion|mrd\.?)(?![\w])"
)
_SIGN = r"(?:(?:US|CA|MX|C|R|A|S)?\$|€|£|₹|CHF|EUR|USD|GBP|CAD|AUD|INR|Rs\.?)"
_FIGURE = r"\d{1,3}(?:[,.' ]\d{3}){1,3}(?:[.,]\d{1,2})?(?!\d)|\d{1,4}(?:[.,]\d{1,3})?(?!\d)"
_MONEY = re.compile(
    rf"(?<![\w.,-])(?P<sign>{_SIGN})?\s?(?P<low>{_FIGURE})(?:\s?(?P<low_unit>{_UNIT}))?\s?(?P<low_after>€|\$)?"
    rf"(?:\s?(?P<dash>-|–|—|to|bis|à|a|y|and|et|und|e)\s?(?P<sign2>{_SIGN})?\s?(?P<high>{_FIGURE}))?"
    rf"(?:\s?(?P<unit>{_UNIT}))?(?:\s?(?:d[ei]\s)?(?P<after>€|\$|£|EUR|USD|CHF|GBP|Euros?|Franken|euros?|dólares|dollars|francs|reais|"
    rf"US\$))?(?![\w%])",
    re.I,
)
_AFTER_SIGN = {
    "€": "€",
    "$": "$",
    "£": "£",
    "eur": "€",
    "usd": "$",
    "chf": "CHF ",
    "gbp": "£",
    "franken": "CHF ",
    "euro": "€",
    "euros": "€",
    "dólares": "$",
    "dollars": "$",
    "francs": "CHF ",
    "reais": "R$",
    "us$": "$",
}
_CUES = {
    "production": re.compile(
        r"produc\w+|\bthat did\b|last (?:twelve|12)\b|\b(?:I|we|he|she) did\b|revenues?|t-?12|trailing|"
        r"\bdid\W{0,3}$|gross\w*|gdc|"
        r"\bfees\b|fee rev|erträge|revenus|facturación|ingresos|receitas?|provvigion\w*|ricavi|fatturato|"
        r"chiffre d['’]affaires|commissions|provision\w*|ertrag|comision\w*|comissões|faturamento",
        re.I,
    ),
    "compensation": re.compile(
        r"expect\w*|salary|\bpay\b|\bcomp\b|compensation|would do it|would need|looking for\W{0,3}$|less than|"
        r"\b(?:need|needs|asks?|asking|take|seeks?)\W{0,3}(?:about |around |at least )?$|\b(?:or|and) (?:better|"
        r"more|above|up(?:wards)?)\b|\bbrut(?:os?|to)?\b|\ba year\b|par an\b|pro Jahr|im Jahr\b|al año|por ano|"
        r"anuales|annu[ei]\w*|all['’]anno|lord[oi]\b|\bbase\b|all[- ]in\b|package|gehalt\w*|prétentions|"
        r"pediría|ofrecemos|move for less|at (?:the very )?least|(?:not|nothing|no less) (?:below|under|than)|"
        r"range to begin|want\w*\s(?:to make\s)?(?:\$|at)"
        r"|retribución|sueldo|salario|rémunération",
        re.I,
    ),
    "aum": re.compile(
        r"\baum\b|assets?|manag\w+|\bbook\b|look after|relationships come|volumen|vermögen|gestion\w*|gestão|"
        r"actifs?|activos|administr\w+|run[s]?\b|cuido|households?|families|separately"
        r"|responsible for|advise|stood at|valuation|depot\w*|total|add up|is it|it is|practice is|use|own is|"
        r"numbers are",
        re.I,
    ),
}
_NOT_HIS = re.compile(
    r"\b(?:branch|department|bank as a whole|together|jointly|they(?! stood| came| are worth| amount)|partners who|"
    r"team|group|firm|totals?(?=\s*[\t:])|complex|holding|"
    r"the two of us|league table|similar|"
    r"office runs|company|earlier|bonus|makes (?:somewhere )?(?:around|about)|fee of|costs?|"
    r"deferred|unvested|current(?:ly)? (?:pay|salary|makes)|stale|counts assets|old figure|(?:19|"
    r"20)\d\d:)\b[^.;]{0,40}$",
    re.I,
)
_MINE = re.compile(r"of which|\bmine\b|\bmy own\b|\bpersonal(?:ly)?\b|for myself|\bof (?:his|her) own\b", re.I)
_DENIED = re.compile(
    r"(?:n['’]t|\bnot|\bno longer|\bnever|\bkein\w*|\bnicht|\bpas)\s(?!below|under|less|unter|moins)(?:\w+\s){0,2}$",
    re.I,
)
_NOT_AFTER = re.compile(
    r"^\s?(?:at the branch|for the (?:branch|team|group|office)|in the branch|as a team|%|due|at the start)", re.I
)
_CLIENT_NOUN = (
    r"(?:client households|households?|families|familles|ménages|famiglie|nuclei|lares|familias|famílias|clients?|"
    r"clientes|relationships|mandate|"
    r"mandanten|kundinnen|kunden|stiftungen|clienti|famílias|trusts|foyers|grupos familiares|"
    r"household count|dentists\sas\sclients|haushalte)"
)
_CLIENTS = re.compile(
    rf"(?<![$€£.,\d])\b({NUMBER})(?:\s(?:loyal|private|client|active|wealthy|trust|family|"
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
_EXACT = re.compile(r"\((\d{1,4})(?: exactly| exactement| on the last count| of them)?\)")
_YEARS = re.compile(
    rf"\b({NUMBER})\s{{1,6}}(?:yrs?|years?|years['’]|ans|años|anos|anni|jahren?|berufsjahren|jahre)\b(?!\s?(?:ago|old|notice|"
    rf"contract|next))",
    re.I,
)
_YEARS_CUE = re.compile(
    r"business|profession|industry|experience|career|trenches|in\b|sector|métier|pratique|berufs|betreue|mercado|"
    r"attività|mestiere|professione|in the game|oficio|doing this|\bat it\b|(?:been|work\w*|advis\w+|it|doing|"
    r"serv\w+)\b[^.;]{0,50}\bfor\b|behind (?:me|him|her|us)|llevo|depuis|seit|j['’]ai|,\s?$|yrs|experiencia",
    re.I,
)
_OF_A_CAREER = re.compile(
    r"experien\w+|expérience|erfahrung|esperienza|business|industry|career|profession|trade|métier|oficio|sector|settore|"
    r"berufs\w*|mercado|altogether",
    re.I,
)
_SERIES = re.compile(
    r"\bSeries\s(\d{1,2}(?:(?:,?\s(?:and|&|y|und|et|plus|as well as)\s|,\s?|/|\s&\s)(?:(?:la|"
    r"the)\s)?(?:Series\s)?\d{1,2}(?!\d|[.,]\d|"
    r"\s?[%$MK]))*)",
    re.I,
)
_BARE_LICENSES = re.compile(
    r"(?:\b[Rr]egistrations?:?|\b[Ll]icen[sc](?:es|ed):?|\bI am\b|\b(?:hold|holds|have|has|got|carry|carries|"
    r"passed)(?: (?:the|my|his|her|a))?\b|\bwith the\b|\bthe SIE(?:\sand\b)?|"
    r"\bregistered with\b|\b[Ss]eries\b|"
    r"[.,]\s)\W{0,3}(?:the\s)?(?:SIE,?\s(?:and\s(?:the\s)?)?)?((?:\d{1,2})(?:(?:,\s(?:and\s)?(?:the\s)?|/|\s&\s|"
    r"\sand\s(?:the\s)?|\splus\s(?:the\s)?)\d{1,2}(?![\d,.]\d|\s?[%$MKmk]\b)){0,6})(?=[\s.;,])",
)
_LICENSE_NUMBERS = frozenset(
    "3 4 6 7 8 9 10 14 16 22 23 24 26 27 28 30 31 39 50 51 52 53 57 63 65 66 79 82 86 87 99".split()
)
_HELD = re.compile(r"(?:hold|holds|have|has|got|carry|carries|passed)\s(?:the|my|his|her|a)\s|.*\bSIE\b", re.I | re.S)
_COMMON_LICENSES = frozenset({"6", "7", "24", "31", "63", "65", "66"})
_LIFE = re.compile(r"\blife (?:&|and) health\b", re.I)
DESIGNATIONS = (
    "CFP CIIA CFA CPFA CWS CFEI CEP CExP CBDA NSSA RSSA AEP CLTC ChSNC LUTCF FSCP CIPM FCSI DMS PFP QAFP "
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
    r"cartera|book\b|would come|take with|(?:stick|stay|come|go|along) with|go where",
    re.I,
)
_ALL_MOVES = re.compile(r"\ball of it (?:moves|is portable|comes|transfers)\b|\b100\s?%", re.I)


def money_in(passage: Passage) -> Iterator[Span]:
    """Amounts as `$1.48M`, ranges as `$250K-$300K`; `label` names the field that the words around suggest."""
    for match in list(_MONEY.finditer(passage.text))[:80]:
        value, large = _amount(match)
        if not value:
            continue
        label, score = _field_of(passage, match.start(), match.end(), large, bool(match["high"]))
        if score > 0:
            yield Span(
                value, passage, match.start() + _lead(match), match.start() + len(match.group().rstrip()), score, label
            )


def _lead(match: re.Match[str]) -> int:
    return len(match.group()) - len(match.group().lstrip())


def _amount(match: re.Match[str]) -> tuple[str, float]:
    """The amount as the rules write it and its size; nothing when it is no money."""
    raw_sign = match["sign"] or match["sign2"]
    after = match["after"] or match["low_after"]
    unit = _unit(match["unit"] or match["low_unit"])
    sign = _SIGNS.get((raw_sign or "").upper().rstrip(".")) or _AFTER_SIGN.get((after or "").lower())
    if not sign and not unit:
        return "", 0
    if not sign and unit not in ("M", "B", *_INDIAN) and not match["high"] and unit != "K":
        return "", 0
    of_high = match["sign2"] or match["unit"] or match["after"]
    loose = match["dash"] in ("and", "y", "a", "et", "und", "e") and not of_high
    low, size = _written(match["low"], _unit(match["low_unit"]) or unit)
    if not match["high"] or loose:
        return (sign or "$") + low, size
    high, _ = _written(match["high"], unit)
    return f"{sign or '$'}{low}-{sign or '$'}{high}", size


def _unit(written: str | None) -> str:
    plain = (written or "").lower().rstrip(".")
    return plain if plain in _INDIAN else _UNITS.get(plain, "")


def _written(figure: str, unit: str) -> tuple[str, float]:
    """`1,120,000` → `1.12M`; `96,5` with M → `96.5M`."""
    plain = figure.replace(" ", "").replace("'", "")
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", plain) and not unit:
        plain = re.sub(r"[.,]", "", plain)
    elif re.fullmatch(r"\d{1,3}(,\d{3})+\.\d+", plain):
        plain = plain.replace(",", "")
    number = (
        float(plain.replace(",", ".")) if plain.count(",") + plain.count(".") < 2 else float(re.sub(r"[.,]", "", plain))
    )
    size = number * (_INDIAN.get(unit) or {"": 1, "K": 1e3, "M": 1e6, "B": 1e9}[unit])
    for name, scale in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if size >= scale:
            return f"{size / scale:.4f}".rstrip("0").rstrip(".") + name, size
    return f"{size:.2f}".rstrip("0").rstrip("."), size


def _field_of(passage: Passage, start: int, end: int, size: float, is_range: bool) -> tuple[str, float]:
    before, after = passage.before(start, 75), passage.after(end, 45)
    if is_range and 2e4 <= size < 2e7 and _CUES["compensation"].search(before[-40:]):
        return "compensation", 0.9
    mine = _MINE.search(f"{before[-25:]}|") or _MINE.search(re.split(r"[\d;]|of which", after[:40])[0])
    if (_NOT_HIS.search(before) and not mine) or _DENIED.search(before) or _NOT_AFTER.match(after) or size < 1000:
        return "", 0
    nearest = [(match.end(), label) for label, pattern in _CUES.items() for match in pattern.finditer(before)]
    if is_range and 2e4 <= size < 2e7:
        return "compensation", 0.85
    following = [
        (-match.start(), label)
        for label, pattern in _CUES.items()
        for match in pattern.finditer(re.split(r"[,;\d]", after[:35])[0])
    ]
    label = max(nearest)[1] if nearest else max(following)[1] if following else ""
    if label == "aum" and size < 5e6 and any(name == "compensation" for _, name in following):
        return "compensation", 0.8
    if label == "aum" and size < 5e6:
        label = "production" if any(name == "production" for _, name in nearest + following) else ""
    if label == "compensation" and size > 2e7:
        label = "aum"
    if not label and size >= 1e7:
        return "aum", 0.6
    return (label, 0.8) if label else ("", 0.3)


def counts_in(passage: Passage) -> Iterator[Span]:
    """Clients and years of experience, as plain digits."""
    if not _COUNTED.search(passage.text):
        return
    for label, pattern in (
        ("client_count", _CLIENTS_COUNTED),
        ("client_count", _CLIENTS),
        ("client_count", _CLIENTS_AFTER),
        ("years_experience", _YEARS),
    ):
        for match in pattern.finditer(passage.text):
            value = number_from(match.group(1))
            context = passage.before(match.start(), 50) + " " + passage.after(match.end(), 40)
            if "\n" in match.group() and len(_line_at(passage.text, match.start())) < 50:
                continue  # the end of one line and the beginning of another
            told = f"{match.group()} {context}"
            if value is None or _NOT_HIS.search(passage.before(match.start(), 60)):
                continue
            if label == "years_experience" and (
                not (_YEARS_CUE.search(told) or _OF_A_CAREER.search(told) or _stands_alone(passage, match))
                or re.search(r"\bago|hers|dont\b|following", passage.before(match.start(), 12))
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
    for pattern in (_SERIES, _BARE_LICENSES):
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


_NOT_HELD = re.compile(r"(?:\bnot|n['’]t|\bno|\bnever|\bwithout|used to|gave up|dropped|gone is)\b[^.;,]{0,25}$", re.I)
_GONE = re.compile(r"^[^.;,]{0,20}\b(?:gone|lapsed|expired|inactive|ran out|went away)\b|^[^.;\d]{0,14}\bnot\b", re.I)


def designations_in(passage: Passage) -> Iterator[Span]:
    """Letters after a name, but not those that somebody is still studying for."""
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
