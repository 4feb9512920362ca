import threading

from mediahost.host.inbox import MOST_AT_ONCE, Inbox


def filled(count: int) -> Inbox[int]:
    inbox: Inbox[int] = Inbox()
    for number in range(count):
        inbox.put(number)
    return inbox


def test_all_that_has_come_is_taken_out_in_its_order() -> None:
    inbox = filled(3)

    assert inbox.wait(0.0) == [0, 1, 2]
    assert inbox.wait(0.0) == []


def test_a_flood_is_taken_out_in_parts() -> None:
    inbox = filled(MOST_AT_ONCE + 1)

    assert len(inbox.wait(0.0)) == MOST_AT_ONCE
    assert inbox.left() == [MOST_AT_ONCE]


def test_gathering_ends_as_soon_as_there_is_enough() -> None:
    inbox = filled(1)
    found = inbox.wait(0.0)
    threading.Timer(0.01, lambda: [inbox.put(number) for number in (1, 2)]).start()

    # A test that waits for so long has failed; it is over after some hundredths of a second.
    while len(found) < 3:
        inbox.gather(found, enough=3, for_s=0.1)

    assert found == [0, 1, 2]


def test_gathering_ends_when_it_has_taken_so_long() -> None:
    inbox = filled(1)
    found = inbox.wait(0.0)

    inbox.gather(found, enough=3, for_s=0.005)

    assert found == [0]
