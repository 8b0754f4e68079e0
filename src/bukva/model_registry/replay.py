"""Delivering what runs that have ended left in their journals."""

from pathlib import Path
from typing import NamedTuple

from mlflow.exceptions import MlflowException

from bukva.errors import TrackingUnreachableError
from bukva.model_registry.journal import Journal, LeftJournal, left_behind
from bukva.model_registry.sender import Sender


class Replay(NamedTuple):
    """What became of the requests of journals that were left behind.

    Attributes:
        delivered: The server has them now.
        refused: It will never take them; they are in `refused.txt`.
        waiting: The server does not answer, or they are for another one.
    """

    delivered: int = 0
    refused: int = 0
    waiting: int = 0

    def describe(self) -> str:
        """Return it as words."""
        words = (f"{count} {name}" for name, count in self._asdict().items() if count)
        return ", ".join(words) or "nothing left"


def locate_journals(local: str, project: Path) -> Path:
    """Return where the runs of an environment keep their journals.

    Args:
        local: Its `storage.local`.
        project: The project's root.
    """
    return project / local / "tracking_journals"


def replay_journals(folder: Path, server: str) -> Replay:
    """Deliver the journals of a folder that no living process writes to.

    Args:
        folder: Where journals lie.
        server: Address of the tracking server; journals for others stay.
    """
    counts = [_replay(journal, server) for journal in left_behind(folder)]
    return Replay(*(sum(column) for column in zip(*counts, strict=True)))


def _replay(left: LeftJournal, server: str) -> Replay:
    if left.server != server and left.requests:
        return Replay(waiting=len(left.requests))
    sender, journal, refused = Sender(server), Journal(left.path.parent, server), 0
    for request in left.requests:
        try:
            sender.send(request)
        except TrackingUnreachableError:
            # All of it again next time: to deliver twice is harmless.
            return Replay(waiting=len(left.requests))
        except MlflowException as error:
            journal.set_aside(request, str(error))
            refused += 1
    left.path.unlink()
    return Replay(delivered=len(left.requests) - refused, refused=refused)
