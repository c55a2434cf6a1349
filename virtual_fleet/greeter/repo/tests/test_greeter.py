import pytest

from greeter import greet


@pytest.mark.parametrize(("language", "said"), [("en", "Hello, Ada!"), ("de", "Hallo, Ada!"), ("sv", "Hej, Ada!"), ("xx", "Hello, Ada!")])
def test_it_greets(language, said):
    assert greet("Ada", language) == said
