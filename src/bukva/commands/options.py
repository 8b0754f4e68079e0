"""Options that several commands have."""

from typing import Any, cast

import click

ENV = click.option("--env", default="base", show_default=True, help="Folder of conf/ to run in.")


def parse_params(context: click.Context, option: click.Parameter, text: str) -> dict[str, Any]:
    """Read parameters as `kedro run --params` does."""
    from omegaconf import OmegaConf

    items = [item.strip() for item in text.split(",") if item.strip()]
    if bad := [item for item in items if "=" not in item]:
        raise click.BadParameter(f"expected name=value, got {', '.join(bad)}", context, option)
    return to_plain(OmegaConf.from_dotlist(items))


def to_plain(config: Any) -> dict[str, Any]:
    """Return a mapping of OmegaConf as a dict; its types would let it be a list."""
    from omegaconf import OmegaConf

    return cast("dict[str, Any]", OmegaConf.to_container(config))


PARAMS = click.option(
    "--params", default="", callback=parse_params, help="finetuning.max_epochs=3,name=value,..."
)
