"""Names as the domain page asks for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.patterns.names import clean_name


@pytest.mark.parametrize(
    ("written", "full", "first", "last"),
    [
        ("Dr. Wendeline Achterbosch", "Wendeline Achterbosch", "Wendeline", "Achterbosch"),
        ("Fintan O'Brien", "Fintan O'Brien", "Fintan", "O'Brien"),
        ("FINTAN O'BRIEN", "Fintan O'Brien", "Fintan", "O'Brien"),
        ("Walter T. MacDonald Jr.", "Walter T. MacDonald Jr.", "Walter", "MacDonald"),
        ("Reginald Thibodeaux III", "Reginald Thibodeaux III", "Reginald", "Thibodeaux"),
        ("Dominic de la Cruz", "Dominic de la Cruz", "Dominic", "de la Cruz"),
        ("Noor van der Berg, CFP®", "Noor van der Berg", "Noor", "van der Berg"),
        ("Sesay-Coleman, Ibrahim", "Ibrahim Sesay-Coleman", "Ibrahim", "Sesay-Coleman"),
        ("Evangeline St. John", "Evangeline St. John", "Evangeline", "St. John"),
        ('Rutherford "Ford" Callahan', "Rutherford Callahan", "Rutherford", "Callahan"),
        ("LE GUENNEC Loïc", "Loïc Le Guennec", "Loïc", "Le Guennec"),
        ("J.D. Fairweather", "J.D. Fairweather", "J.D.", "Fairweather"),
        ("JD Fairweather", "JD Fairweather", "JD", "Fairweather"),
        ("Ginevra Dal Pozzo", "Ginevra Dal Pozzo", "Ginevra", "Dal Pozzo"),
        ("Nerea Goikoetxea Lasa", "Nerea Goikoetxea Lasa", "Nerea", "Goikoetxea Lasa"),
        ("Thaís Bittencourt do Amaral", "Thaís Bittencourt do Amaral", "Thaís", "Bittencourt do Amaral"),
        ("Marc Allen Whitfield", "Marc Allen Whitfield", "Marc Allen", "Whitfield"),
        ("Laura Beth de Vries", "Laura Beth de Vries", "Laura Beth", "de Vries"),
        ("David Moreno López", "David Moreno López", "David", "Moreno López"),
        ("Madonna", "Madonna", "", "Madonna"),
        ("", "", "", ""),
    ],
)
def test_a_name_is_cleaned_and_parted(written, full, first, last):
    assert clean_name(written) == (full, first, last)


@given(st.text(max_size=60))
def test_cleaning_never_fails_and_never_invents_letters(text):
    full, first, last = clean_name(text)

    assert set(full.casefold()) <= set(text.casefold()) | set(" '") or text.isupper() or text.islower()
    assert isinstance(first, str)
    assert isinstance(last, str)
