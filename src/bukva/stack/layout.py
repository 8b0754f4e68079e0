"""Where the stack of one machine keeps what, and at which ports its servers answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bukva.errors import StackError
from bukva.stack.variables import TEMPLATE, read_variables, write_variables

HOST: Final = "127.0.0.1"
SERVERS: Final = ("postgresql", "s3", "mlflow", "api", "nginx")
DATABASES: Final = ("mlflow", "mlflow_auth", "optuna")
FEEDBACK_PREFIX: Final = "01_raw/feedback"
"""Below the bucket: where `data_processing` looks for corrections, too."""

# Each server's port, counted from STACK_PORT, which is nginx's.
_OFFSETS: Final = {"nginx": 0, "api": 1, "mlflow": 2, "s3": 3, "postgresql": 4, "supervisor": 5}


@dataclass(frozen=True)
class Layout:
    """A folder with everything that the stack keeps, and the variables that it was made with."""

    folder: Path
    variables: Mapping[str, str]

    @property
    def database(self) -> Path:
        """PostgreSQL's own files."""
        return self.folder / "postgresql"

    @property
    def buckets(self) -> Path:
        """The buckets of the S3 server, each a folder."""
        return self.folder / "s3"

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self.variables["S3_BUCKET"]

    @property
    def logs(self) -> Path:
        """The log of each server."""
        return self.folder / "logs"

    @property
    def supervisor_file(self) -> Path:
        """What the supervisor is told; holds the passwords."""
        return self.folder / "supervisord.conf"

    def port(self, server: str) -> int:
        """The port of a server."""
        return int(self.variables["STACK_PORT"]) + _OFFSETS[server]

    def url(self, server: str) -> str:
        """The address of a server."""
        return f"http://{HOST}:{self.port(server)}"

    def database_uri(self, database: str) -> str:
        """A database's address as SQLAlchemy has it; the password is PGPASSWORD's."""
        return f"postgresql+psycopg://mlflow@{HOST}:{self.port('postgresql')}/{database}"

    def keys_of(self, account: str) -> dict[str, str]:
        """The environment in which tools of S3 are the account `bukva-<account>`."""
        return {
            "AWS_ENDPOINT_URL": self.url("s3"),
            "AWS_ACCESS_KEY_ID": f"bukva-{account}",
            "AWS_SECRET_ACCESS_KEY": self.variables[f"S3_{account.upper()}_SECRET"],
            "AWS_DEFAULT_REGION": "us-east-1",
            # Servers other than Amazon's do not all know the checksums that its tools send.
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        }

    def login_of(self, account: str) -> dict[str, str]:
        """The environment in which MLflow's client is this account."""
        return {
            "MLFLOW_TRACKING_URI": self.url("mlflow"),
            "MLFLOW_TRACKING_USERNAME": account,
            "MLFLOW_TRACKING_PASSWORD": self.variables[f"MLFLOW_{account.upper()}_PASSWORD"],
            # Files of models through MLflow: one request, not two, and S3 may be out of reach.
            "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
            "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
        }

    def superuser(self) -> dict[str, str]:
        """The environment in which tools of PostgreSQL are its superuser."""
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port("postgresql")),
            "PGUSER": "postgres",
            "PGPASSWORD": self.variables["POSTGRES_PASSWORD"],
        }

    def training(self) -> dict[str, str]:
        """The environment in which `kedro run --env=prod` works against the stack."""
        studies = self.database_uri("optuna")
        return {
            **self.login_of("trainer"),
            **self.keys_of("trainer"),
            "BUKVA_STORAGE": f"s3://{self.bucket}",
            "BUKVA_TUNING_STORAGE": studies,
            "PGPASSWORD": self.variables["MLFLOW_DATABASE_PASSWORD"],
        }


def make_layout(folder: Path, port: int) -> Layout:
    """Return the layout of a folder; a new one gets its port and its passwords now.

    Raises:
        StackError: If the project's list of variables is not there, or the folder's stack was made
            with another port.
    """
    file = folder / "stack.env"
    write_variables(Path(TEMPLATE), file, {"STACK_PORT": str(port)})
    layout = open_layout(folder)
    if layout.port("nginx") != port:
        message = f"Expected port {port}, {file} says {layout.port('nginx')}"
        raise StackError(f"{message}: ask for that one, or change the file while nothing runs.")
    return layout


def open_layout(folder: Path) -> Layout:
    """Return the layout of a folder in which a stack was made.

    Raises:
        StackError: If there is none.
    """
    file = folder / "stack.env"
    if not file.is_file():
        raise StackError(f"Expected a stack in {folder}, found no {file.name}: make stack.")
    return Layout(folder, read_variables(file))
