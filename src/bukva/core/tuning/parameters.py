"""What a search for better training parameters can be told."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bukva.core.parameters import Count, Group, Positive, Share

Value = int | float | str | bool
Number = int | float


class SearchedParameter(Group):
    """The values that one parameter may take: a range, or a list of choices.

    Attributes:
        low: The least value; the range is of whole numbers if both its ends are.
        high: The greatest value.
        log: Whether the logarithm is drawn evenly.
        step: Distance of the values from `low` on, None for any between.
        choices: The values, in place of a range.
    """

    low: Number | None = None
    high: Number | None = None
    log: bool = False
    step: Annotated[Number, Field(gt=0)] | None = None
    choices: Annotated[tuple[Value, ...], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _is_range_or_choices(self) -> Self:
        if self.choices is not None:
            if (self.low, self.high, self.step, self.log) != (None, None, None, False):
                raise ValueError("expected a range or choices, got both")
            return self
        if self.low is None or self.high is None:
            raise ValueError("expected low and high, or choices")
        if not self.low < self.high or not math.isfinite(self.high - self.low):
            raise ValueError(f"expected low < high, got {self.low} and {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("expected low > 0 and no step where log is true")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether the range is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values of which all others are harmless if these are."""
        if self.choices is not None:
            return self.choices
        return tuple(end for end in (self.low, self.high) if end is not None)


class PrunerParameters(Group):
    """When a trial that goes badly is stopped.

    Attributes:
        name: `median`: worse than the median of the others at the same epoch; `halving`: not in
            the best share at its rung, asynchronously (Li et al. 2020); `hyperband`: several such
            brackets (Li et al. 2018); `none`.
        warmup_epochs: Epochs, those of the heads included, that every trial is given.
        reduction_factor: One of so many goes on to the next rung; the median knows no rungs.
    """

    name: Literal["median", "halving", "hyperband", "none"] = "median"
    warmup_epochs: Count = 2
    reduction_factor: Annotated[int, Field(ge=2)] = 3


class TuningParameters(Group):
    """A search around a group of training parameters, by workers that are processes.

    Attributes:
        heartbeat_s: How often a worker says that its trial is alive.
        grace_s: Silence after which a trial counts as killed and is tried again.
        patience_s: How long a worker waits for a database that went away; a file never does.
        retries: How often a killed trial is tried again.
        workers: How many on this machine share the trials.
        study: Its name in the database; a study of other data or parameters needs another.
        space: What is searched, by dotted name inside the group: `augmentation.slant`.
        measure: Column of the history that decides, at the epoch that training keeps.
        valid_corpora: Weight of each corpus in that measure, the same in all trials.
        valid_class_balance: As `class_balance`, in that measure.
        trials: Finished trials, pruned ones included, at which the study is over.
        epochs: In place of `max_epochs`.
        steps_per_epoch: In place of `steps_per_epoch`.
        startup_trials: Drawn at random, before the sampler (and the median) has seen enough.
        pruner: When a trial that goes badly is stopped.
        timeout_s: No trial begins later than this after the start of the run; None for no limit.
        seed: Decides what is drawn, together with the number of the trial.
    """

    heartbeat_s: Count = 10
    grace_s: Count = 60
    patience_s: Positive = 600.0
    retries: Annotated[int, Field(ge=0)] = 2
    workers: Count = 1
    study: Annotated[str, Field(min_length=1, max_length=100)]
    space: Annotated[dict[str, SearchedParameter], Field(min_length=1)]
    measure: str = "valid_loss"
    valid_corpora: Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    valid_class_balance: Share = 0.5
    trials: Count = 30
    epochs: Count = 4
    steps_per_epoch: Count | None = None
    startup_trials: Count = 8
    pruner: PrunerParameters = PrunerParameters()
    timeout_s: Positive | None = None
    seed: int = 1

    @model_validator(mode="after")
    def _forgives_a_heartbeat(self) -> Self:
        if self.grace_s <= self.heartbeat_s:
            raise ValueError(f"expected grace_s > heartbeat_s, got {self.grace_s} s")
        return self

    @property
    def is_maximised(self) -> bool:
        """Whether more of the measure is better."""
        return not self.measure.endswith("loss")
