"""Figures of a practice: assets, production, clients, years, licences, designations, pay, transferable share."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span
from extraction.patterns.words import NUMBER, number_from

_SIGNS = {"US$": "$", "C$": "$", "$": "$", "€": "€", "£": "£", "CHF": "CHF ", "R$": "R$"}
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
}
_UNIT = r"(?:k|thousand|mil(?!l)|mm|mio\.?|m|millions?|millones|milhões|millionen|bn|b|billion|mrd\.?)(?![\w])"
_SIGN = r"(?:US\$|C\$|R\$|\$|€|£|CHF)"
_FIGURE = r"\d{1,3}(?:[,.' ]\d{3}){1,3}(?:[.,]\d{1,2})?(?!\d)|\d{1,4}(?:[.,]\d{1,3})?(?!\d)"
_MONEY = re.compile(
    rf"(?<![\w.,-])(?P<sign>{_SIGN})?\s?(?P<low>{_FIGURE})(?:\s?(?P<low_unit>{_UNIT}))?\s?(?P<low_after>€|\$)?"
    rf"(?:\s?(?P<dash>-|–|—|to|bis|à|a|y|and)\s?(?P<sign2>{_SIGN})?\s?(?P<high>{_FIGURE}))?"
    rf"(?:\s?(?P<unit>{_UNIT}))?(?:\s?(?:de\s)?(?P<after>€|\$|Euros?|euros?|dólares|dollars|francs|reais|"
    rf"US\$))?(?![\w%])",
    re.I,
)
_AFTER_SIGN = {
    "€": "€",
    "$": "$",
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
        r"produc\w+|revenues?|t-?12|trailing|gross\w*|gdc|fee rev|erträge|revenus|facturación|ingresos|receita", re.I
    ),
    "compensation": re.compile(
        r"expect\w*|salary|\bpay\b|\bcomp\b|compensation|would do it|would need|package|gehalt\w*|prétentions|"
        r"pediría|ofrecemos|move for less|at least|range to begin|want\w*\s(?:to make\s)?(?:\$|at)"
        r"|retribución|sueldo|salario|rémunération",
        re.I,
    ),
    "aum": re.compile(
        r"\baum\b|assets?|manag\w+|\bbook\b|look after|relationships come|volumen|vermögen|gestion\w*|gestão|"
        r"actifs?|activos|administr\w+|run[s]?\b|cuido|households?|families|separately"
        r"|responsible for|advise|depot\w*|total|add up|is it|it is|practice is|use|own is|numbers are",
        re.I,
    ),
}
_NOT_HIS = re.compile(
    r"\b(?:branch|team|group|firm|totals?(?=\s*[\t:])|complex|holding|the two of us|league table|similar|"
    r"office runs|company|earlier|bonus|makes (?:somewhere )?(?:around|about)|fee of|costs?|"
    r"deferred|unvested|current(?:ly)? (?:pay|salary|makes)|stale|counts assets|old figure|(?:19|"
    r"20)\d\d:)\b[^.;]{0,40}$",
    re.I,
)
_NOT_AFTER = re.compile(
    r"^\s?(?:at the branch|for the (?:branch|team|group|office)|in the branch|as a team|%|due|at the start)", re.I
)
_CLIENT_NOUN = (
    r"(?:client households|households?|families|familles|familias|famílias|clients?|clientes|relationships|mandate|"
    r"mandanten|kunden|trusts|foyers|grupos familiares|"
    r"household count|dentists\sas\sclients|haushalte)"
)
_CLIENTS = re.compile(
    rf"(?<![$€£.,\d])\b({NUMBER})(?:\s(?:loyal|private|client|active|{'wealthy'}))?\s{_CLIENT_NOUN}\b", re.I
)
_CLIENTS_AFTER = re.compile(
    r"\b(?:household count|households|clients|relationships|clientele|clientela|familles|"
    r"mandate)\W{1,5}(\d{1,4})(?![\d%]|[.,]\d|\s?[%$€KM])",
    re.I,
)
_CLIENTS_COUNTED = re.compile(
    rf"\b{_CLIENT_NOUN}\b[^.()]{{0,70}}\((\d{{1,4}})(?: of them| exactly| exactement| on the last count)?\)", re.I
)
_COUNTED = re.compile(rf"\b(?:{_CLIENT_NOUN}|y(?:ea)?rs?|ans|a[ñn]os|\w*jahren?)\b", re.I)
_EXACT = re.compile(r"\((\d{1,4})(?: exactly| exactement| on the last count| of them)?\)")
_YEARS = re.compile(
    rf"\b({NUMBER})\s(?:yrs?|years?|years['’]|ans|años|anos|jahren?|berufsjahren|jahre)\b(?!\s?(?:ago|old|notice|"
    rf"contract|next))",
    re.I,
)
_YEARS_CUE = re.compile(
    r"business|profession|industry|experience|career|trenches|in\b|sector|métier|pratique|berufs|betreue|mercado|"
    r"oficio|doing this|for\b|llevo|depuis|seit|j['’]ai|,\s?$|yrs|experiencia",
    re.I,
)
_SERIES = re.compile(
    r"\bSeries\s(\d{1,2}(?:(?:,?\s(?:and|&|y|und|et)\s|,\s?|/|\s&\s)(?:la\s)?(?:Series\s)?\d{1,2}(?!\d|[.,]\d|"
    r"\s?[%$MK]))*)",
    re.I,
)
_BARE_LICENSES = re.compile(
    r"(?:\b[Rr]egistrations?:?|\b[Ll]icen[sc](?:es|ed):?|\bhold\b|\bI am\b|\bhave the\b|\bthe SIE\b|"
    r"\.\s)\W{0,3}(?:SIE,?\s(?:and\s(?:the\s)?)?)?((?:\d{1,2})(?:(?:,\s|/|\s&\s|"
    r"\sand\s(?:the\s)?)\d{1,2}(?![\d,.]\d|\s?[%$MKmk]\b)){0,6})(?=[\s.;,])",
)
_LICENSE_NUMBERS = frozenset(
    [
        "3",
        "4",
        "6",
        "7",
        "8",
        "9",
        "10",
        "14",
        "16",
        "22",
        "23",
        "24",
        "26",
        "27",
        "28",
        "30",
        "31",
        "39",
        "50",
        "51",
        "52",
        "53",
        "57",
        "63",
        "65",
        "66",
        "79",
        "82",
        "86",
        "87",
        "99",
    ]
)
_LIFE = re.compile(r"\blife (?:&|and) health\b", re.I)
DESIGNATIONS = [
    "CFP",
    "CFA",
    "CIMA",
    "CPWA",
    "ChFC",
    "CLU",
    "CPA",
    "CIM",
    "CAP",
    "CTFA",
    "CDFA",
    "RICP",
    "CEPA",
    "AAMS",
    "CRPC",
    "CAIA",
    "FPQP",
    "IACCP",
    "EFP",
    "AFP",
    "AIF",
    "AIFA",
    "AWMA",
    "ADPA",
    "CRPS",
    "CSLP",
    "EA",
    "CMFC",
    "CFS",
    "CBEC",
    "CEBS",
    "CKA",
    "QPFC",
    "FRM",
    "CMT",
    "CAMS",
    "CSRIC",
    "RMA",
    "EFA",
    "CHFC",
    "PFS",
]
_DESIGNATION = re.compile(
    r"(?<![\w&.-])("
    + "|".join(sorted(DESIGNATIONS, key=len, reverse=True))
    + r"|Pl\. Fin\.?)(?![\w-]*@|[\w.]*\.example)(?=[^\w]|$)"
)
_NOT_YET = re.compile(
    r"(?:before the|to go before|shy of|studying|candidate for|coursework|sit(?:ting)? (?:for )?the|exam in|"
    r"pursuing|towards? (?:the|my)|no letters|not (?:a|yet)|crowd)\W[^.]{0,20}$|\bthe\s$(?<=before the )",
    re.I,
)
_NOT_YET_AFTER = re.compile(r"^\W{0,2}(?:coursework|exam in|candidate|track|in progress|studies|level|-crowd)", re.I)
_SHARE = re.compile(r"\b(\d{1,3})(?:\s?(?:to|-|–)\s?(\d{1,3}))?\s?(?:%|percent|per cent|prozent|por ciento)", re.I)
_SHARE_CUE = re.compile(
    r"transfer\w*|portab\w+|follow|come (?:along|with)|moves?\b|mine to take|vendría|me suivraient|avance|wechseln|"
    r"cartera|book\b|would come|take with",
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
    unit = _UNITS.get((match["unit"] or match["low_unit"] or "").lower().rstrip("."), "")
    sign = _SIGNS.get((raw_sign or "").upper()) or _AFTER_SIGN.get((after or "").lower())
    if not sign and not unit:
        return "", 0
    if not sign and unit not in ("M", "B") and not match["high"] and unit != "K":
        return "", 0
    loose = match["dash"] in ("and", "y", "a") and not (match["sign2"] or match["unit"] or match["after"])
    low, size = _written(match["low"], _UNITS.get((match["low_unit"] or "").lower().rstrip("."), unit))
    if not match["high"] or loose:
        return (sign or "$") + low, size
    high, _ = _written(match["high"], unit)
    return f"{sign or '$'}{low}-{sign or '$'}{high}", size


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
    size = number * {"": 1, "K": 1e3, "M": 1e6, "B": 1e9}[unit]
    for name, scale in (("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if size >= scale:
            return f"{size / scale:.4f}".rstrip("0").rstrip(".") + name, size
    return f"{size:.2f}".rstrip("0").rstrip("."), size


def _field_of(passage: Passage, start: int, end: int, size: float, is_range: bool) -> tuple[str, float]:
    before, after = passage.before(start, 75), passage.after(end, 45)
    if is_range and 2e4 <= size < 2e7 and _CUES["compensation"].search(before[-40:]):
        return "compensation", 0.9
    if _NOT_HIS.search(before) or _NOT_AFTER.match(after) or size < 1000:
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
            if value is None or _NOT_HIS.search(passage.before(match.start(), 60)):
                continue
            if label == "years_experience" and (
                not _YEARS_CUE.search(f"{match.group()} {context}")
                or re.search(r"\bago|hers|dont\b|following", passage.before(match.start(), 12))
            ):
                continue
            exact = _EXACT.search(passage.text, match.end(), match.end() + 50)
            if label == "client_count" and exact:
                value = exact.group(1)
            yield Span(value, passage, match.start(), match.end(), 0.8, label)


def licenses_in(passage: Passage) -> Iterator[Span]:
    """`Series 7`, `SIE`, `Life & Health`, one span each."""
    text = passage.text
    for match in re.finditer(r"\bSIE\b", text):
        yield Span("SIE", passage, match.start(), match.end(), 0.9)
    for pattern in (_SERIES, _BARE_LICENSES):
        for match in pattern.finditer(text):
            numbers = list(re.finditer(r"\d{1,2}", match.group(1)))
            if pattern is _BARE_LICENSES and (
                (len(numbers) < 2 and "SIE" not in match.group())
                or any(n.group() not in _LICENSE_NUMBERS for n in numbers)
            ):
                continue
            for number in numbers:
                start = match.start(1) + number.start()
                yield Span(f"Series {int(number.group())}", passage, start, match.start(1) + number.end(), 0.9)
    for match in _LIFE.finditer(text):
        yield Span("Life & Health", passage, match.start(), match.end(), 0.8)


def designations_in(passage: Passage) -> Iterator[Span]:
    """Letters after a name, but not those that somebody is still studying for."""
    for match in _DESIGNATION.finditer(passage.text):
        before, after = passage.before(match.start(), 50), passage.after(match.end(), 25)
        if (
            not _NOT_YET.search(before)
            and not _NOT_YET_AFTER.match(after)
            and not re.search(r"[\w.]$", passage.text[match.start() - 1 : match.start()])
        ):
            yield Span(match.group(1), passage, match.start(), match.end(), 0.85)


def shares_in(passage: Passage) -> Iterator[Span]:
    """The transferable share of the book, `75%` or `80%-85%`."""
    for match in _SHARE.finditer(passage.text):
        if _SHARE_CUE.search(passage.before(match.start(), 60) + " " + passage.after(match.end(), 40)):
            value = f"{match.group(1)}%-{match.group(2)}%" if match.group(2) else f"{match.group(1)}%"
            yield Span(value, passage, match.start(), match.end(), 0.8, "book_transferable")
    for match in _ALL_MOVES.finditer(passage.text):
        yield Span("100%", passage, match.start(), match.end(), 0.7, "book_transferable")
