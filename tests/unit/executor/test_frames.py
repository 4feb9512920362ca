import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost.executor import frames
from mediahost.executor.frames import BadFrame, FrameReader, pack

messages = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(messages, max_size=4), st.integers(1, 9))
def test_messages_arrive_however_the_bytes_are_cut(sent: list[object], size: int) -> None:
    data = b"".join(map(pack, sent))
    reader = FrameReader()
    received = []
    for begin in range(0, len(data), size):
        received += reader.feed(data[begin : begin + size])
    assert received == sent


def test_text_that_is_no_unicode_arrives_too() -> None:
    assert FrameReader().feed(pack("a\udcff\x00")) == ["a\udcff\x00"]


@pytest.mark.parametrize("data", [b"\xff" * 8, b"\0\0\0\2{}{}{}{}{}{}", b"\0\0\0\1\xff"])
def test_garbage_is_refused_before_memory_is_taken_for_it(data: bytes) -> None:
    with pytest.raises(BadFrame):
        FrameReader().feed(data)


def test_a_message_that_is_too_long_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_BYTES", 10)
    with pytest.raises(BadFrame):
        pack("x" * 20)


def test_a_number_that_json_has_no_word_for_is_not_packed() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(float("nan"))
