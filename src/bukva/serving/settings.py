"""Everything about the service that can be set, read from the environment once, at start."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bukva.errors import ParameterError

ENV_PREFIX = "BUKVA_"

Name = Annotated[str, Field(min_length=1)]


class Settings(BaseSettings):
    """Settings of the service; each is the variable `BUKVA_<NAME>` of the environment."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    host: Name = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    model_name: Name = Field("bukva-glyph", description="name of the registered model")
    model_alias: Name = Field("prod", description="alias of the version to serve")
    tracking_uri: Name = Field(
        "sqlite:///mlflow.db", description="address of MLflow's tracking store and registry"
    )
    model_cache: Path = Field(
        Path("~/.cache/bukva"), description="where the versions that were served last are kept"
    )
    trusted_keys: Path | None = Field(
        None, description="file of public keys; only models signed by one of them are served"
    )
    top_k: int = Field(5, ge=1, le=5, description="alternatives in an answer")
    max_body_bytes: int = Field(1_572_864, ge=1, description="largest body of a request")
    max_image_bytes: int = Field(1_048_576, ge=1, description="largest encoded image")
    max_in_flight: int = Field(64, ge=1, description="requests waiting for the model or in it")
    max_gathered_images: int = Field(
        16, ge=1, description="images of waiting requests that go through the model together"
    )
    max_connections: int = Field(512, ge=1, description="open connections, idle ones too")
    model_threads: int = Field(1, ge=1, le=64, description="threads that call the model")
    header_timeout_s: float = Field(10.0, gt=0, description="longest time to receive the headers")
    body_timeout_s: float = Field(10.0, gt=0, description="longest time to receive a body")
    deadline_s: float = Field(2.0, gt=0, description="longest time to wait for the model")
    load_retry_s: float = Field(5.0, gt=0, description="pause before loading is tried again")
    alias_poll_s: float = Field(5.0, gt=0, description="pause before the alias is looked at again")
    drift_window: int = Field(500, ge=200, description="answers that drift is measured over")
    drift_alarm: float = Field(
        0.25, gt=0, description="population stability index from which /metrics gives an alarm"
    )
    feedback_folder: Path = Field(
        Path("data/01_raw/feedback"), description="where corrections are kept"
    )
    feedback_url: str = Field(
        "",
        pattern=r"^(s3://[^/]+.*|[^:]*)$",
        description="where corrections are delivered to: s3://bucket/prefix, or a folder",
    )
    feedback_retry_s: float = Field(1.0, gt=0, description="pause before delivery is tried again")
    max_feedback: int = Field(100_000, ge=0, description="corrections to keep; 0: none")
    # Longer than a proxy in front keeps its side open, so that the proxy is the one that closes.
    keep_alive_s: int = Field(75, ge=1, description="longest silence on an open connection")
    drain_timeout_s: int = Field(10, ge=1, description="longest time to finish after SIGTERM")

    @property
    def model_uri(self) -> str:
        """What is served, as MLflow writes it."""
        return f"models:/{self.model_name}@{self.model_alias}"


def read_settings() -> Settings:
    """Reads the settings from the environment.

    Raises:
        ParameterError: If any does not validate; the message lists all of them.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"  {ENV_PREFIX}{'.'.join(map(str, item['loc'])).upper()}={item['input']!r}: "
            f"{item['msg']}"
            for item in error.errors()
        ]
        raise ParameterError(
            "Expected valid settings in the environment, got:\n"
            + "\n".join(lines)
            + "\nRun `python -m bukva.serving --help` for all of them."
        ) from None


def describe_settings() -> str:
    """The settings as a table for people: variable, default, meaning."""
    rows = [
        (f"{ENV_PREFIX}{name.upper()}", str(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(f"  {name:<22} {default:<20} {meaning}" for name, default, meaning in rows)
