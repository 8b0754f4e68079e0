"""What was decided about a packaged model."""

from dataclasses import dataclass

from bukva.model_registry.models import PackagedModel


@dataclass(frozen=True)
class Registration:
    """An order to the registry.

    Attributes:
        model: What is registered, if it is not yet.
        is_promoted: Whether it is put into production then.
        production_version: The version that was in production when this was decided, empty if none
            was: promotion is refused if it is another one by now.
        reason: Why, for the log of promotions.
    """

    model: PackagedModel
    is_promoted: bool
    production_version: str
    reason: str
