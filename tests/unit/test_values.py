"""The ground floor's values."""

from bot.base.canonical import canonical, digest
from bot.base.values import Plugin, Usage


def test_usage_adds_up_and_an_estimate_stays_an_estimate() -> None:
    total = Usage(prompt=10, output=5, thoughts=1, calls=1, cost_usd=0.5) + Usage(prompt=1, calls=1, estimated=True)
    assert (total.prompt, total.output, total.calls, total.total, total.estimated) == (11, 5, 2, 17, True)


def test_a_plugin_given_by_a_path_is_known_as_one() -> None:
    assert Plugin(name="a", repo="/srv/a").is_path
    assert Plugin(name="a", repo="../a").is_path
    assert not Plugin(name="a", repo="acme/a").is_path
    assert not Plugin(name="a", repo="https://example.invalid/acme/a").is_path


def test_one_value_has_one_spelling() -> None:
    assert canonical({"b": 1, "a": [1.5, None]}) == b'{"a":[1.5,null],"b":1}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
