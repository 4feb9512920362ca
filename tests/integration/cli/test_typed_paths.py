"""A PATH in one spelling of its accents finds the file that the disk spells in the other."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

NFC, NFD = "Caf\u00e9", "Cafe\u0301"


@pytest.mark.parametrize(("typed", "there"), [(NFC, NFD), (NFD, NFC)])
def test_every_command_finds_it(home: "Home", typed: str, there: str) -> None:
    home.tone(f"{there}/{there}.wav")
    path = f"media/{typed}/{typed}.wav"
    assert home.call("run", path, "--action", "count.look").code == 0
    assert home.call("results", path, "--json").json[0]["action"] == "count.look"
    assert home.call("explain", path, "--action", "count.look").code == 0
    assert home.call("lineage", path).code == 0
    assert home.call("duplicates", f"media/{typed}", "--json").code == 0
    assert len(home.call("jobs", "list", "--filter", typed, "--json").json) == 1
    assert home.call("watch", f"media/{typed}", "--once", "--action", "count.look").code == 0
    assert home.call("watch", "add", f"media/{typed}").code == 0
    assert home.query("SELECT count(*) FROM watches") == [(1,)]
