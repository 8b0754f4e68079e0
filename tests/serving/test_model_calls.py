import asyncio
import threading
import time

import pytest

from bukva.errors import RequestError
from bukva.serving.model_calls import ModelCalls


def code_of(caught):
    return caught.value.code


def test_returns_what_the_call_returns():
    calls = ModelCalls(threads=1, max_in_flight=1, deadline_s=5)
    assert asyncio.run(calls.run(pow, 2, 10)) == 1024


def test_place_is_kept_until_a_late_call_ends():
    go_on = threading.Event()
    calls = ModelCalls(threads=1, max_in_flight=1, deadline_s=0.05)

    async def scenario():
        with pytest.raises(RequestError) as late:
            await calls.run(go_on.wait, 5)
        with pytest.raises(RequestError) as full:
            calls.refuse_when_full()
        go_on.set()
        await asyncio.sleep(0.05)
        return code_of(late), code_of(full), await calls.run(pow, 2, 2)

    assert asyncio.run(scenario()) == ("deadline_passed", "overloaded", 4)


def test_call_that_waited_too_long_is_never_made():
    made = []
    calls = ModelCalls(threads=1, max_in_flight=2, deadline_s=0.1)

    async def scenario():
        await asyncio.gather(
            calls.run(time.sleep, 0.3), calls.run(made.append, 1), return_exceptions=True
        )
        await asyncio.sleep(0.3)

    asyncio.run(scenario())
    assert made == []


@pytest.mark.parametrize("error", [TimeoutError, MemoryError, KeyError])
def test_call_that_raises_is_a_model_error(error):
    calls = ModelCalls(threads=1, max_in_flight=1, deadline_s=5)

    def fail():
        raise error("caller-wrote-this")

    with pytest.raises(RequestError) as caught:
        asyncio.run(calls.run(fail))
    assert code_of(caught) == "model_error"
    assert "caller-wrote-this" not in str(caught.value)
