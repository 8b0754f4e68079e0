"""Key pairs as an operator makes them."""

import subprocess
from pathlib import Path


def make_keys(folder: Path, name: str = "signing") -> tuple[Path, Path]:
    """The files of a private key and of its public half."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", str(private))
    openssl("pkey", "-in", str(private), "-pubout", "-out", str(public))
    return private, public


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
