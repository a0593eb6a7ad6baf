"""The searches reach what is known exactly within a stated budget, repeat themselves, and never lose to their start."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.search.annealing import annealing, random_search
from procurement.engine.search.bounds import PoissonProblems
from procurement.engine.search.genetic import genetic
from procurement.engine.search.types import Budget, Space

SEARCHES = [genetic, annealing, random_search]
MEAN, HOLDING, STOCKOUT, FIXED = (
    [6.0, 2.0, 15.0, 0.4],
    [1.0, 1.0, 1.0, 2.0],
    [4.0, 19.0, 9.0, 30.0],
    [5.0, 64.0, 40.0, 9.0],
)
SPACE = Space(np.tile([-20.0, 1.0], (4, 1)), np.tile([60.0, 100.0], (4, 1)), True)
FAR = np.tile([40.0, 60.0], (4, 1))


@pytest.fixture(scope="module")
def problems():
    return PoissonProblems(MEAN, HOLDING, STOCKOUT, FIXED)


@pytest.mark.parametrize("search", [genetic, annealing])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_hundred_candidates_come_within_one_percent_of_the_exact_policy(problems, search, seed):
    bound = problems.best()[:, 2]

    found = search(problems.objective(), SPACE, FAR, Budget(400), seed=seed)

    assert found.evaluations == 400
    assert (found.gap(bound) >= -1e-9).all()
    assert found.gap(bound).max() < 0.01


def test_the_exact_bound_is_the_textbooks(problems):
    assert problems.best()[0] == pytest.approx([4.0, 10.0, 8.0341], abs=5e-5)
    assert problems.cost(MEAN_s := np.array([4, 3, 10, 1]), MEAN_s + 6)[0] == pytest.approx(8.0341, abs=5e-5)


@pytest.mark.parametrize("search", SEARCHES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_path(problems, search):
    first, again, other = (search(problems.objective(), SPACE, FAR, Budget(60), seed=s) for s in (5, 5, 6))

    assert first.trace.tobytes() == again.trace.tobytes()
    assert first.best.tobytes() == again.best.tobytes()
    assert first.trace.tobytes() != other.trace.tobytes()


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("evaluations", [1, 2, 5, 30, 31])
def test_the_budget_is_kept_and_the_start_never_beaten_by_the_answer(problems, search, evaluations):
    asked = []

    def counted(candidates):
        asked.append(len(candidates))
        return problems.objective()(candidates)

    best = problems.best()
    start = np.stack([best[:, 0], best[:, 1] - best[:, 0]], axis=1)
    found = search(counted, SPACE, start, Budget(evaluations), seed=0)

    assert sum(asked) == found.evaluations == evaluations
    assert found.best.tolist() == start.tolist()
    assert found.cost.tolist() == found.start_cost.tolist()


@pytest.mark.parametrize("search", SEARCHES)
def test_candidates_stay_inside_the_space_and_whole(search):
    seen = []

    def cost(candidates):
        seen.append(candidates)
        return np.abs(candidates - 2.3).sum(axis=2)

    space = Space(np.array([[0.5, -1.0]]), np.array([[7.5, 4.0]]), [True, False])
    found = search(cost, space, np.array([[7.0, 4.0]]), Budget(200), seed=1)

    all_seen = np.concatenate(seen)[:, 0]
    assert (all_seen >= [1.0, -1.0]).all()
    assert (all_seen <= [7.0, 4.0]).all()
    assert (all_seen[:, 0] == np.round(all_seen[:, 0])).all()
    assert found.best[0, 0] == 2.0
    assert found.best[0, 1] == pytest.approx(2.3, abs=0.3)


def test_seconds_end_a_search_by_the_clock_that_is_passed_in():
    ticks = iter(range(10_000))

    found = genetic(lambda c: c.sum(axis=2), Space([[0.0]], [[1.0]]), np.array([[1.0]]),
                    Budget(10_000, seconds=50, clock=lambda: float(next(ticks))), seed=0)  # fmt: skip

    assert 20 < found.evaluations < 10_000


def test_the_trace_falls_to_the_answer(problems):
    found = genetic(problems.objective(), SPACE, FAR, Budget(200), seed=4)

    assert found.trace[0].tolist() == [1.0, found.start_cost.mean()]
    assert found.trace[-1].tolist() == [200.0, found.cost.mean()]
    assert (np.diff(found.trace[:, 1]) <= 0.0).all()


def test_what_cannot_be_searched_is_refused_by_name():
    space, cost = Space([[0.0]], [[1.0]]), lambda c: c.sum(axis=2)
    wrong = [
        ("evaluations", lambda: Budget(0)),
        ("seconds", lambda: Budget(1, seconds=0.0, clock=lambda: 0.0)),
        ("clock", lambda: Budget(1, seconds=1.0)),
        ("low", lambda: Space([[2.0]], [[1.0]])),
        ("low", lambda: Space([[0.2]], [[0.8]], True)),
        ("high", lambda: Space([[0.0]], [[float("nan")]])),
        ("start", lambda: genetic(cost, space, np.zeros((2, 1)), Budget(5), seed=0)),
        ("start", lambda: genetic(lambda c: c.sum(axis=2) * np.nan, space, np.zeros((1, 1)), Budget(5), seed=0)),
        ("seed", lambda: annealing(cost, space, np.zeros((1, 1)), Budget(5), seed=-1)),
        ("population", lambda: genetic(cost, space, np.zeros((1, 1)), Budget(5), seed=0, population=3)),
        ("chains", lambda: annealing(cost, space, np.zeros((1, 1)), Budget(5), seed=0, chains=0)),
        ("mean", lambda: PoissonProblems([0.0], [1.0], [1.0], [1.0])),
    ]
    for name, make in wrong:
        with pytest.raises(ParameterError) as refused:
            make()
        assert refused.value.parameter == name
