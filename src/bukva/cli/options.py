"""Options that several commands have."""

from typing import Any, cast

import click

from bukva.tasks.table import TASKS

ENV = click.option("--env", default="base", show_default=True, help="Folder of conf/ to run in.")

TASK = click.option(
    "--task", type=click.Choice(list(TASKS)), default="glyph", show_default=True,
    help="Whose model.",
)  # fmt: skip


def parse_params(
    context: click.Context, option: click.Parameter, text: str | dict[str, Any]
) -> dict[str, Any]:
    """Return parameters by group; what looks like a number stays text where text is meant."""
    from omegaconf import OmegaConf

    from bukva.pipelines.parameters import is_text

    if isinstance(text, dict):
        return text  # of the file that `kedro run --config` names
    items = [item.strip() for item in text.split(",") if item.strip()]
    if bad := [item for item in items if not item.partition("=")[0].strip() or "=" not in item]:
        raise click.BadParameter(f"expected name=value, got {', '.join(bad)}", context, option)
    values = OmegaConf.from_dotlist(items)
    for name, _, value in (item.partition("=") for item in items):
        if is_text(name.strip()) and isinstance(OmegaConf.select(values, name), int | float):
            OmegaConf.update(values, name, value)  # 007 is no 7
    return to_plain(values)


def to_plain(config: Any) -> dict[str, Any]:
    """Return a mapping of OmegaConf as a dict; its types would let it be a list."""
    from omegaconf import OmegaConf

    return cast("dict[str, Any]", OmegaConf.to_container(config))


PARAMS = click.option(
    "--params", default="", callback=parse_params, help="finetuning.max_epochs=3,name=value,..."
)
