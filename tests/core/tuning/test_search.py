"""A search in one process: what is tried, what is kept, and how it is gone on with."""

import math
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from searches import EPOCHS, Notes, make_search, slide_into_bowl

from bukva.core.tuning.search import Search
from bukva.core.tuning.trials import choose_best, tabulate_trials
from bukva.core.tuning.work import work_through
from bukva.errors import NonFiniteLossError, TuningError
from bukva.tasks.glyph.parameters import TrainingParameters


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


def trials_of(search: Search) -> pd.DataFrame:
    return tabulate_trials(search.open().trials(), search.parameters.space)


def run(url: str, **changes: object) -> pd.DataFrame:
    search = make_search(url, **changes)
    work_through(search)
    return trials_of(search)


VALUES = ["learning_rate", "augmentation.slant"]


def test_the_first_trial_is_what_stands_in_conf(url):
    base = TrainingParameters(corpora={"strokes": 1.0}, learning_rate=0.02)
    first = run(url, base=base, trials=1).iloc[0]
    assert first[VALUES].to_list() == [0.02, base.augmentation.slant]


def test_a_search_finds_better_than_it_began_with(url):
    trials = run(url, trials=25)
    assert list(trials["state"]) == ["complete"] * 25
    # The lowest loss is that of the last epoch.
    expected = [
        math.log10(rate / 0.01) ** 2 + (slant - 0.5) ** 2 + 1 / EPOCHS
        for rate, slant in trials[VALUES].to_numpy()
    ]
    assert trials["value"].to_list() == pytest.approx(expected)
    best = choose_best(trials, make_search(url).parameters)
    assert best["value"] == trials["value"].min() < trials["value"][0]
    late = trials["value"][12:].median()
    assert late < trials["value"][1:5].median()


def test_the_most_is_best_of_an_accuracy(url):
    trials = run(url, trials=8, measure="valid_label_accuracy")
    parameters = make_search(url, measure="valid_label_accuracy").parameters
    assert choose_best(trials, parameters)["value"] == trials["value"].max()


def test_a_stopped_search_goes_on_as_if_it_had_not_been_stopped(url, tmp_path):
    run(url, trials=3)
    run(url, trials=5)
    parts = run(url, trials=9)
    whole = run(f"sqlite:///{tmp_path}/whole.db", trials=9)
    pd.testing.assert_frame_equal(parts[VALUES], whole[VALUES])
    assert len(run(url, trials=9)) == 9


def test_another_seed_draws_other_values(url, tmp_path):
    one, other = run(url, trials=3), run(f"sqlite:///{tmp_path}/other.db", trials=3, seed=2)
    assert (one[VALUES].iloc[1:] != other[VALUES].iloc[1:]).all(axis=None)


def test_each_trial_is_observed(url):
    notes = Notes()
    trials = run(url, observer=notes, trials=2)
    assert notes.states == {"trial 0": "complete", "trial 1": "complete"}
    assert notes.rows == {"trial 0": EPOCHS, "trial 1": EPOCHS}
    assert list(notes.values["trial 1"].values()) == trials[VALUES].iloc[1].to_list()


PRUNERS = [{"name": "median", "warmup_epochs": 1}, {"name": "halving", "warmup_epochs": 1}]


@pytest.mark.parametrize("pruner", PRUNERS)
def test_trials_that_go_badly_are_stopped_early(url, pruner):
    notes = Notes()
    trials = run(url, observer=notes, pruner=pruner, trials=20)
    pruned, complete = (trials[trials["state"].eq(state)] for state in ("pruned", "complete"))
    assert len(pruned) + len(complete) == 20
    assert 0 < len(pruned) < 20
    assert (pruned["epochs"] < EPOCHS).any()
    assert pruned["value"].median() > complete["value"].median()
    assert list(notes.states.values()) == trials["state"].to_list()


def explode(parameters, on_epoch):
    if parameters.learning_rate > 0.006:
        raise NonFiniteLossError("the loss became nan")
    return slide_into_bowl(parameters, on_epoch)


def test_parameters_that_break_the_training_are_known_to_be_bad(url):
    trials = run(url, train=explode, trials=10)
    broken = trials[trials["learning_rate"] > 0.006]
    assert len(trials) == 10
    assert 0 < len(broken) < 10
    assert set(broken["state"]) == {"pruned"}
    assert set(broken["error"]) == {"the loss became nan"}
    assert trials.drop(broken.index)["error"].isna().all()


def test_what_is_wrong_with_the_training_ends_the_search(url):
    def fail(parameters, on_epoch):
        raise ZeroDivisionError

    notes = Notes()
    with pytest.raises(ZeroDivisionError):
        run(url, train=fail, observer=notes)
    assert notes.states == {"trial 0": "failed"}


def test_an_interrupted_trial_is_tried_again_by_the_next_run(url):
    def interrupt(parameters, on_epoch):
        raise KeyboardInterrupt

    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        run(url, train=interrupt, observer=notes)
    assert notes.states == {"trial 0": "killed"}
    trials = run(url, trials=2)
    assert trials["state"].to_list() == ["fail", "complete", "complete"]
    assert trials["retry_of"].to_list()[1] == 0
    assert trials[VALUES].iloc[1].to_list() == trials[VALUES].iloc[0].to_list()


def test_a_measure_that_the_samples_do_not_have_is_named(url):
    with pytest.raises(TuningError, match=r"valid_case_accuracy of trial 0 .* got nan"):
        run(url, measure="valid_case_accuracy")


def test_no_trial_begins_when_the_time_is_up(url):
    search = make_search(url, timeout_s=1e-9)
    work_through(search)
    trials = trials_of(search)
    assert trials["state"].to_list() == ["waiting"]
    with pytest.raises(TuningError, match="Expected a finished trial in study 'bowl'"):
        choose_best(trials, search.parameters)


OTHERS = {
    "data": {"data_digest": "other data"},
    "space": {"space": {"learning_rate": {"low": 0.1, "high": 0.2}}},
    "measure": {"measure": "valid_label_accuracy"},
    "epochs": {"epochs": 2},
    "what is not searched": {"base": TrainingParameters(corpora={"strokes": 1.0}, dropout=0.1)},
    "weights of the measure": {"valid_class_balance": 0.0},
}


# That what stands in conf lies outside of what is searched is said to whoever searches so.
@pytest.mark.filterwarnings("ignore:Fixed parameter")
@pytest.mark.parametrize("name", OTHERS)
def test_trials_that_cannot_be_compared_are_kept_apart(url, name):
    run(url, trials=1)
    with pytest.raises(TuningError, match=r"Give tuning\.study another name"):
        run(url, **OTHERS[name])
    assert len(run(url, study="another", **OTHERS[name], trials=1)) == 1


def test_a_search_goes_on_from_what_it_found(url):
    """The best values, once finetuning reads them, are no other study."""
    run(url, trials=2)
    base = TrainingParameters(corpora={"strokes": 1.0}, learning_rate=0.05, max_epochs=7)
    assert len(run(url, base=base, trials=3, timeout_s=60.0, retries=1)) == 3


def test_a_study_stored_before_this_release_goes_on(url, tmp_path):
    """Four trials and one that was interrupted, as the revision before wrote them."""
    stored = (Path(__file__).parent / "stored_study.sql").read_text()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        database.executescript(stored)
    trials = run(url, trials=9)
    assert trials["state"].to_list() == ["complete"] * 4 + ["fail"] + ["complete"] * 5
    assert trials["retry_of"].to_list()[5] == 4
    whole = run(f"sqlite:///{tmp_path}/whole.db", trials=4)
    pd.testing.assert_frame_equal(trials[VALUES].iloc[:4], whole[VALUES])
