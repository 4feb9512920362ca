"""How whole a result is, in words."""

import pytest
from pydantic import ValidationError

from mediahost import Completeness

SAID: dict[str, dict[str, object]] = {
    "": {},
    "0.5 s missing": {"missing_s": 0.5},
    "1 min 5 s missing": {"missing_s": 65},
    "1 h 1 min missing": {"missing_s": 3661},
    "1 packet missing": {"missing_packets": 1},
    "1,200 packets missing": {"missing_packets": 1200},
    "page 3 missing": {"missing_pages": (3,)},
    "pages 1-3, 9 missing": {"missing_pages": (9, 2, 1, 3, 3)},
    "2 s, 1 packet and page 1 missing: It is cut off": {
        "missing_s": 2,
        "missing_packets": 1,
        "missing_pages": (1,),
        "note": "It is\ncut off",
    },
    "It could not be read to its end": {"note": "It could not be read to its end"},
}


@pytest.mark.parametrize(("said", "fields"), SAID.items())
def test_what_is_missing_is_said_in_one_line(said: str, fields: dict[str, object]) -> None:
    completeness = Completeness.model_validate(fields)
    assert completeness.describe() == said
    assert completeness.complete == (not said)


def test_nothing_missing_is_complete_however_it_is_said() -> None:
    assert Completeness(missing_s=0, missing_packets=0, missing_pages=(), note="").complete


@pytest.mark.parametrize("fields", [{"missing_s": -1}, {"missing_s": float("nan")}, {"else": 1}])
def test_what_can_not_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Completeness.model_validate(fields)
