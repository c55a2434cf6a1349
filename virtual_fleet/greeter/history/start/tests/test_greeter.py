from greeter import greet


def test_it_greets():
    assert greet("Ada") == "Hello, Ada!"
