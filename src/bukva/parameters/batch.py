"""What is recognised in a batch, where, and by which model."""

from typing import Annotated, Literal

from pydantic import Field

from bukva.parameters.group import Count, Group


class BatchInferenceParameters(Group):
    """From many images to a table of predictions.

    The catalog reads the first three as well: give them on the command line, with `--params`.

    Attributes:
        images: Folder, prefix or file: image files, Parquet files with a column `image`, or `.npy`
            files of uint8 `(N, H, W)`.
        results: Folder or prefix for the predictions of these images by this model, and no others.
        model: A version or alias in the registry; `local` for what `packaging` left.
        chunk_images: How many images are read, answered and written at once. Memory grows with it,
            and so does the work that a kill costs.
        engine: `local` is this process; `ray` is as many as `ray_workers`.
        ray_address: Of a cluster that runs; none to start one on this machine.
        ray_workers: Recognisers, each a process with one core; none for all cores but one.
    """

    images: Annotated[str, Field(min_length=1)]
    results: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    chunk_images: Count = 10_000
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    ray_workers: Count | None = None
