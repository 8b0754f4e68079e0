"""Everything about the service that can be set, read from the environment once, at start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bukva.core.imaging.opening import MAX_IMAGE_BYTES
from bukva.errors import ParameterError
from bukva.registry.package_files import MODEL_NAME, PRODUCTION_ALIAS, name_model

ENV_PREFIX = "BUKVA_"


def _split(value: Any) -> Any:
    """Take a list as the environment holds it: parts with commas between them."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


Name = Annotated[str, Field(min_length=1)]
Listed = (NoDecode, BeforeValidator(_split))  # NoDecode: else the environment must hold JSON
Networks = Annotated[tuple[IPvAnyNetwork, ...], *Listed]
ApiKeyHash = Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,32}:)?[0-9a-f]{64}$")]
ApiKeyHashes = Annotated[tuple[ApiKeyHash, ...], *Listed]
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]+)?$")]
Origins = Annotated[tuple[Origin, ...], *Listed]
TaskName = Literal["glyph", "document", "line"]
TaskNames = Annotated[tuple[TaskName, ...], Field(min_length=1), *Listed]


class Settings(BaseSettings):
    """Settings of the service; each is the variable `BUKVA_<NAME>` of the environment."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    # The models.
    tasks: TaskNames = Field(
        ("glyph", "document", "line"),
        description="what is served; /readyz says 200 once the first of them has a model",
    )
    model_name: Name = Field(MODEL_NAME, description="name of the registered model of glyphs")
    model_alias: Name = Field(PRODUCTION_ALIAS, description="alias of the version to serve")
    tracking_uri: Name = Field(
        "sqlite:///mlflow.db", description="address of MLflow's tracking store and registry"
    )
    model_cache: Path = Field(
        Path("~/.cache/bukva"), description="where the versions that were served last are kept"
    )
    trusted_keys: Path | None = Field(
        None, description="file of public keys; only models signed by one of them are served"
    )
    alias_poll_s: float = Field(5.0, gt=0, description="pause before the alias is looked at again")
    load_retry_s: float = Field(5.0, gt=0, description="pause before loading is tried again")
    model_threads: int = Field(1, ge=1, le=64, description="threads that call the model")
    max_gathered_images: int = Field(
        16, ge=1, description="images of waiting requests that go through the model together"
    )
    drift_window: int = Field(500, ge=200, description="answers that drift is measured over")
    drift_alarm: float = Field(
        0.25, gt=0, description="population stability index from which /metrics gives an alarm"
    )
    top_k: int = Field(5, ge=1, le=5, description="alternatives in an answer")

    # What one request may cost.
    max_body_bytes: int = Field(29_360_128, ge=1, description="largest body of a request")
    max_image_bytes: int = Field(MAX_IMAGE_BYTES, ge=1, description="largest encoded image")
    body_room_bytes: int = Field(
        134_217_728,
        ge=0,
        description="what all bodies may hold together beyond the first MiB of each",
    )
    header_timeout_s: float = Field(10.0, gt=0, description="longest time to receive the headers")
    body_timeout_s: float = Field(30.0, gt=0, description="longest time to receive a body")
    deadline_s: float = Field(2.0, gt=0, description="longest time to wait for the model")
    max_in_flight: int = Field(64, ge=1, description="requests waiting for the model or in it")
    document_deadline_s: float = Field(
        20.0, gt=0, description="longest time to wait for the model of documents"
    )
    max_documents_in_flight: int = Field(
        4, ge=1, description="documents waiting for their model or in it"
    )
    line_deadline_s: float = Field(
        10.0, gt=0, description="longest time to wait for the model of lines"
    )
    max_lines_in_flight: int = Field(8, ge=1, description="lines waiting for their model or in it")

    # Who may ask, and how often.
    api_key_hashes: ApiKeyHashes = Field(
        (), description="`hash` or `name:hash` of each key that may ask; none: everybody may"
    )
    rate_limit_per_minute: int = Field(
        0, ge=0, description="requests below /v1 of one key, or address, in a minute; 0: no limit"
    )
    rate_limit_burst: int = Field(20, ge=1, description="how many of them may come at once")
    trusted_proxies: Networks = Field(
        (), description="addresses or networks of proxies whose X-Forwarded-For is believed"
    )
    cors_origins: Origins = Field(
        (), description="other sites whose pages may ask, such as https://school.example"
    )

    # What is kept.
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
    max_feedback_bytes: int = Field(
        2_000_000_000, ge=0, description="what they and their receipts may take of the disk"
    )
    feedback_client_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="secret by which addresses of who gives corrections are hashed; none: they "
        "are not kept at all",
    )
    prediction_log: Path | None = Field(
        None, description="file with a JSON line for each answer, without image; none: not written"
    )
    prediction_log_max_bytes: int = Field(
        10_000_000, ge=1, description="size at which the file is put aside and begun anew"
    )
    prediction_log_files: int = Field(5, ge=1, description="files put aside before one is dropped")

    # Connections and the end of the process.
    host: Name = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    max_connections: int = Field(512, ge=1, description="open connections, idle ones too")
    # Longer than a proxy in front keeps its side open, so that the proxy is the one that closes.
    keep_alive_s: int = Field(75, ge=1, description="longest silence on an open connection")
    drain_delay_s: float = Field(
        0.0,
        ge=0,
        description="time from SIGTERM, when /readyz says 503, to the last new connection",
    )
    drain_timeout_s: int = Field(10, ge=1, description="longest time to finish after that")

    @property
    def model_uri(self) -> str:
        """What is served, as MLflow writes it."""
        return f"models:/{self.model_name}@{self.model_alias}"

    def for_reader(self, task: Literal["document", "line"]) -> Self:
        """The same, of a model in a process of its own: one thread before it, one file a call."""
        limits = {
            "document": (self.document_deadline_s, self.max_documents_in_flight),
            "line": (self.line_deadline_s, self.max_lines_in_flight),
        }
        deadline_s, max_in_flight = limits[task]
        return self.model_copy(
            update={
                "model_name": name_model(task),
                "deadline_s": deadline_s,
                "max_in_flight": max_in_flight,
                "model_threads": 1,
                "max_gathered_images": 1,
            }
        )


def read_settings() -> Settings:
    """Reads the settings from the environment.

    Raises:
        ParameterError: If any does not validate; the message lists all of them.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"  {variable(str(item['loc'][0]))}={_show(item['loc'][0], item['input'])}: "
            f"{item['msg']}"
            for item in error.errors()
        ]
        raise ParameterError(
            "Expected valid settings in the environment, got:\n"
            + "\n".join(lines)
            + "\nRun `python -m bukva.serving --help` for all of them."
        ) from None


def _show(name: int | str, value: object) -> str:
    # A key that stands where its hash belongs is still a key.
    is_secret = name in ("api_key_hashes", "feedback_client_key")
    return "(not shown)" if is_secret else repr(value)


def variable(name: str) -> str:
    """The variable of the environment that holds the setting `name`."""
    return f"{ENV_PREFIX}{name.upper()}"


def rows_of_settings() -> Iterator[tuple[str, str, str]]:
    """Variable, default and meaning of each setting; the default is empty where there is none."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default in ((), None) else field.default
        if isinstance(default, tuple):
            default = ",".join(default)
        yield variable(name), str(default), field.description or ""


def describe_settings() -> str:
    """The settings as a table for people."""
    return "\n".join(
        f"  {name:<30} {default:<20} {meaning}" for name, default, meaning in rows_of_settings()
    )
