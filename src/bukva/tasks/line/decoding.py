"""From what a network says of each time step to the text that is most likely.

Shapes: T time steps, K outputs, the blank first; B texts in the beam, C characters that are
possible in a step, L characters of a text, S = 2 L + 1 states: blanks between and around them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array
from bukva.tasks.line.charset import BLANK
from bukva.tasks.line.language_model import LanguageModel

_NEVER: Final = -1e30
"""In place of minus infinity, which subtracted from itself is not a number."""
_POSSIBLE: Final = float(np.log(1e-3))
_SURELY_BLANK: Final = float(np.log(0.999))


@dataclass(frozen=True)
class Search:
    """How a text is looked for.

    Attributes:
        beam: Texts that are followed at the same time.
        weight: Of the language model; 0 for none.
        bonus: For each character, in nats: a language model alone would like short texts.
    """

    beam: int = 12
    weight: float = 0.0
    bonus: float = 0.0


class Found(NamedTuple):
    """A text as indices of characters, and the share of what was followed that speaks for it."""

    indices: tuple[int, ...]
    share: float


class Span(NamedTuple):
    """From which time step to which, both included, a character was seen."""

    first: int
    last: int


def read_greedily(log_TK: Float32Array) -> list[int]:
    """Return the likeliest output of each step, repeats and blanks taken out."""
    best_T = log_TK.argmax(axis=1)
    is_new_T = np.ones(len(best_T), dtype=bool)
    is_new_T[1:] = best_T[1:] != best_T[:-1]
    indices: list[int] = best_T[is_new_T & (best_T != BLANK)].tolist()
    return indices


def search(
    log_TK: Float32Array, settings: Search, language_model: LanguageModel | None
) -> list[Found]:
    """Return the texts that are likeliest, the first one most (prefix search, Hannun et al. 2014).

    A text is one however its characters are spread over time: the ways to it are added up.

    Args:
        log_TK: Logarithms of probabilities.
        settings: How many texts are followed, and how much the language model counts.
        language_model: None for none.
    """
    beam = _Beam(settings, language_model if settings.weight else None, log_TK.shape[1])
    for row_K in log_TK.astype(np.float64):
        if row_K[BLANK] > _SURELY_BLANK:
            beam.pass_blank(float(row_K[BLANK]))
        else:
            beam.step(row_K)
    return beam.list_found()


@dataclass
class _Beam:
    """The texts that are followed.

    Attributes:
        nodes: Each text is its last character behind another text: (that text, the character).
        node_B: Which text each is.
        parent_B: The text without its last character.
        last_B: Its last character, the blank for the empty text.
        blank_B: Logarithm of the probability of all ways to it that end with a blank.
        character_B: Of those that end with its last character.
        prior_B: What the language model and the bonus say of it.
        key_B: Its context for the language model.
        rows_BK: What the language model says of the next character, weighed.
    """

    settings: Search
    language_model: LanguageModel | None
    outputs: int
    nodes: list[tuple[int, int]] = field(default_factory=lambda: [(-1, BLANK)])
    known: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the empty text."""
        self.node_B = np.zeros(1, dtype=np.int64)
        self.parent_B = np.full(1, -1, dtype=np.int64)
        self.last_B = np.full(1, BLANK, dtype=np.int64)
        self.blank_B = np.zeros(1)
        self.character_B = np.full(1, _NEVER)
        self.prior_B = np.zeros(1)
        self.key_B = np.zeros(1, dtype=np.uint64)
        self.rows_BK = self._foretell(self.key_B)

    def pass_blank(self, log_blank: float) -> None:
        """Take a step that shows nothing."""
        self.blank_B = np.logaddexp(self.blank_B, self.character_B) + log_blank
        self.character_B = np.full(len(self.blank_B), _NEVER)

    def step(self, row_K: NDArray[np.float64]) -> None:
        """Take a step: each text stays as it is, or grows by one of the possible characters."""
        possible_C = 1 + np.flatnonzero(row_K[1:] > _POSSIBLE)
        any_B = np.logaddexp(self.blank_B, self.character_B)
        blank_B = any_B + row_K[BLANK]
        stay_B = np.where(self.last_B == BLANK, _NEVER, self.character_B + row_K[self.last_B])
        # A character that comes twice in a row has a blank between.
        is_again_BC = self.last_B[:, None] == possible_C
        grow_BC = np.where(is_again_BC, self.blank_B[:, None], any_B[:, None]) + row_K[possible_C]
        self._merge(stay_B, grow_BC, possible_C)
        prior_BC = self.prior_B[:, None] + self.settings.bonus + self.rows_BK[:, possible_C]
        scores = np.concatenate(
            [np.logaddexp(blank_B, stay_B) + self.prior_B, (grow_BC + prior_BC).ravel()]
        )
        kept = np.argsort(-scores, kind="stable")[: self.settings.beam]
        kept = kept[scores[kept] > _NEVER / 2]
        self._keep(kept, blank_B, stay_B, grow_BC, prior_BC, possible_C)

    def _merge(
        self,
        stay_B: NDArray[np.float64],
        grow_BC: NDArray[np.float64],
        possible_C: NDArray[np.int64],
    ) -> None:
        """Add to texts that are followed already what grows into them."""
        is_parent_BB = self.parent_B[:, None] == self.node_B[None, :]
        children, parents = np.nonzero(is_parent_BB)
        places = np.searchsorted(possible_C, self.last_B[children])
        for child, parent, place in zip(children, parents, places, strict=True):
            if place < len(possible_C) and possible_C[place] == self.last_B[child]:
                stay_B[child] = np.logaddexp(stay_B[child], grow_BC[parent, place])
                grow_BC[parent, place] = _NEVER

    def _keep(
        self, kept: NDArray[np.int64], blank_B: NDArray[np.float64], stay_B: NDArray[np.float64],
        grow_BC: NDArray[np.float64], prior_BC: NDArray[np.float64], possible_C: NDArray[np.int64],
    ) -> None:  # fmt: skip
        count = len(blank_B)
        olds, grown = kept[kept < count], kept[kept >= count] - count
        parents, places = np.divmod(grown, max(1, len(possible_C)))
        followers = possible_C[places] if len(possible_C) else places
        parent_nodes = self.node_B[parents]
        new_keys = self.key_B[parents]
        if self.language_model is not None:
            new_keys = self.language_model.push(new_keys, followers)
        self.prior_B = np.concatenate([self.prior_B[olds], prior_BC[parents, places]])
        self.blank_B = np.concatenate([blank_B[olds], np.full(len(grown), _NEVER)])
        self.character_B = np.concatenate([stay_B[olds], grow_BC[parents, places]])
        self.node_B = np.concatenate([self.node_B[olds], self._name(parent_nodes, followers)])
        self.parent_B = np.concatenate([self.parent_B[olds], parent_nodes])
        self.last_B = np.concatenate([self.last_B[olds], followers])
        self.key_B = np.concatenate([self.key_B[olds], new_keys])
        self.rows_BK = np.concatenate([self.rows_BK[olds], self._foretell(new_keys)])

    def _name(self, parents: NDArray[np.int64], followers: NDArray[np.int64]) -> NDArray[np.int64]:
        names = []
        for node in zip(parents.tolist(), followers.tolist(), strict=True):
            if node not in self.known:
                self.known[node] = len(self.nodes)
                self.nodes.append(node)
            names.append(self.known[node])
        return np.array(names, dtype=np.int64)

    def _foretell(self, keys: NDArray[np.uint64]) -> NDArray[np.float64]:
        if self.language_model is None or not len(keys):
            return np.zeros((len(keys), self.outputs))
        rows = [self.language_model.row(key) for key in keys.tolist()]
        return self.settings.weight * np.stack(rows).astype(np.float64)

    def list_found(self) -> list[Found]:
        """Return the texts, the likeliest first."""
        scores_B = np.logaddexp(self.blank_B, self.character_B) + self.prior_B
        shares_B = np.exp(scores_B - np.logaddexp.reduce(scores_B))
        order_B = np.argsort(-scores_B, kind="stable")
        return [
            Found(self._spell(int(self.node_B[place])), float(shares_B[place])) for place in order_B
        ]

    def _spell(self, node: int) -> tuple[int, ...]:
        indices = []
        while node:
            node, index = self.nodes[node]
            indices.append(index)
        return tuple(reversed(indices))


def align(log_TK: Float32Array, indices: Sequence[int]) -> list[Span]:
    """Return where each character of a text was seen, on the likeliest way through the steps.

    Steps must be enough for the text; a search finds no text for which they are not.
    """
    if not indices:
        return []
    states_S = np.full(2 * len(indices) + 1, BLANK)
    states_S[1::2] = indices
    may_skip_S = np.zeros(len(states_S), dtype=bool)
    may_skip_S[3::2] = states_S[3::2] != states_S[1:-2:2]
    emitted_TS = log_TK.astype(np.float64)[:, states_S]
    back_TS = np.zeros(emitted_TS.shape, dtype=np.int8)
    best_S = np.full(len(states_S), _NEVER)
    best_S[:2] = emitted_TS[0, :2]
    for step in range(1, len(emitted_TS)):
        ways_3S = np.full((3, len(states_S)), _NEVER)
        ways_3S[0] = best_S
        ways_3S[1, 1:] = best_S[:-1]
        ways_3S[2, 2:] = np.where(may_skip_S[2:], best_S[:-2], _NEVER)
        back_TS[step] = ways_3S.argmax(axis=0)
        best_S = ways_3S.max(axis=0) + emitted_TS[step]
    state = len(states_S) - 1 if best_S[-1] >= best_S[-2] else len(states_S) - 2
    path_T = np.zeros(len(emitted_TS), dtype=np.int64)
    for step in range(len(emitted_TS) - 1, -1, -1):
        path_T[step] = state
        state -= int(back_TS[step, state])
    steps = [np.flatnonzero(path_T == 2 * place + 1) for place in range(len(indices))]
    return [Span(int(some[0]), int(some[-1])) for some in steps]
