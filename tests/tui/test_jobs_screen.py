"""The screen Jobs on a real store: what is seen, what keys do, and what comes in from outside."""

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from textual.pilot import Pilot

from mediahost.model.job import JobStatus
from mediahost.tui.app import MediahostApp
from mediahost.tui.confirm import Confirm
from mediahost.tui.filter_line import FilterLine
from mediahost.tui.job_table import JobTable
from mediahost.tui.jobs_screen import JobsScreen
from mediahost.tui.session import Session

if TYPE_CHECKING:
    from tests.tui.conftest import Tui

SMALL = (80, 24)


def table_of(app: MediahostApp) -> JobTable:
    return app.screen.query_one(JobTable)


def test_what_is_written_between_the_first_look_and_the_waiting_is_heard_of(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken = Session.woken

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        screen = app.screen
        assert isinstance(screen, JobsScreen)
        await until(pilot, lambda _: screen.list.is_complete and not screen.list._looking.locked())
        tui.submit(3)
        is_written.set()
        await until(pilot, "1-3 of 3")

    async def woken_late(session: Session, timeout_s: float) -> bool:
        await is_written.wait()
        return await woken(session, timeout_s)

    is_written = asyncio.Event()
    monkeypatch.setattr(Session, "woken", woken_late)
    tui.run(steps)


def test_jobs_come_in_while_one_looks(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        (job,) = tui.claim()
        await until(pilot, "processing av.probe")
        tui.store.report_progress("here", {job.token: (0.5, "half way")})
        await until(pilot, " 50% h")
        tui.complete(job)
        tui.submit(1, "speech.vad")
        await until(pilot, "✔ completed")
        await until(pilot, "speech.vad-0000.wav")
        await until(pilot, "1-3 of 3")

    tui.run(steps)


def test_new_jobs_move_nothing_while_one_looks_further_down(tui: "Tui", until: Any) -> None:
    tui.submit(100)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "of 100")
        await pilot.press("j", "j", "j")
        await until(pilot, lambda _: table_of(app).current == 97)
        tui.submit(3, "speech.vad")
        lines = await until(pilot, "▲ 3 new, press .")
        assert not any("speech.vad-" in line for line in lines)
        assert table_of(app).current == 97
        await pilot.press("full_stop")
        await until(pilot, "of 103")
        await until(pilot, lambda _: table_of(app).cursor == 6)
        await until(pilot, "3 new above: g goes there")
        assert table_of(app).current == 97
        await pilot.press("g")
        await until(pilot, "speech.vad-0002.wav")

    tui.run(steps)


def test_a_filter_goes_over_the_whole_store(tui: "Tui", until: Any) -> None:
    tui.submit(300)
    tui.submit(1, "speech.vad")
    tui.fail(*tui.claim(3))

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "of 301")
        await pilot.press("exclamation_mark")
        await until(pilot, "1-3 of 3")
        await until(pilot, "The file has")
        await pilot.press("exclamation_mark")
        await until(pilot, "of 301")
        await pilot.press("slash", *"plugin:speech", "enter")
        await until(pilot, "1-1 of 1")
        await until(pilot, lambda _: app.focused is table_of(app))
        await pilot.press("escape")
        await until(pilot, "of 301")

    tui.run(steps)


def test_a_bad_filter_is_pointed_at_and_changes_nothing(tui: "Tui", until: Any) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        app.screen.query_one(FilterLine).write("state:faled")  # half of it is another filter
        lines = await until(pilot, "did you mean failed?")
        caret = next(line for line in lines if "^^^^^" in line)
        written = next(line for line in lines if "state:faled" in line)
        assert caret.index("^") == written.index("faled")
        await until(pilot, "1-1 of 1")

    tui.run(steps, SMALL)


def test_what_no_longer_matches_stays_in_its_place(tui: "Tui", until: Any) -> None:
    tui.submit(3)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("slash", *"state:pending", "enter")
        await until(pilot, "1-3 of 3")
        tui.complete(*tui.claim(1))
        await until(pilot, "✔ completed  av.probe")
        await until(pilot, "1-3 of 3")
        line = table_of(app).rows.line(1)
        assert line is not None
        assert not line.matches
        await until(pilot, "✔ completed         1")

    tui.run(steps)


def test_one_pending_job_is_cancelled_at_once_and_tried_again(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        await pilot.press("x")
        await until(pilot, "⊘ cancelled  av.probe")
        assert tui.store.count_jobs()[JobStatus.CANCELLED] == 1
        await pilot.press("r")
        await until(pilot, lambda text: "⊘ cancelled  av.probe" not in text)
        assert tui.store.count_jobs()[JobStatus.PENDING] == 2

    tui.run(steps)


def test_a_running_job_is_cancelled_after_a_question(tui: "Tui", until: Any) -> None:
    tui.submit(1)
    tui.claim()

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "▶ processing av.probe")
        await pilot.press("x")
        await until(pilot, "Cancel job 1?")
        await pilot.press("n")
        await until(pilot, lambda _: not isinstance(app.screen, Confirm))
        await pilot.press("x")
        await until(pilot, "Cancel job 1?")
        await pilot.press("y")
        await until(pilot, "◌ cancelling av.probe")

    tui.run(steps)


def test_marks_and_all_that_match_are_steered_together(tui: "Tui", until: Any) -> None:
    tui.submit(500)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "of 500")
        await pilot.press("space", "j", "v", "j", "j", "v")
        await until(pilot, lambda _: table_of(app).marked == {496, 497, 498, 500})
        await pilot.press("x")
        await until(pilot, "Cancel 4 marked jobs?")
        await pilot.press("y")
        await until(pilot, "4 jobs cancelled")
        assert tui.store.count_jobs()[JobStatus.CANCELLED] == 4
        await pilot.press("asterisk", "x")
        await until(pilot, "Cancel all 500 jobs?")
        await pilot.press("y")
        await until(pilot, "496 of 500 jobs cancelled")
        assert tui.store.count_jobs()[JobStatus.PENDING] == 0

    tui.run(steps)


def test_a_job_is_moved_up_and_down_at_once(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        await pilot.press("plus", "plus")
        await until(pilot, "priority 2")
        await pilot.press("minus")
        await until(pilot, "priority 1")
        (first,) = tui.claim()
        assert first.request.media.path.name == "av.probe-0001.wav", "the newer one goes first"
        await until(pilot, "▶ processing av.probe")
        await pilot.press("plus")
        await until(pilot, "Nothing was done: only pending jobs wait for their turn")

    tui.run(steps)


def test_marked_jobs_are_moved_again_and_all_that_match_after_a_question(
    tui: "Tui", until: Any
) -> None:
    tui.submit(300)
    tui.claim()

    def priorities() -> set[int]:
        return {job.priority for job in tui.store.jobs(limit=1000)}

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "of 300")
        await pilot.press("space", "space", "minus")
        await until(pilot, "2 jobs moved down")
        await pilot.press("minus")
        await until(pilot, "priority -2")
        assert table_of(app).marked == {299, 300}, "they stay marked, to be moved further"
        assert priorities() == {0, -2}
        await pilot.press("asterisk", "plus")
        await until(pilot, "Move up all 300 jobs?")
        await pilot.press("y")
        await until(pilot, "299 of 300 jobs moved up")
        assert priorities() == {0, 1, -1}

    tui.run(steps)


def test_another_turn_is_seen_whoever_gave_it(tui: "Tui", until: Any) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], _: MediahostApp) -> None:
        await until(pilot, "· pending    av.probe")
        await pilot.press("enter")
        await until(pilot, "Summary")
        tui.store.change_priority([job.job_id for job in tui.store.jobs()], 7)
        await until(pilot, "priority 7")
        await until(pilot, lambda text: re.search(r"priority +7", text))

    tui.run(steps)


def test_keys_that_are_pressed_before_the_rows_are_there_act_on_them(
    tui: "Tui", until: Any
) -> None:
    tui.submit(300)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "of 300 · newest")
        read, reading = app.session.first, asyncio.Event()

        async def read_slowly(*asked: Any) -> Any:
            await reading.wait()
            return await read(*asked)

        app.session.first = read_slowly  # type: ignore[method-assign, assignment]
        await pilot.press("s", "space", "j", "v", "j", "j", "v", "G", "space")
        assert not table_of(app).marked
        reading.set()
        await until(pilot, lambda _: table_of(app).marked == {1, 3, 4, 5, 300})

    tui.run(steps)


def test_the_list_keeps_the_focus_while_nothing_is_in_it(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        tui.submit(3)
        await until(pilot, "1-3 of 3")
        await pilot.press("j", "space")
        await until(pilot, lambda _: table_of(app).marked == {2})

    tui.run(steps)


def test_the_detail_shows_summary_result_and_config(tui: "Tui", until: Any) -> None:
    tui.submit(2)
    done, bad = tui.claim(2)
    tui.complete(done)
    tui.fail(bad)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        await pilot.press("enter")
        await until(pilot, "Choose a file with sound.")
        await until(pilot, "[Summary]")
        await pilot.press("escape", "j", "enter")
        await until(pilot, lambda text: "beep" in text and "[Result]" in text)
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, '"format": "mp3"')
        await pilot.press("escape")
        await until(pilot, lambda _: not app.screen.has_class("open"))
        await until(pilot, lambda _: app.focused is table_of(app))

    tui.run(steps)


def test_the_detail_has_the_whole_screen_where_there_is_little_room(tui: "Tui", until: Any) -> None:
    tui.submit(1)
    tui.complete(*tui.claim())

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("enter")
        await until(pilot, lambda text: "beep" in text and "MEDIA" not in text)

    tui.run(steps, SMALL)


def test_each_attempt_says_how_it_ended_and_why(tui: "Tui", until: Any) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], _: MediahostApp) -> None:
        await until(pilot, "· pending    av.probe")
        await pilot.press("l")
        await until(pilot, "No attempt has begun yet.")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, "[Attempts]")
        await until(pilot, "No attempt has begun yet.")
        (job,) = tui.claim()
        await until(pilot, "1  processing")
        tui.fail(job)
        await until(pilot, "1  error after 20 ms")
        await until(pilot, "The file has no audio stream")
        tui.store.retry([job.token.job_id])
        tui.complete(*tui.claim())
        seen = await until(pilot, "2  completed")
        assert any("1  error after 20 ms" in line for line in seen)
        assert any("2 attempts, 0 failures" in line for line in seen)

    tui.run(steps)


def test_the_log_is_followed_and_its_markup_means_nothing(tui: "Tui", until: Any) -> None:
    tui.submit(1)
    (job,) = tui.claim()
    log = tui.data_dir / "logs" / f"{job.token.job_id}.1.log"
    log.parent.mkdir()
    log.write_text("[bold]first[/bold] \x1b[31mline\n")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("l")
        await until(pilot, "[bold]first[/bold] line")
        with log.open("a") as file:
            file.write("second\n")
        await until(pilot, "second")

    tui.run(steps)


def test_a_name_with_markup_and_control_characters_is_only_a_name(tui: "Tui", until: Any) -> None:
    tui.submit(1, "[red]x[/].\x1b[31m")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        lines = await until(pilot, "1-1 of 1")
        text = "\n".join(lines)
        assert "[red]x[/]" in text
        assert "\x1b" not in text

    tui.run(steps, (200, 50))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (60, 15)])
def test_an_empty_store_says_how_to_begin(tui: "Tui", until: Any, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        await until(pilot, "start a host")

    tui.run(steps, size)


def test_no_match_names_the_filter_and_escape_clears_it(tui: "Tui", until: Any) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("slash", *"state:failed", "enter")
        await until(pilot, "No job matches  state:failed")
        assert isinstance(app.screen, JobsScreen)
        await pilot.press("escape")
        await until(pilot, "1-1 of 1")

    tui.run(steps)


def test_all_signs_are_ascii_where_asked(tui: "Tui", until: Any) -> None:
    tui.submit(3)
    failed, running = tui.claim(2)
    tui.fail(failed)
    tui.store.report_progress("here", {running.token: (0.6, "60 of 100")})
    seen = {
        "1": ". pending",
        "2": "No folder is watched.",
        "3": "0 plugins",
        "4": "1 failed in the last day",
        "5": "No host runs",
        "question_mark": "Keys here",
    }

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        for key, whole in seen.items():
            await pilot.press(key)
            await until(pilot, lambda text, whole=whole: whole in text and text.isascii())
        await pilot.press("escape", "1")
        await until(pilot, "x failed")
        await until(pilot, "###")
        await pilot.press("n")
        await until(pilot, lambda text: "Nothing is chosen yet." in text and text.isascii())

    tui.run(steps, ascii_only=True)


def test_help_lists_the_keys_that_work_here(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("question_mark")
        await until(pilot, "Keys here")
        await until(
            pilot,
            lambda text: any("Cancel" in line and " x " in line for line in text.splitlines()),
        )
        await pilot.press("escape")

    tui.run(steps)


def test_what_happens_behind_a_question_is_seen_after_it(tui: "Tui", until: Any) -> None:
    tui.submit(2)
    running = tui.claim(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, lambda text: text.count("▶ processing av.probe") == 2)
        await pilot.press("x")
        await until(pilot, "Cancel job 2?")
        mark = (await app.session.changes(None)).mark
        tui.complete(*running)
        while (await app.session.changes(mark)).mark == mark:
            await pilot.pause(0.02)
        await pilot.pause(0.5)  # by then the question's screen has been told in vain
        await pilot.press("n")
        await until(pilot, lambda text: text.count("✔ completed  av.probe") == 2)

    tui.run(steps)


def test_the_answer_is_for_the_job_that_was_asked_about(tui: "Tui", until: Any) -> None:
    tui.submit(1)
    tui.claim()

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "▶ processing av.probe")
        await pilot.press("x")
        await until(pilot, "Cancel job 1?")
        tui.submit(1, "speech.vad")
        screen = app.screen_stack[0]
        assert isinstance(screen, JobsScreen)
        screen.list.relist()  # with the new one at the top, where the cursor is
        await until(pilot, lambda _: screen.list.table.current == 2)
        await pilot.press("y")
        await until(pilot, "◌ cancelling av.probe")

    tui.run(steps)
    assert len(tui.claim()) == 1, "the other is pending still"


def test_who_can_do_nothing_is_told_why(tui: "Tui", until: Any) -> None:
    tui.submit(1)
    tui.complete(*tui.claim())

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "✔ completed  av.probe")
        await pilot.press("r")
        await until(pilot, "Nothing was done: only what failed or was cancelled can")
        await pilot.press("x")
        await until(pilot, "Cancel job 1?")
        await pilot.press("y")
        await until(pilot, "Nothing was done: what has ended stays as it is")

    tui.run(steps)
