"""What the author's names cost: nothing of the host comes with them."""

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

import mediahost

HEAVY = {"alembic", "rich", "sqlalchemy", "sqlmodel", "textual", "typer", "watchdog"}


def _loaded_by(code: str, watched: Iterable[str]) -> list[str]:
    report = (
        f"import json, sys; print(json.dumps([m for m in {sorted(watched)} if m in sys.modules]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    loaded: list[str] = json.loads(out.stdout)
    return loaded


def test_the_package_alone_loads_not_even_pydantic() -> None:
    watched = {*HEAVY, "pydantic", "pluggy", "blake3", "mediahost.errors"}
    assert _loaded_by("import mediahost; mediahost.__version__", watched) == []


def test_all_of_the_authors_names_together_load_nothing_of_the_host() -> None:
    names = ", ".join(mediahost.__all__)
    assert _loaded_by(f"from mediahost import {names}", HEAVY) == []


def test_the_test_kit_loads_nothing_of_the_host_and_no_pytest() -> None:
    code = "from mediahost.testing import *; import mediahost.testing.conformance"
    assert _loaded_by(code, {*HEAVY, "pytest", "_pytest"}) == []


def test_the_pytest_plugin_costs_other_peoples_test_runs_nothing() -> None:
    assert _loaded_by("import mediahost.testing.fixtures", {*HEAVY, "pydantic", "blake3"}) == []


def test_what_is_found_to_be_loaded_is_found() -> None:
    assert _loaded_by("import typer", HEAVY) != []


@pytest.mark.parametrize("name", mediahost.__all__)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(mediahost, name)
    assert name in dir(mediahost)
    assert name == "__version__" or value.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mediahost' has no attribute 'Actoin'"):
        mediahost.Actoin  # noqa: B018 - the access is the test
    with pytest.raises(ImportError):
        from mediahost.testing import run_aktion  # noqa: F401, PLC0415 - the import is the test
