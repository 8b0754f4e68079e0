"""`bukva corpora`: fetch and list the public corpora."""

import click

_MANIFEST = click.option(
    "--manifest", default="conf/base/corpora.yml", show_default=True, help="The corpora manifest."
)
_NAMES = click.argument("names", nargs=-1)


@click.group()
def corpora() -> None:
    """Fetch and list the public corpora of the manifest."""


@corpora.command()
@click.option("--from", "source", help="Folder or URI of a mirror; without it, the publishers.")
@click.option(
    "--to",
    "destination",
    default="data/01_raw",
    show_default=True,
    help="Folder, or prefix of a bucket: s3://bucket/01_raw.",
)
@_MANIFEST
@_NAMES
def fetch(source: str | None, destination: str, manifest: str, names: tuple[str, ...]) -> None:
    """Fetch and verify the corpora NAMES, or all of them."""
    from bukva.core.corpora.manifest import select_entries
    from bukva.datasets.corpora import load_manifest
    from bukva.datasets.fetch import fetch_corpora

    entries = load_manifest(manifest)
    chosen = select_entries(entries, list(names or entries))
    fetched = fetch_corpora(chosen, destination, source)
    total = sum(len(entry.files) for entry in chosen.values())
    click.echo(f"{total} files verified in {destination}, {len(fetched)} of them fetched now.")


@corpora.command("list")
@click.option("--in", "folder", default="data/01_raw", show_default=True, help="Where to look.")
@_MANIFEST
def list_corpora(folder: str, manifest: str) -> None:
    """List the corpora: how many of their files are present, size and licence."""
    from bukva.datasets.corpora import load_manifest, missing_files

    for name, entry in load_manifest(manifest).items():
        present = len(entry.files) - len(missing_files(entry, folder))
        size_mb = entry.size_bytes / 1e6
        click.echo(
            f"{name:<16}{present}/{len(entry.files)} files{size_mb:8.1f} MB  {entry.licence}"
        )
