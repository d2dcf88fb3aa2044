"""A breaker in the database, as several processes see it."""

import asyncio

from extraction.breaker import FAILURES, PAUSE_SECONDS, Breaker
from wellintake import circuits
from wellintake.circuits import StoredCircuit

NOW = 1_795_356_000.0


def several(threads, count=2):
    """What each of so many processes would hold."""
    return [StoredCircuit("model", *threads) for _ in range(count)]


async def opened(circuit) -> None:
    for _ in range(FAILURES):
        await circuit.change(lambda breaker: breaker.failed("a", "model_unavailable", NOW))


async def test_what_one_process_meets_the_others_know_within_a_second(threads, monkeypatch):
    here, there = several(threads)
    assert await there.look() == Breaker()

    await opened(here)

    assert (await here.look()).state == "open"
    monkeypatch.setattr(circuits, "LOOK_SECONDS", 0.0)
    assert await there.look() == await here.look()


async def test_of_many_processes_one_is_the_probe(threads):
    everybody = several(threads, 12)
    await opened(everybody[0])
    later = NOW + PAUSE_SECONDS

    found = await asyncio.gather(
        *(
            one.change(lambda breaker, name=str(name): breaker.probed_by(name, later))
            for name, one in enumerate(everybody)
        )
    )

    assert [breaker.may_ask(str(name), later) for name, breaker in enumerate(found)].count(True) == 1


async def test_many_who_look_at_once_cost_one_read(threads):
    write, read = threads
    reads = []

    async def counting(function, *args):
        reads.append(function)
        return await read(function, *args)

    circuit = StoredCircuit("model", write, counting)
    await asyncio.gather(*(circuit.look() for _ in range(50)))

    assert len(reads) == 1


async def test_each_service_has_its_own(threads):
    await opened(StoredCircuit("one", *threads))

    assert await StoredCircuit("other", *threads).look() == Breaker()
