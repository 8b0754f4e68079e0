"""Nodes that were stopped between the saves of their results.

Each result is whole by itself (`bukva.datasets.atomic`), but of a table and the images beside it
one may be new and the other old. So a note lies in the storage from before the first save of such
a node until after its last.
"""

import inspect
import json
from contextlib import suppress
from typing import Final

from fsspec.core import url_to_fs
from kedro.pipeline import Node, Pipeline

from bukva.datasets.storage import join
from bukva.errors import UnfinishedSaveError

_PREFIX: Final = "unfinished."
_SUFFIX: Final = ".json"


class UnfinishedSaves:
    """The notes of a folder or prefix.

    Nodes with one result need none. Nor do generators, which save in pieces and go on from those
    that they find.
    """

    def __init__(self, folder: str) -> None:
        self._fs, self._folder = url_to_fs(folder)
        self._unsaved: dict[str, set[str]] = {}

    def check(self, pipeline: Pipeline) -> None:
        """Return if a pipeline reads nothing of a node that was stopped between its saves.

        Raises:
            UnfinishedSaveError: If it reads some, and does not make them anew.
        """
        for path in self._list():
            note = json.loads(self._fs.cat_file(path))
            if set(note["results"]) & pipeline.inputs():
                raise UnfinishedSaveError(_describe(note, path))

    def begin(self, node: Node) -> None:
        """Note that a node saves its results from now on; once for all of them."""
        if len(node.outputs) < 2 or inspect.isgeneratorfunction(node.func):
            return
        if node.name not in self._unsaved:
            note = {"node": node.name, "stages": sorted(node.tags), "results": node.outputs}
            self._fs.makedirs(self._folder, exist_ok=True)
            self._fs.pipe_file(self._locate(node), json.dumps(note).encode())
            self._unsaved[node.name] = set(node.outputs)

    def end(self, node: Node, result: str) -> None:
        """Remove the note when this was the last result of the node that was to be saved."""
        if node.name not in self._unsaved:
            return
        self._unsaved[node.name].discard(result)
        if not self._unsaved[node.name]:
            # Another machine that ends the same search may have removed it.
            with suppress(FileNotFoundError):
                self._fs.rm_file(self._locate(node))
            del self._unsaved[node.name]

    def _list(self) -> list[str]:
        # No glob: the folder is the user's, and may have brackets in its name.
        try:
            paths = self._fs.ls(self._folder, detail=False)
        except FileNotFoundError:
            return []
        return [
            path
            for path in paths
            if (name := path.rpartition("/")[2]).startswith(_PREFIX) and name.endswith(_SUFFIX)
        ]

    def _locate(self, node: Node) -> str:
        return join(self._folder, f"{_PREFIX}{node.name}{_SUFFIX}")


def _describe(note: dict[str, str | list[str]], path: str) -> str:
    node, stage = note["node"], next(iter(note["stages"]), "__default__")
    return (
        f"Expected results of one run of {node}, got those of a run that was stopped while it "
        f"saved them: {', '.join(note['results'])} may not belong together. Run it again, in the "
        f"same environment: kedro run --pipeline={stage} --from-nodes={node}. If you put them "
        f"right yourself, remove {path}."
    )
