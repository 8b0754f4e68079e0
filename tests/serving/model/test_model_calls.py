import asyncio
import threading
import time

import pytest

from bukva.errors import RequestError
from bukva.serving.service import ModelCalls


class Echo:
    """Answers each image with itself; keeps what each call was made with."""

    def __init__(self, delay_s=0.0):
        self.calls = []
        self.go_on = threading.Event()
        self.go_on.set()
        self._delay_s = delay_s

    def predict(self, images):
        self.calls.append(list(images))
        time.sleep(self._delay_s)
        self.go_on.wait(5)
        if b"bad" in images:
            raise MemoryError("caller-wrote-this")
        return [{"image": image} for image in images]


def make_calls(**settings):
    return ModelCalls(**{"threads": 1, "max_in_flight": 64, "deadline_s": 5, **settings})


def code_of(caught):
    return caught.value.code


async def ask_all(calls, model, *images):
    asked = [calls.predict(model, [image]) for image in images]
    return await asyncio.gather(*asked, return_exceptions=True)


def test_returns_what_the_model_returns():
    answer = asyncio.run(make_calls().predict(Echo(), [b"a", b"b"]))
    assert answer == [{"image": b"a"}, {"image": b"b"}]


def test_place_is_kept_until_a_late_call_ends():
    model, calls = Echo(), make_calls(max_in_flight=1, deadline_s=0.05)
    model.go_on.clear()

    async def scenario():
        with pytest.raises(RequestError) as late:
            await calls.predict(model, [b"a"])
        assert not calls.has_room()
        with pytest.raises(RequestError) as full:
            await calls.predict(model, [b"b"])
        model.go_on.set()
        await asyncio.sleep(0.05)
        assert calls.has_room()
        return code_of(late), code_of(full), await calls.predict(model, [b"b"])

    assert asyncio.run(scenario()) == ("deadline_passed", "overloaded", [{"image": b"b"}])


def test_call_that_waited_too_long_is_never_made():
    model, calls = Echo(delay_s=0.3), make_calls(deadline_s=0.1)

    async def scenario():
        await ask_all(calls, model, b"a", b"b")
        await asyncio.sleep(0.3)

    asyncio.run(scenario())
    assert model.calls == [[b"a"]]


def test_a_request_that_is_given_up_leaves_its_place():
    model, calls = Echo(delay_s=0.1), make_calls(max_in_flight=2)

    async def scenario():
        first = asyncio.create_task(calls.predict(model, [b"a"]))
        second = asyncio.create_task(calls.predict(model, [b"b"]))
        await asyncio.sleep(0.02)
        second.cancel()
        await asyncio.sleep(0)
        return await asyncio.gather(first, calls.predict(model, [b"c"]))

    assert asyncio.run(scenario()) == [[{"image": b"a"}], [{"image": b"c"}]]
    assert model.calls == [[b"a"], [b"c"]]


def test_what_waits_goes_together():
    model, calls = Echo(delay_s=0.02), make_calls(max_gathered=3)
    answers = asyncio.run(ask_all(calls, model, b"a", b"b", b"c", b"d", b"e"))
    assert answers == [[{"image": image}] for image in (b"a", b"b", b"c", b"d", b"e")]
    assert model.calls == [[b"a"], [b"b", b"c", b"d"], [b"e"]]


def test_a_request_of_many_images_is_not_cut():
    model, calls = Echo(), make_calls(max_gathered=2)
    asyncio.run(calls.predict(model, [b"a", b"b", b"c"]))
    assert model.calls == [[b"a", b"b", b"c"]]


def test_two_models_are_not_mixed():
    first, second, calls = Echo(delay_s=0.02), Echo(), make_calls(max_gathered=8)

    async def scenario():
        asked = [
            calls.predict(model, [image])
            for model, image in [(first, b"a"), (first, b"b"), (second, b"c"), (first, b"d")]
        ]
        await asyncio.gather(*asked)

    asyncio.run(scenario())
    assert (first.calls, second.calls) == ([[b"a"], [b"b"], [b"d"]], [[b"c"]])


def test_an_image_that_breaks_the_model_harms_no_other():
    model, calls = Echo(delay_s=0.02), make_calls(max_gathered=8)
    first, second, bad, last = asyncio.run(ask_all(calls, model, b"a", b"b", b"bad", b"c"))
    assert [first, second, last] == [[{"image": image}] for image in (b"a", b"b", b"c")]
    assert bad.code == "model_error"


@pytest.mark.parametrize("error", [TimeoutError, MemoryError, KeyError])
def test_call_that_raises_is_a_model_error(error):
    class Broken:
        def predict(self, images):
            raise error("caller-wrote-this")

    with pytest.raises(RequestError) as caught:
        asyncio.run(make_calls().predict(Broken(), [b"a"]))
    assert code_of(caught) == "model_error"
    assert "caller-wrote-this" not in str(caught.value)
