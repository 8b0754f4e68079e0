"""A sampler whose draws depend on the trial, not on who draws it or when."""

from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


class NumberedSampler(BaseSampler):
    """A tree-structured Parzen estimator, seeded anew for every trial by the trial's number.

    A study that was stopped and goes on draws what it would have drawn, and two workers never draw
    alike, although both know the same seed.
    """

    def __init__(self, seed: int, startup_trials: int) -> None:
        self._seed = seed
        self._startup_trials = startup_trials
        self._sampler = self._make(0)

    def _make(self, number: int) -> TPESampler:
        return TPESampler(seed=self._seed + number, n_startup_trials=self._startup_trials)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin the draws of one trial."""
        self._sampler = self._make(trial.number)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw them."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one parameter by itself."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Let the estimator see how the trial ended."""
        self._sampler.after_trial(study, trial, state, values)
