"""Nodes of `batch_inference`."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc
from tqdm import tqdm

from bukva.datasets.batch import Parts, Progress
from bukva.errors import BatchError
from bukva.pipelines.batch_inference.ray_engine import predict_on_ray
from bukva.tasks.glyph.batch import (
    PREDICTIONS,
    REJECTED_COLUMNS,
    AnsweringModel,
    ImageSource,
    Part,
    cut_into_chunks,
    predict_chunk,
)
from bukva.tasks.glyph.parameters import BatchInferenceParameters

Plan = dict[str, Any]


def plan(
    source: ImageSource,
    model: AnsweringModel,
    progress: Progress,
    parameters: BatchInferenceParameters,
) -> Plan:
    """Say what the result is of; refuse to mix it with another one.

    Raises:
        BatchError: If the folder holds predictions of other images, or by another model.
    """
    chunks = cut_into_chunks(source.lengths, parameters.chunk_images)
    new = {
        "images": source.place,
        "kind": source.kind,
        "image_count": sum(source.lengths),
        "source": parameters.source,
        "fingerprint": source.fingerprint,
        "chunk_images": parameters.chunk_images,
        "chunk_count": sum(1 for _ in chunks),
        "model_version": model.version,
        "model_sha256": model.recogniser.sha256,
    }
    _check_same(new, progress, parameters.results)
    return new


def _check_same(new: Plan, progress: Progress, folder: str) -> None:
    if progress.plan is None and progress.done:
        message = f"Expected plan.json beside the predictions in {folder}, found none:"
        raise BatchError(f"{message} name another folder with batch_inference.results.")
    former = progress.plan or new
    if changes := [
        f"  {key}: {former.get(key)} there, {new.get(key)} now"
        for key in sorted(former.keys() | new.keys())
        if former.get(key) != new.get(key)
    ]:
        listing = "\n".join(changes)
        raise BatchError(
            f"Expected the same images and the same model as those of {folder}, got:\n{listing}\n"
            "Begin anew in another folder (batch_inference.results=...), or go on with what it "
            "was begun with (batch_inference.images, .model, .chunk_images)."
        )


def predict(
    source: ImageSource,
    model: AnsweringModel,
    plan: Plan,
    progress: Progress,
    parameters: BatchInferenceParameters,
) -> Iterator[Part]:
    """Yield the predictions of each chunk that is not done; of no images, a part without rows."""
    model = model._replace(images_from=parameters.source)
    if not plan["chunk_count"]:
        yield Part(0, PREDICTIONS.empty_table())
    chunks = list(cut_into_chunks(source.lengths, plan["chunk_images"]))
    left = [chunk for chunk in chunks if chunk.number not in progress.done]
    left_count = sum(chunk.stop - chunk.start for chunk in left)
    total = plan["image_count"]
    with tqdm(total=total, initial=total - left_count, desc="recognising", unit="image") as bar:
        parts = (
            predict_on_ray(source, left, model, parameters)
            if parameters.engine == "ray"
            else (predict_chunk(model, chunk, source) for chunk in left)
        )
        for part in parts:
            yield part
            bar.update(part.table.num_rows)


def list_rejected(parts: Parts) -> Iterator[Part]:
    """Yield the images that could not be used; the first part is there even if it is empty."""
    for number, table in parts.read(REJECTED_COLUMNS):
        rejected = table.filter(pc.is_valid(table["error"]))
        if len(rejected) or not number:
            yield Part(number, rejected)


def report(plan: Plan, parts: Parts) -> dict[str, Any]:
    """Count what was answered, and that each image was, once.

    Raises:
        BatchError: If the parts do not hold as many images as there are.
    """
    counts, errors = Counter[str](), Counter[str]()
    for _, table in parts.read(["is_symbol", "error"]):
        counts["images"] += len(table)
        counts["symbols"] += pc.sum(table["is_symbol"], min_count=0).as_py()
        errors.update(table["error"].drop_null().to_pylist())
    if counts["images"] != plan["image_count"]:
        message = f"Expected predictions for {plan['image_count']} images, got {counts['images']}"
        raise BatchError(f"{message}: run the same again, after you removed foreign files.")
    refused = counts["images"] - counts["symbols"] - errors.total()
    return {
        "images": counts["images"],
        "symbols": counts["symbols"],
        "no_symbols": refused,
        "rejected": dict(sorted(errors.items())),
        "model_version": plan["model_version"],
        "model_sha256": plan["model_sha256"],
    }
