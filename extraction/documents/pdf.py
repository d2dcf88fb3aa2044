"""A PDF, page by page, as far as its readers see it."""

import ctypes
from functools import cached_property
from itertools import chain

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extraction.documents import MAX_CHARACTERS, Refused, Said

MAX_PAGES = 20
MAX_PIXELS = 2_000  # the longer side of a page that is drawn
SMALLEST = 2.0  # points; what is smaller nobody can read
PALE = 180  # of 255; from here on the ground decides whether a letter can be seen
INK = 16  # of 255; the least difference inside a letter's box that an eye notices


def read(content: bytes) -> Said:
    document = _opened(content)
    texts: list[str] = []
    hidden, room = False, MAX_CHARACTERS
    for number in range(min(len(document), MAX_PAGES)):
        page = _Page(document[number])
        texts.append(page.text())
        hidden = hidden or page.hidden
        room -= len(texts[-1])
        if room < 0:
            break
    return Said("\n\n".join(texts)[:MAX_CHARACTERS], hidden, cut=room < 0 or len(document) > MAX_PAGES)


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Refused("encrypted" if locked else "damaged") from error


class _Page:
    """One page. A letter that is pale, see-through or not painted at all counts only where the page, drawn, shows
    something in its place: so the text layer of a scan is read, and white text on a dark ground, but not white on
    white."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self.hidden = False
        self._page = page
        self._letters = page.get_textpage()
        self._verdicts: dict[int, bool | None] = {}

    def text(self) -> str:
        chars = []
        for place in range(min(self._letters.count_chars(), 2 * MAX_CHARACTERS)):
            char = chr(raw.FPDFText_GetUnicode(self._letters, place))
            if char.isspace() or self._is_seen(place):
                chars.append("-" if char == "\x02" else char)  # PDFium's sign for a hyphen at the end of a line
            else:
                self.hidden = True
        return "".join(chars).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _is_seen(self, place: int) -> bool:
        stretch = raw.FPDFText_GetTextObject(self._letters, place)
        if not stretch:
            return True
        key = ctypes.addressof(stretch.contents)
        if key not in self._verdicts:
            self._verdicts[key] = self._judged(stretch, place)
        verdict = self._verdicts[key]
        return self._has_ink(place) if verdict is None else verdict

    def _judged(self, stretch: raw.FPDF_PAGEOBJECT, place: int) -> bool | None:
        """Whether a stretch of letters in one style is seen; None when each letter's place has to be looked at."""
        box = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(self._letters, place, box)
        left, bottom, right, top = self._page.get_cropbox()
        outside = box.right < left or box.left > right or box.top < bottom or box.bottom > top
        if outside or max(box.right - box.left, box.top - box.bottom) < SMALLEST:
            return False
        return None if _is_faint(stretch) else True

    def _has_ink(self, place: int) -> bool:
        pixels, width, height = self._drawn
        left, top, right, bottom = self._box_in_pixels(place, width, height)
        rows = (pixels[row * width + left : row * width + right] for row in range(top, bottom))
        shades = set(chain.from_iterable(rows))
        return bool(shades) and max(shades) - min(shades) >= INK

    @cached_property
    def _drawn(self) -> tuple[bytes, int, int]:
        """The page in shades of grey, its width and its height."""
        scale = min(1.0, MAX_PIXELS / max(self._page.get_size()))
        bitmap = self._page.render(scale=scale, grayscale=True)
        lines = memoryview(bitmap.buffer)
        rows = (lines[row * bitmap.stride : row * bitmap.stride + bitmap.width] for row in range(bitmap.height))
        return b"".join(rows), bitmap.width, bitmap.height

    def _box_in_pixels(self, place: int, width: int, height: int) -> tuple[int, int, int, int]:
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        raw.FPDFText_GetCharBox(self._letters, place, left, right, bottom, top)
        corners = [self._pixel(x.value, y.value, width, height) for x, y in ((left, top), (right, bottom))]
        (first, last), (upper, lower) = (sorted(along) for along in zip(*corners, strict=True))
        return max(first - 1, 0), max(upper - 1, 0), min(last + 2, width), min(lower + 2, height)

    def _pixel(self, x: float, y: float, width: int, height: int) -> tuple[int, int]:
        column, row = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(self._page, 0, 0, width, height, 0, x, y, column, row)
        return column.value, row.value


def _is_faint(stretch: raw.FPDF_PAGEOBJECT) -> bool:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if raw.FPDFTextObj_GetTextRenderMode(stretch) != raw.FPDF_TEXTRENDERMODE_FILL:
        return True
    if not raw.FPDFPageObj_GetFillColor(stretch, red, green, blue, alpha):
        return True
    return alpha.value < 128 or (red.value * 3 + green.value * 6 + blue.value) / 10 > PALE
