"""From a packaged candidate to a registered version, and to production if it is good enough."""

from kedro.pipeline import Pipeline

from bukva.pipelines.templates.promotion import promotion_pipeline
from bukva.tasks.glyph.task import TASK


def create_pipeline() -> Pipeline:
    """Return the template of promotion for glyphs."""
    return promotion_pipeline(TASK)
