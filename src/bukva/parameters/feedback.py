"""What of the corrections that people give is learnt from."""

from typing import Annotated

from pydantic import Field

from bukva.parameters.group import Count, Group, Positive, Share


class FeedbackIngestionParameters(Group):
    """From stored corrections to the corpus `feedback`.

    Attributes:
        duplicate_cosine: Likeness (cosine of pixels) from which a drawing counts as a copy.
        disagreement: Probability from which the model's reading of a drawing, if it is not the
            person's, sets it aside for review.
        client_share: Largest share of the drawings, before this cap, that one client may have
            given; more are left out.
        client_count: So many may be of one client in any case. Corrections of unknown clients
            count as those of one.
        weight_per_sample: Weight in a batch of `finetuning` that each drawing brings the corpus,
            where the environment gives it none: half of what one of rukopys has.
        max_weight: The most that all of them bring.
    """

    duplicate_cosine: Annotated[float, Field(gt=0.9, le=1.0)] = 0.985
    disagreement: Annotated[float, Field(gt=0.5, le=1.0)] = 0.9
    client_share: Share = 0.01
    client_count: Count = 20
    weight_per_sample: Positive = 0.0001
    max_weight: Positive = 0.1
