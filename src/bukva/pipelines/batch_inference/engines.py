"""What recognises the chunks: this process."""

from collections.abc import Iterator, Sequence

from bukva.inference.batch import AnsweringModel, Chunk, ImageSource, Part, predict_chunk
from bukva.parameters import BatchInferenceParameters


def predict_here(
    source: ImageSource,
    chunks: Sequence[Chunk],
    model: AnsweringModel,
    _: BatchInferenceParameters,
) -> Iterator[Part]:
    """Yield the predictions of chunks, one after the other."""
    yield from (predict_chunk(model, chunk, source) for chunk in chunks)
