import pytest

from slugger import slugify


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Hello", "hello"),
        ("Hello, World", "hello-world"),
        ("  Ten Years of Öland  ", "ten-years-of-oland"),
        ("C++ & Rust!", "c-rust"),
        ("2024: a review", "2024-a-review"),
    ],
)
def test_a_title_becomes_a_slug(title, slug):
    assert slugify(title) == slug


def test_a_slug_stays_a_slug():
    assert slugify("ten-years-of-oland") == "ten-years-of-oland"
