"""What the training of any network can be told, whatever it learns."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bukva.core.parameters import Count, Device, Group, Positive, Precision


class FitParameters(Group):
    """How a network is trained; a task adds what it learns.

    Attributes:
        steps_per_epoch: Batches in an epoch, None for as many as the samples fill.
        batch_size: Images in a batch.
        learning_rate: The highest rate of the schedule.
        weight_decay: Of AdamW.
        schedule: `one_cycle`, or `plateau`: divide by ten where validation stands still.
        patience_epochs: Epochs without a better validation loss after which a phase stops early;
            `plateau` lowers the rate when more than half as many have passed.
        ema_decay: Of the moving average of the weights, which is what is kept; 0 for none.
        max_gradient_norm: Gradients are scaled down to it.
        device: `auto` takes CUDA where there is one.
        processes: How many share each batch: on CUDA at most one a GPU, else they share the cores.
        precision: `auto` takes bfloat16 where the hardware multiplies it.
        resume: Whether to go on from a checkpoint of the same parameters and data.
        seed: Decides initial weights, order and variation.
    """

    steps_per_epoch: Count | None = None
    batch_size: Annotated[int, Field(ge=2)] = 256
    learning_rate: Positive = 0.006
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    schedule: Literal["one_cycle", "plateau"] = "one_cycle"
    patience_epochs: Count = 12
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    max_gradient_norm: Positive = 5.0
    device: Device = "auto"
    processes: Count = 1
    precision: Precision = "auto"
    resume: bool = True
    seed: int = 1

    @model_validator(mode="after")
    def _gives_each_process_something(self) -> Self:
        if self.processes > self.batch_size:
            message = f"expected processes <= batch_size, got {self.processes} > {self.batch_size}"
            raise ValueError(message)
        return self

    def recipe(self) -> str:
        """Return as JSON what decides the result, whatever it is computed on."""
        return self.model_dump_json(exclude={"resume", "device", "processes"})
