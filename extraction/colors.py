"""Colours of HTML mails, as far as it matters whether letters can be told from the ground behind them."""

import re

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
LEAST_CONTRAST = 16  # of 255 in some channel; below, no eye tells two colours apart
_NAMED: dict[str, Color] = {"white": WHITE, "snow": (255, 250, 250), "ivory": (255, 255, 240), "black": (0, 0, 0)}
_HEX = re.compile(r"#?([0-9a-f]{3,8})", re.I)
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]{1,60})\)", re.I)


def color_in(text: str, ground: Color | None) -> Color | None:
    """`white`, `#fff`, `rgb(255 255 255)`; what is see-through has the colour of the ground. None for anything else."""
    text = text.strip().lower()
    if text == "transparent":
        return ground
    if function := _FUNCTION.fullmatch(text):
        return _computed(function[1].lower(), re.split(r"[\s,/]+", function[2].strip()), ground)
    digits = _HEX.fullmatch(text)
    return _of_digits(digits[1], ground) if digits else _NAMED.get(text)


def _of_digits(digits: str, ground: Color | None) -> Color | None:
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) == 8 and int(digits[6:], 16) < LEAST_CONTRAST:
        return ground
    red, green, blue = (int(digits[at : at + 2] or "0", 16) for at in (0, 2, 4))
    return red, green, blue


def _computed(kind: str, parts: list[str], ground: Color | None) -> Color | None:
    try:
        numbers = [float(part.strip("%deg")) for part in parts]
    except ValueError:
        return None
    if len(numbers) < 3:
        return None
    if len(numbers) > 3 and numbers[3] < LEAST_CONTRAST / 255:
        return ground
    if kind == "hsl":  # the hue matters little: white, black and greys are what hides
        shade = round(numbers[2] * 2.55)
        return (shade, shade, shade) if numbers[1] < 5 or numbers[2] in (0, 100) else None
    scale = 2.55 if parts[0].endswith("%") else 1
    red, green, blue = (round(number * scale) for number in numbers[:3])
    return red, green, blue
