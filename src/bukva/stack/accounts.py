"""What the servers need before others can use them: a bucket, and accounts in MLflow."""

import urllib.error
from collections.abc import Mapping

from bukva.errors import StackError
from bukva.stack.probes import call_mlflow, open_s3


def make_bucket(keys: Mapping[str, str], bucket: str) -> bool:
    """Make a bucket, and return whether it was not there before.

    Args:
        keys: The environment of its owner.
        bucket: Its name.

    Raises:
        StackError: If the server refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    client = open_s3(keys)
    try:
        if bucket in [item["Name"] for item in client.list_buckets()["Buckets"]]:
            return False
        client.create_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        where = keys["AWS_ENDPOINT_URL"]
        raise StackError(f"Expected the bucket {bucket} at {where}: {error}") from error
    return True


def make_user(admin: Mapping[str, str], name: str, password: str) -> None:
    """Make an account in MLflow, or give it this password.

    Args:
        admin: The environment of an administrator.
        name: Of the account.
        password: Its new one.

    Raises:
        StackError: If MLflow refuses.
    """
    account = {"username": name, "password": password}
    try:
        try:
            call_mlflow(admin, "POST", "users/create", account)
        except urllib.error.HTTPError as error:
            if error.code != 400:
                raise
            call_mlflow(admin, "PATCH", "users/update-password", account)  # it is there
    except OSError as error:
        raise StackError(
            f"MLflow did not make the account {name} ({error}). Is MLFLOW_ADMIN_PASSWORD the one "
            "that its database was begun with?"
        ) from error


def has_production(login: Mapping[str, str], model: str, alias: str) -> bool:
    """Whether a version of a registered model is in production.

    Raises:
        StackError: If MLflow does not answer.
    """
    path = f"registered-models/alias?name={model}&alias={alias}"
    try:
        call_mlflow(login, "GET", path, {})
    except urllib.error.HTTPError as error:
        # Who may not see all models is refused those that are not there.
        if error.code in (400, 403, 404):
            return False
        raise StackError(f"MLflow does not say what is in production: {error}") from error
    except OSError as error:
        raise StackError(f"MLflow does not answer: {error}") from error
    return True
