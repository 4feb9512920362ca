from array import array
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from mediahost.model.job import JobStatus
from mediahost.store.browse import JobLine, Order
from mediahost.tui.rows import KEPT_LINES, Rows, joined

NUMBERS = st.sets(st.integers(1, 10_000), max_size=200)


def line(number: int, status: JobStatus = JobStatus.PENDING) -> JobLine:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    head = (number, UUID(int=number), status, "av.probe", "/in/a.wav", None, 0, moment, None, None)
    return JobLine(*head, None, False, False, None, None, 0, True)  # noqa: FBT003 - a row


def rows_of(numbers: set[int], order: Order = Order.NEWEST) -> Rows:
    rows = Rows(order)
    rows.replace(array("q", sorted(numbers)), order)
    return rows


@given(NUMBERS)
def test_every_row_is_found_where_it_is(numbers: set[int]) -> None:
    for order in (Order.NEWEST, Order.OLDEST):
        rows = rows_of(numbers, order)
        listed = rows.numbers_at(0, len(rows))
        assert listed == sorted(numbers, reverse=order is Order.NEWEST)
        assert [rows.index_of(number) for number in listed] == list(range(len(listed)))
        assert rows.index_of(10_001) is None


@given(NUMBERS.filter(bool), st.integers(1, 10_000))
def test_the_nearest_row_is_a_row(numbers: set[int], number: int) -> None:
    rows = rows_of(numbers)
    at = rows.nearest(number)
    assert 0 <= at < len(rows)
    if number in numbers:
        assert rows.number_at(at) == number


def test_new_jobs_come_above_and_nothing_else_moves() -> None:
    rows = rows_of({1, 2, 3})
    rows.extend([4, 5])
    assert rows.numbers_at(0, 9) == [5, 4, 3, 2, 1]


def test_only_lines_that_differ_are_told() -> None:
    rows = rows_of({1, 2})
    assert rows.put([line(1), line(2)]) == [1, 2]
    assert rows.put([line(1), line(2, JobStatus.FAILED)]) == [2]


def test_distrusted_lines_are_shown_but_read_again() -> None:
    rows = rows_of({1, 2})
    rows.put([line(1), line(2)])
    rows.distrust(but=[1])
    assert rows.unread([1, 2, 3]) == [2, 3]
    assert rows.line(2) == line(2)
    rows.put([line(2)])
    assert rows.unread([1, 2]) == []


def test_lines_far_from_the_eye_are_forgotten() -> None:
    rows = rows_of(set(range(KEPT_LINES + 10)))
    rows.put(line(number) for number in range(KEPT_LINES + 10))
    assert rows.unread([0, 9, 10]) == [0, 9]


def test_stretches_are_joined_in_order() -> None:
    assert joined([array("q", [5]), array("q", [1, 2])]) == array("q", [1, 2, 5])
