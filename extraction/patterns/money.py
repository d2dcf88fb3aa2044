"""Amounts of money, and whether they are assets, production or pay."""

import re
from collections.abc import Iterator

from extraction.patterns.reading import Passage, Span

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
    rf"(?:(?:[ \t]?(?:-|–|—|to|bis|à)\s{{0,3}}|\s?(?P<loose>a|y|and|et|und|"
    rf"e)\s?)(?P<sign2>{_SIGN})?\s?(?P<high>{_FIGURE}))?"
    rf"(?:\s?(?P<unit>{_UNIT}))?(?:\s?(?:d[ei]\s|d['’])?(?P<after>€|\$|£|EUR|USD|CHF|GBP|Euros?|Franken|euros?|dólares|"
    rf"dollars|francs|reais|"
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
        r"produ[cjz]\w+|produi\w+|\bthat did\b|last (?:twelve|12)\b|\b(?:I|we|he|she) did\b|revenues?|t-?12|trailing|"
        r"recurring (?:income|revenue|fees)|"
        r"\b(?:did|do|does|doing|generat\w+|threw off|throws off|brings? in)\W{0,3}(?:about |around |roughly |just "
        r")?$|gross\w*|"
        r"gdc|"
        r"\bfees\b|fee rev|erträge|revenus|facturación|ingresos|receitas?|provvigion\w*|ricavi|fatturato|"
        r"chiffre d['’]affaires|commissions|provision\w*|ertrag|comision\w*|comissões|faturamento",
        re.I,
    ),
    "compensation": re.compile(
        r"expect\w*|salary|\bpay\b|\bcomp\b|compensation|would do it|would need|looking for\W{0,3}$|less than|"
        r"\bunter\s*$|\b(?:come|go|move|leave) for\s*$|\b(?:need|needs|asks?|asking|take|seeks?)\W{0,3}(?:about |"
        r"around |at least )?$|\b(?:or|and) "
        r"(?:better|"
        r"more|above|up(?:wards)?)\b|\bbrut(?:os?|to)?\b|\ba year\b|par an\b|pro Jahr|im Jahr\b|al año|por ano|"
        r"anuales|annu[ei]\w*|all['’]anno|lord[oi]\b|\bbase\b|all[- ]in\b|package|gehalt\w*|prétentions|"
        r"pediría|ofrecemos|move for less|at (?:the very )?least|(?:not|nothing|no less) (?:below|under|than)|"
        r"range to begin|\bmy number is\b|guarantee\w*|\bdraw\b|want\w*\s(?:to make\s)?(?:\$|at)"
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
# Before a figure: it is the firm's, the team's, or of another time.
NOT_HIS = re.compile(
    r"\b(?:branch|department|bank as a whole|together|jointly|they(?! stood| came| are worth| amount)|partners who|"
    r"team|group|firm|totals?(?=\s*[\t:])|complex|holding|"
    r"the two of us|league table|similar|"
    r"office runs|das Haus|die Bank verwaltet|department|whole program|company|earlier|bonus(?! ?,)(?! and\b)|makes "
    r"(?:somewhere )?(?:around|about)|fee of|costs?|"
    r"deferred|unvested|current(?:ly)? (?:pay|salary|makes)|stale|counts assets|old figure|(?:19|"
    r"20)\d\d:|we share|our (?:mutual|shared))\b(?:[^.;]|\.(?=\d)){0,40}$",
    re.I,
)
_MINE = re.compile(r"of which|\bmine\b|\bmy own\b|\bpersonal(?:ly)?\b|for myself|\bof (?:his|her) own\b", re.I)
_DENIED = re.compile(
    r"(?:n['’]t|\bnot|\bno longer|\bnever|\bkein\w*|\bnicht|\bpas)\s(?!below|under|less|unter|moins)(?:\w+\s){0,2}$",
    re.I,
)
# What somebody is paid today is not what they ask for.
_TODAY = re.compile(
    r"\b(?:(?:I|he|she|and) (?:currently |now )?(?:makes?|earns?)|"
    r"(?:am|is|'m|’m) (?:currently |now )?(?:making|earning|paid))\b[^.;\d]{0,25}$|"
    r"\b(?:currently|presently|today|now)(?: at| on| making| earning)?\W{0,3}(?:about |around )?$",
    re.I,
)
_NOT_AFTER = re.compile(
    r"^\s?(?:(?:of|in) (?:net )?new\b|(?:that |which )?(?:the|our|my) (?:team|group|firm|branch|office|complex|"
    r"ensemble)\b|"
    r"at the branch|for the (?:branch|team|group|office)|in the branch|as a team|%|due|at the start)",
    re.I,
)


_PART = re.compile(r"\b(half|(?:a )?quarter|three[- ]quarters)(?: of)?(?: an?)? (billion|million)\b(?: dollars)?", re.I)
_PARTS = {"half": 0.5, "quarter": 0.25, "a quarter": 0.25, "three quarters": 0.75, "three-quarters": 0.75}
_PLAIN_CUE = re.compile(
    r"\b(?:t-?12|gdc|production|revenues?|salary|base|comp(?:ensation)?|pay)(?: (?:of|is|was|at))?\W{0,3}(?:about |"
    r"around |"
    r"roughly )?$",
    re.I,
)


def money_in(passage: Passage) -> Iterator[Span]:
    """Amounts as `$1.48M`, ranges as `$250K-$300K`; `label` names the field that the words around suggest."""
    for match in _PART.finditer(passage.text):
        size = _PARTS[match[1].lower()] * (1e9 if match[2].lower() == "billion" else 1e6)
        label, score = _field_of(passage, match.start(), match.end(), size, is_range=False)
        if score > 0:
            yield Span(f"${_written(str(int(size)), '')[0]}", passage, *match.span(), score, label)
    for match in list(_MONEY.finditer(passage.text))[:80]:
        plain = bool(match["low"][-4:-3] in (",", ".") and _PLAIN_CUE.search(passage.before(match.start("low"), 30)))
        value, large = _amount(match, plain)
        if not value:
            continue
        label, score = _field_of(passage, match.start(), match.end(), large, bool(match["high"]))
        if score > 0:
            yield Span(
                value, passage, match.start() + _lead(match), match.start() + len(match.group().rstrip()), score, label
            )


def _lead(match: re.Match[str]) -> int:
    return len(match.group()) - len(match.group().lstrip())


def _amount(match: re.Match[str], plain: bool) -> tuple[str, float]:
    """The amount as the rules write it and its size; nothing when it is no money. `plain`: the words before it say that
    it is, though it has no sign: "T-12 of 640,000"."""
    raw_sign = match["sign"] or match["sign2"]
    after = match["after"] or match["low_after"]
    unit = _unit(match["unit"] or match["low_unit"])
    sign = _SIGNS.get((raw_sign or "").upper().rstrip(".")) or _AFTER_SIGN.get((after or "").lower())
    if not sign and not unit and not plain:
        return "", 0
    if not sign and not plain and unit not in ("M", "B", *_INDIAN) and not match["high"] and unit != "K":
        return "", 0
    of_high = match["sign2"] or match["unit"] or match["after"]
    loose = match["loose"] and not of_high
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
    mine = _MINE.search(f"{before[-40:]}|") or _MINE.search(re.split(r"[\d;]|of which", after[:40])[0])
    if (NOT_HIS.search(before) and not mine) or _DENIED.search(before) or _NOT_AFTER.match(after) or size < 1000:
        return "", 0
    if _TODAY.search(before) and (size < 5e5 and not _CUES["production"].search(f"{before[-40:]}|{after}")):
        return "", 0
    nearest = [(match.end(), label) for label, pattern in _CUES.items() for match in pattern.finditer(before)]
    if is_range and 2e4 <= size < 2e7:
        return "compensation", 0.85
    following = [
        (-match.start(), label)
        for label, pattern in _CUES.items()
        for match in pattern.finditer(re.split(r"[,;]|(?<![tT-])\d", after[:35])[0])
    ]
    label = max(nearest)[1] if nearest else max(following)[1] if following else ""
    if label == "aum" and size < 5e6 and any(name == "compensation" for _, name in following):
        return "compensation", 0.8
    if label == "aum" and size < 5e6:
        label = "production" if any(name == "production" for _, name in nearest + following) else ""
    if label in ("compensation", "production") and size > 2e7:
        label = "aum"
    if not label and size >= 1e7:
        return "aum", 0.6
    return (label, 0.8) if label else ("", 0.3)
