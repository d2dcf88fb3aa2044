"""The log: one place for every event, whatever is lost on the way."""

import asyncio

import orjson
import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extraction.errors import LeaseLost
from extraction.events import ExtractionField, ExtractionStart
from streaming.log import UnknownRun
from streaming.models import Event, Run, Step
from streaming.tests.conftest import complete, followed, journal_for, reopened, token, working_log
from streaming.wire import Cursor, Reset


def field(value, origin="pattern", name="phone"):
    return ExtractionField(person=0, record="contact", field=name, value=value, confidence=0.9, origin=origin)


async def closed(journal):
    journal.change(closed=True, state="complete")
    journal.tell(complete())
    await journal.written()


async def test_events_are_numbered_from_one_without_a_gap(log, threads):
    journal = await journal_for(log, threads)

    for number in range(5):
        journal.tell(field(str(number), name=f"f{number}"))
        await journal.written()
    await closed(journal)

    assert [entry.sequence for entry in await followed(log, journal.run_id)] == [1, 2, 3, 4, 5, 6]


async def test_tokens_that_piled_up_become_one_event_and_keep_their_place(log, threads):
    journal = await journal_for(log, threads)

    journal.tell(token("a"), token("b"), field("1"), token("c"), token("d"))
    await closed(journal)

    told = [(entry.type, orjson.loads(entry.data)) for entry in await followed(log, journal.run_id)]
    assert [kind for kind, _ in told] == ["extraction_token", "extraction_field", "extraction_token", "complete"]
    assert told[0][1]["token"] + told[2][1]["token"] == "abcd"


async def test_a_follower_gets_what_was_there_and_what_comes(log, threads):
    journal = await journal_for(log, threads)
    journal.tell(field("1"))
    await journal.written()

    following = asyncio.create_task(followed(log, journal.run_id))
    await asyncio.sleep(0.05)
    journal.tell(field("2", "model"))
    await closed(journal)

    assert [entry.sequence for entry in await following] == [1, 2, 3]


async def test_a_follower_who_comes_back_gets_only_the_rest(log, threads):
    journal = await journal_for(log, threads)
    journal.tell(field("1"), field("2", "model"))
    await closed(journal)

    assert [entry.sequence for entry in await followed(log, journal.run_id, Cursor(1, 2))] == [3]


async def test_silence_is_told_while_a_run_is_quiet(log, threads):
    journal = await journal_for(log, threads)

    async for items in log.follow(journal.run_id, keepalive=0.01):
        assert items == ()
        break


async def test_a_stream_ends_behind_a_settling_event_that_nothing_follows(log, threads):
    journal = await journal_for(log, threads)
    journal.change(closed=True)
    journal.tell(field("1"), complete())
    await journal.written()

    items = [item async for items in log.follow(journal.run_id, until_settled=True) for item in items]

    assert [item.type for item in items] == ["extraction_field", "complete"]


async def test_a_stream_ends_by_itself_when_its_time_is_over(log, threads):
    journal = await journal_for(log, threads)

    assert [items async for items in log.follow(journal.run_id, seconds=0.05)] == []


async def test_a_writer_without_the_lease_writes_nothing(log, threads):
    zombie = await journal_for(log, threads)
    owner = await reopened(log, threads, zombie.run_id)

    zombie.tell(field("zombie"))
    with pytest.raises(LeaseLost):
        await zombie.written()
    with pytest.raises(LeaseLost):
        zombie.tell(field("again"))
    owner.tell(field("owner"))
    await closed(owner)

    assert [orjson.loads(entry.data).get("value") for entry in await followed(log, zombie.run_id)] == ["owner", None]


async def test_a_writer_that_lost_its_lease_holds_up_no_other_of_the_same_transaction(log, threads):
    zombie, other = await journal_for(log, threads), await journal_for(log, threads)
    await reopened(log, threads, zombie.run_id)

    zombie.tell(token("late"))
    other.tell(field("1"), token("a"))
    await other.written()
    with pytest.raises(LeaseLost):
        await zombie.written()

    assert [entry.type for entry in (await log.read(other.run_id)).entries] == ["extraction_field", "extraction_token"]
    assert not (await log.read(zombie.run_id)).entries


async def test_tokens_leave_the_row_with_the_mail_alone_and_the_log_goes_on_behind_them(log, threads):
    first = await journal_for(log, threads)
    first.tell(field("1"))
    await first.written()
    first.tell(token("a"))
    await first.written()

    row = await threads[1](Run.objects.get, pk=first.run_id)
    page = await log.read(first.run_id)
    second = await reopened(log, threads, first.run_id)
    second.tell(token("b"))
    await closed(second)

    assert (row.last_sequence, page.run.last_sequence) == (1, 2)
    assert [entry.sequence for entry in await followed(log, first.run_id)] == [1, 2, 3, 4]


async def test_nothing_is_written_behind_the_end(log, threads):
    journal = await journal_for(log, threads)
    await closed(journal)

    journal.tell(field("late"))
    with pytest.raises(LeaseLost):
        await journal.written()

    assert [entry.type for entry in await followed(log, journal.run_id)] == ["complete"]


async def test_a_value_is_told_once_and_a_new_one_says_whose_it_replaces(log, threads):
    journal = await journal_for(log, threads)

    journal.tell(field("1"), field("1", "model"), field("2", "model"), field("2", "rule"))
    await closed(journal)

    told = [orjson.loads(entry.data) for entry in await followed(log, journal.run_id)][:-1]
    assert [(one["value"], one["origin"], one["supersedes"]) for one in told] == [
        ("1", "pattern", None),
        ("2", "model", "pattern"),
    ]


async def test_a_worker_that_takes_over_does_not_tell_the_same_fields_again(log, threads):
    first = await journal_for(log, threads)
    first.tell(field("1"))
    await first.written()

    second = await reopened(log, threads, first.run_id)
    second.tell(field("1"), field("2", "model"))
    await closed(second)

    assert second.attempt == 2
    values = [orjson.loads(entry.data).get("value") for entry in await followed(log, first.run_id)]
    assert values == ["1", "2", None]


async def test_a_finished_step_is_never_done_again(log, threads):
    done = []

    async def work() -> int:
        done.append(1)
        return 42

    first = await journal_for(log, threads)
    assert await first.step("sum", work, int, lambda result: [field(str(result))]) == 42
    second = await reopened(log, threads, first.run_id)
    assert await second.step("sum", work, int, lambda result: [field(str(result))]) == 42
    await closed(second)

    assert done == [1]
    assert [entry.type for entry in await followed(log, first.run_id)] == ["extraction_field", "complete"]


async def test_a_step_and_what_tells_it_are_one_transaction(log, threads, monkeypatch):
    async def work() -> int:
        return 1

    zombie = await journal_for(log, threads)
    await reopened(log, threads, zombie.run_id)

    with pytest.raises(LeaseLost):
        await zombie.step("sum", work, int, lambda result: [field("1")])

    assert await threads[1](lambda: (Step.objects.count(), Event.objects.count())) == (0, 0)


async def test_an_append_whose_connection_died_after_the_commit_is_not_doubled(log, threads, monkeypatch):
    """The writer calls its function again; the batch's place in the log tells that it is there already."""
    from streaming import log as module

    insert, calls = module.insert, []

    def insert_and_lose_the_answer(batches):
        written = insert(batches)
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("connection lost")
        return written

    monkeypatch.setattr(module, "insert", insert_and_lose_the_answer)
    journal = await journal_for(log, threads)
    journal.tell(field("1"))
    await journal.written()
    await closed(journal)

    assert len(calls) >= 3
    assert [entry.sequence for entry in await followed(log, journal.run_id)] == [1, 2]


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [(Cursor(7, 1), "unknown_epoch"), (Cursor(1, 99), "beyond_end")],
)
async def test_a_cursor_that_cannot_be_served_gets_the_whole_state_instead(log, threads, cursor, reason):
    journal = await journal_for(log, threads)
    journal.tell(field("1"))
    await closed(journal)

    (reset,) = await followed(log, journal.run_id, cursor)

    assert isinstance(reset, Reset)
    assert reset.reason == reason
    assert reset.cursor == Cursor(1, 2)
    assert reset.state["people"][0]["contact"] == {"phone": "1"}


async def test_a_trimmed_position_gets_a_reset_and_goes_on_from_there(log, threads):
    journal = await journal_for(log, threads)
    journal.tell(field("1"), field("2", "model"))
    await journal.written()
    await threads[0](lambda: Run.objects.update(first_sequence=3))

    follow = log.follow(journal.run_id, Cursor(1, 1))
    (reset,) = await anext(follow)
    await closed(journal)
    rest = [item async for items in follow for item in items]

    assert [reset.type, *(item.type for item in rest)] == ["reset", "complete"]


async def test_following_an_unknown_run_says_so(log, threads):
    with pytest.raises(UnknownRun):
        await followed(log, "00000000-0000-7000-8000-000000000000")


async def test_another_process_hears_of_it_by_the_bell(threads, monkeypatch):
    monkeypatch.setattr("streaming.tail.RELOOK_SECONDS", 60.0)
    from channels.layers import InMemoryChannelLayer

    layer = InMemoryChannelLayer()
    async with working_log(threads, layer) as one, working_log(threads, layer) as other:
        journal = await journal_for(one, threads)
        following = asyncio.create_task(followed(other, journal.run_id))
        await asyncio.sleep(0.05)
        journal.tell(field("1"))
        await closed(journal)

        async with asyncio.timeout(20):
            assert [entry.sequence for entry in await following] == [1, 2]


async def test_a_lost_hint_costs_seconds_and_no_event(threads, monkeypatch):
    monkeypatch.setattr("streaming.tail.RELOOK_SECONDS", 0.1)
    async with working_log(threads) as one, working_log(threads) as deaf:
        journal = await journal_for(one, threads)
        following = asyncio.create_task(followed(deaf, journal.run_id))
        await asyncio.sleep(0.05)
        journal.tell(field("1"))
        await closed(journal)

        async with asyncio.timeout(20):
            assert [entry.sequence for entry in await following] == [1, 2]


async def test_a_long_log_is_read_in_pages(log, threads, monkeypatch):
    monkeypatch.setattr("streaming.log.PAGE_ENTRIES", 7)
    journal = await journal_for(log, threads)
    for number in range(40):
        journal.tell(field(str(number), name=f"f{number}"))
    await closed(journal)

    assert [entry.sequence for entry in await followed(log, journal.run_id)] == list(range(1, 42))


async def test_a_follower_that_stops_leaves_nothing_behind(log, threads):
    journal = await journal_for(log, threads)
    journal.tell(field("1"))
    await journal.written()

    follow = log.follow(journal.run_id)
    await anext(follow)
    assert log.tail.waiting() == 1
    await follow.aclose()

    assert log.tail.waiting() == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.lists(st.sampled_from(["tell", "tokens", "write", "crash", "follow", "cut"]), max_size=30),
    keep=st.integers(0, 5),
)
async def test_whatever_crashes_and_whoever_comes_back_every_list_is_a_prefix_of_the_log(threads, plan, keep):
    async with working_log(threads) as log:
        journal = await journal_for(log, threads)
        lists: list[list[int]] = [[]]

        async def follow(seen):
            cursor = Cursor(1, seen[-1]) if seen else None
            async for items in log.follow(journal.run_id, cursor):
                for item in items:
                    seen.append(item.sequence)

        tasks = [asyncio.create_task(follow(lists[0]))]
        count = 0
        for act in plan:
            count += 1
            if act == "tell":
                journal.tell(field(str(count), name=f"f{count}"))
            elif act == "tokens":
                journal.tell(token(str(count)), token("x"))
            elif act == "write":
                await journal.written()
            elif act == "crash":  # what was not written yet is lost, as with the process
                journal = await reopened(log, threads, journal.run_id)
            elif act == "follow":
                lists.append([])
                tasks.append(asyncio.create_task(follow(lists[-1])))
            else:
                tasks[0].cancel()
                await asyncio.gather(tasks[0], return_exceptions=True)
                tasks[0] = asyncio.create_task(follow(lists[0]))
            await asyncio.sleep(0)
        journal.tell(ExtractionStart(message="", engine="patterns"))
        await closed(journal)
        await asyncio.gather(*tasks)

        page = await log.read(journal.run_id, limit=10_000)
        whole = [entry.sequence for entry in page.entries]
        assert whole == list(range(1, page.run.last_sequence + 1))
        assert all(seen == whole for seen in lists)
