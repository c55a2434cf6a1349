import pathlib
import re

import tally


def test_all_versions_are_the_same():
    root = pathlib.Path(__file__).parent.parent
    assert f'version = "{tally.__version__}"' in root.joinpath("pyproject.toml").read_text()
    newest = re.search(r"^## (\S+)", root.joinpath("CHANGE_LOG.md").read_text(), re.MULTILINE)
    assert newest.group(1) == tally.__version__
