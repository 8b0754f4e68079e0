"""What recognises the chunks: Ray Data, on this machine or on a cluster.

Each actor has a recogniser and a core of its own. The driver only hands out the numbers of chunks
and saves what comes back, in whatever order it comes.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bukva.errors import BatchError
from bukva.tasks.glyph.answer import Source
from bukva.tasks.glyph.batch import AnsweringModel, Chunk, ImageSource, Part, predict_chunk
from bukva.tasks.glyph.parameters import BatchInferenceParameters
from bukva.tasks.glyph.recogniser import Recogniser

_CHUNK: Final = "chunk"


class _Worker:
    """What an actor holds for as long as it lives."""

    def __init__(
        self,
        onnx_model: bytes,
        version: str,
        images_from: Source | None,
        source: ImageSource,
        chunks: Sequence[Chunk],
    ) -> None:
        self._model = AnsweringModel(Recogniser(onnx_model), version, images_from)
        self._source = source
        self._chunks = {chunk.number: chunk for chunk in chunks}

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Return the predictions of the chunk that a row names, with its number in a column."""
        [number] = rows[_CHUNK].to_pylist()
        table = predict_chunk(self._model, self._chunks[number], self._source).table
        return table.append_column(_CHUNK, pa.array(np.full(len(table), number)))


def predict_on_ray(
    source: ImageSource,
    chunks: Sequence[Chunk],
    model: AnsweringModel,
    parameters: BatchInferenceParameters,
) -> Iterator[Part]:
    """Yield the predictions of chunks as they come.

    Raises:
        BatchError: If Ray is not installed, or has fewer cores than the workers and one more.
    """
    if not chunks:
        return
    with _connect(parameters) as ray:
        held = (model.recogniser.onnx_model, model.version, model.images_from)
        rows = ray.data.from_items(
            [{_CHUNK: chunk.number} for chunk in chunks], override_num_blocks=len(chunks)
        )
        predictions = rows.map_batches(
            _Worker,
            fn_constructor_args=(*held, source, chunks),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=_count_workers(ray, parameters)),
            num_cpus=1,
        )
        for table in predictions.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield from _split(table, {chunk.number: chunk for chunk in chunks})


def _split(table: pa.Table, chunks: Mapping[int, Chunk]) -> Iterator[Part]:
    """Yield the parts of a table: Ray may put some together, but takes none apart.

    Raises:
        BatchError: If it did: half of a part must not be taken for the whole.
    """
    for number in pc.unique(table[_CHUNK]).to_pylist():
        rows = table.filter(pc.equal(table[_CHUNK], number))
        count = chunks[number].stop - chunks[number].start
        if len(rows) != count:
            message = f"Expected all {count} rows of chunk {number} at once, got {len(rows)}"
            raise BatchError(f"{message}: lower batch_inference.chunk_images in a new folder.")
        yield Part(number, rows.drop_columns(_CHUNK))


@contextmanager
def _connect(parameters: BatchInferenceParameters) -> Iterator[Any]:
    """Give Ray, on a cluster that runs or on one that ends with this run."""
    # Ray reports to its makers otherwise.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        message = "Expected Ray, which batch_inference.engine=ray needs, found none"
        raise BatchError(f"{message}: pip install 'bukva[ray]'") from error
    if parameters.ray_address:
        ray.init(address=parameters.ray_address, log_to_driver=False)
    else:
        workers = parameters.ray_workers or _spare_cores(os.cpu_count() or 1)
        # Ray's own tasks need a core beside those of the workers, if only by its count.
        ray.init(num_cpus=workers + 1, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray
    finally:
        ray.shutdown()


def _count_workers(ray: Any, parameters: BatchInferenceParameters) -> int:
    cores = int(ray.cluster_resources()["CPU"])
    workers = parameters.ray_workers or _spare_cores(cores)
    if workers >= cores > 1:
        message = f"Expected fewer workers than the {cores} cores of Ray, got {workers}"
        raise BatchError(f"{message}: one stays free for what reads and writes.")
    return workers


def _spare_cores(cores: int) -> int:
    """Return how many recognisers leave a core free."""
    return max(1, cores - 1)
