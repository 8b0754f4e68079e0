import time

from bukva.core.evaluation.timing import median_call_ms, timed


def test_work_is_done_once_and_its_result_returned() -> None:
    done: list[int] = []
    result, seconds = timed(lambda: done.append(1) or "done")
    assert (result, done) == ("done", [1])
    assert min(seconds) >= 0


def test_waiting_is_no_work_of_the_processor() -> None:
    _, seconds = timed(lambda: time.sleep(0.05))
    assert seconds.wall >= 0.05
    assert seconds.processor < seconds.wall


def test_samples_take_turns_and_the_warm_up_is_not_timed() -> None:
    asked: list[int] = []
    assert median_call_ms(asked.append, samples=3, calls=10) >= 0
    assert asked == [index % 3 for index in range(30)]
