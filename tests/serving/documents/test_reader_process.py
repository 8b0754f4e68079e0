"""A process that reads documents or lines ends, is late, or is left alone."""

import gc
import os
import signal
from collections.abc import Iterator

import psutil
import pytest
from density_network import make_density_network
from document_pages import draw_page, encode_as
from packaged_models import register
from serving_servers import run_process, wait_for, workers_of

from bukva.errors import ModelError, ModelFormatError
from bukva.serving.reader_process import ReadDocument, ReaderProcess

PAGE = encode_as(draw_page("printed"))


class Watched(ReaderProcess[ReadDocument]):
    """Knows its process."""

    @property
    def worker(self) -> psutil.Process:
        return psutil.Process(self._process.pid)


def has_ended(worker: psutil.Process) -> bool:
    return not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def reader_process() -> Iterator[Watched]:
    reader = Watched(ReadDocument, make_density_network(), deadline_s=20)
    yield reader
    reader.close()


def test_its_memory_is_bounded(reader_process):
    bytes_at_most, _ = reader_process.worker.rlimit(psutil.RLIMIT_AS)
    assert bytes_at_most == 2 << 30


def test_it_answers_from_a_process_of_lower_priority(reader_process):
    [read] = reader_process.ask([PAGE])
    assert (read.answer.label, read.number, read.count) == ("printed", 1, 1)
    assert (read.width, read.height, read.attached) == (640, 480, b"")
    assert reader_process.worker.nice() >= 10


def test_one_that_was_killed_is_started_anew(reader_process):
    former = reader_process.worker
    former.kill()
    wait_for(lambda: has_ended(former))
    assert reader_process.answer([PAGE])[0].label == "printed"
    assert reader_process.worker.pid != former.pid


def test_one_that_hangs_fails_its_question_alone(reader_process, monkeypatch):
    os.kill(reader_process.worker.pid, signal.SIGSTOP)
    with monkeypatch.context() as changed:
        changed.setattr(reader_process, "_deadline_s", 0.3)
        with pytest.raises(ModelError, match="but it ended"):
            reader_process.ask([PAGE])
    assert reader_process.answer([PAGE])[0].label == "printed"


@pytest.mark.parametrize("file", [b"no model", make_density_network(task="character")])
def test_what_is_no_model_of_documents_is_refused(file):
    with pytest.raises(ModelFormatError):
        ReaderProcess(ReadDocument, file, deadline_s=20)


def test_its_process_ends_when_nobody_has_it_any_more():
    reader = Watched(ReadDocument, make_density_network(), deadline_s=20)
    worker = reader.worker
    del reader
    gc.collect()
    assert has_ended(worker)


def test_one_that_is_refused_leaves_no_process(own_registry):
    """The refusal is remembered, the process is not."""
    uri, experiment_id, _ = own_registry
    broken = make_density_network(temperature=float("nan"))
    register("bukva-document", experiment_id, recogniser=broken)
    with run_process(BUKVA_TRACKING_URI=uri) as server:
        server.wait_until_ready()
        wait_for(
            lambda: "is refused" in (server.http.get("/readyz").json()["tasks"]["document"] or "")
        )
        wait_for(lambda: not workers_of(psutil.Process(server.process.pid)))


def test_all_end_with_a_service_that_is_killed(documents_registry):
    with run_process(BUKVA_TRACKING_URI=documents_registry) as server:
        for task in ("document", "line"):
            wait_for(lambda name=task: server.answers(f"/v2/models/bukva-{name}/ready"))
        workers = workers_of(psutil.Process(server.process.pid))
        assert {worker.cmdline()[-1] for worker in workers} == {"document", "line"}
        server.process.kill()
        for worker in workers:
            wait_for(lambda ended=worker: has_ended(ended))
