"""What happens around the saves of a run: the store is looked at before it, pairs stay pairs.

Each result is whole by itself (`bukva.datasets.storage`), but of a table and the images beside it
one may be new and the other old. So a note lies in the storage from the end of a node with several
results until after the last of its saves.
"""

import inspect
import json
from typing import Final

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Node, Pipeline

from bukva.datasets.storage import Files, check_storage, join, locate_storage
from bukva.errors import UnfinishedSaveError

_PREFIX: Final = "unfinished."


class StorageHooks:
    """Looks at the store before a run, not when hours of training are to be saved in it."""

    def __init__(self) -> None:
        self._root = ""
        self._folder = ""
        self._unsaved: dict[str, set[str]] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where data lie; what is only looked up needs no store."""
        storage = context.config_loader["globals"]["storage"]
        self._root = locate_storage(storage["root"], context.project_path)
        self._folder = join(self._root, storage["run"])

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Stop with a clear error before MLflow opens a run.

        Raises:
            StorageError: If the store cannot be used, or what the pipeline reads in it and does not
                make anew is of a node that was stopped between its saves.
        """
        check_storage(self._root)
        self._unsaved.clear()
        notes = Files(self._folder)
        for name in notes.names():
            if not name.startswith(_PREFIX):
                continue
            note = json.loads(notes.read(name))
            if set(note["results"]) & pipeline.inputs():
                raise UnfinishedSaveError(_describe(note, notes.locate(name)))

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Note that the node will save; those that save in pieces go on from what they find."""
        if len(node.outputs) > 1 and not inspect.isgeneratorfunction(node.func):
            note = {"node": node.name, "stages": sorted(node.tags), "results": node.outputs}
            self._note(node).write(json.dumps(note).encode())
            self._unsaved[node.name] = set(node.outputs)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Remove the note after the last save of the node."""
        if node.name in self._unsaved:
            self._unsaved[node.name].discard(dataset_name)
            if not self._unsaved[node.name]:
                self._note(node).remove()
                del self._unsaved[node.name]

    def _note(self, node: Node) -> Files:
        return Files(join(self._folder, f"{_PREFIX}{node.name}.json"))


def _describe(note: dict[str, str | list[str]], path: str) -> str:
    node, stage = note["node"], next(iter(note["stages"]), "__default__")
    return (
        f"Expected results of one run of {node}, got those of a run that was stopped while it "
        f"saved them: {', '.join(note['results'])} may not belong together. Run it again, in the "
        f"same environment: kedro run --pipeline={stage} --from-nodes={node}. If you put them "
        f"right yourself, remove {path}."
    )
