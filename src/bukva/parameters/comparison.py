"""Which networks are compared, and how."""

from typing import Annotated

from pydantic import Field

from bukva.parameters.group import Count, Group, Positive
from bukva.parameters.training import TrainingParameters


class ComparedNetwork(Group):
    """One network of the comparison; what it does not say is as for all the others.

    Attributes:
        network: Name of the architecture in `bukva.models`.
        width: Channels, or units, that its other sizes are multiples of.
        dropout: Before the heads.
        learning_rate: The highest rate of the schedule.
    """

    network: str
    width: Annotated[int, Field(ge=4, le=128)]
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    learning_rate: Positive = 0.006

    @property
    def name(self) -> str:
        """What it is called in files and tables: architecture and width."""
        return f"{self.network}-{self.width}"


class NetworkComparisonParameters(Group):
    """Networks, and a decision tree, on the same digits.

    Attributes:
        networks: Which, in the order of the table.
        training: The recipe of all of them; `network`, `width`, `dropout` and `learning_rate` in
            it are each network's own.
        latency_calls: Single images answered one after the other to measure the latency.
    """

    networks: Annotated[tuple[ComparedNetwork, ...], Field(min_length=1)]
    training: TrainingParameters
    latency_calls: Count = 500

    def training_of(self, compared: ComparedNetwork) -> TrainingParameters:
        """Return the recipe with one network in it."""
        return self.training.model_copy(update=compared.model_dump())
