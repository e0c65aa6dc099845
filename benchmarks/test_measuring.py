"""What is made of times, with times that nobody measured."""

import random

import pytest

from measuring import (
    Estimate,
    Plan,
    Times,
    costs,
    estimate,
    exponent,
    measure,
    ratio,
    ratio_of_means,
)


def blocks(seed: int, slower: float = 1.0) -> list[Times]:
    draw = random.Random(seed)  # noqa: S311 - noise, not a secret
    made = []
    for _ in range(40):
        speed = draw.choice((1.0, 1.6))
        rounds = [[speed * draw.gauss(1, 0.02) for _ in range(4)] for _ in range(12)]
        made.append(
            {
                "bare": [1 * a for a, _, _, _ in rounds],
                "one": [3 * b for _, b, _, _ in rounds],
                "same": [3 * c * slower for _, _, c, _ in rounds],
                "other": [9 * d for _, _, _, d in rounds],
            }
        )
    return made


def test_the_cost_is_what_is_above_the_bare_application() -> None:
    times = {"bare": [1.0, 2.0, 9.0], "one": [3.0, 4.0, 9.0]}
    assert costs([times], "one", "bare") == [2.0]


def test_a_share_is_one_of_costs_and_not_of_times() -> None:
    share = ratio(blocks(0), ("one", "bare"), ("other", "bare"))
    assert share.low < 2 / 8 < share.high
    assert share.high - share.low < 0.02


def test_the_same_twice_is_no_difference() -> None:
    found = [
        ratio(blocks(seed), ("one", "bare"), ("same", "bare")).differs_from_one()
        for seed in range(50)
    ]
    assert sum(found) <= 1


def test_five_per_cent_are_found() -> None:
    assert all(
        ratio(blocks(seed, 1.05), ("same", "bare"), ("one", "bare")).low > 1 for seed in range(20)
    )


def noisy(seed: int) -> list[Times]:
    draw = random.Random(seed)  # noqa: S311 - noise, not a secret
    whole = {"bare": 50.0, "one": 60.0, "same": 60.0, "other": 80.0}
    return [
        {name: [draw.gauss(time, 8) for _ in range(10)] for name, time in whole.items()}
        for _ in range(8)
    ]


def test_a_share_is_found_in_noise_that_is_as_large() -> None:
    shares = [ratio_of_means(noisy(seed), ("one", "bare"), ("other", "bare")) for seed in range(20)]
    assert all(share.low < 1 / 3 < share.high for share in shares)
    assert all(share.high - share.low < 0.5 for share in shares)


def test_the_same_twice_is_no_difference_in_noise_either() -> None:
    shares = [ratio_of_means(noisy(seed), ("one", "bare"), ("same", "bare")) for seed in range(20)]
    assert not any(share.differs_from_one() for share in shares)


def test_what_is_compared_with_itself_has_no_interval() -> None:
    share = ratio_of_means(noisy(0), ("one", "bare"), ("one", "bare"))
    assert share == Estimate(value=1, low=1, high=1)


def test_disturbed_blocks_do_not_count() -> None:
    steady = estimate([1.0, 1.01, 0.99] * 10)
    assert estimate([*[1.0, 1.01, 0.99] * 10, 50.0, 80.0]).value == pytest.approx(
        steady.value, abs=0.01
    )


@pytest.mark.parametrize("values", [[1.5], [1.5, 1.5]])
def test_observations_that_agree_have_no_interval(values: list[float]) -> None:
    assert estimate(values) == Estimate(value=1.5, low=1.5, high=1.5)


def test_everybody_has_a_turn_in_each_round() -> None:
    calls = {"one": 0, "two": 0}

    def count(name: str) -> None:
        calls[name] += 1

    made = measure(
        lambda: {"one": lambda: count("one"), "two": lambda: count("two")},
        Plan(blocks=2, rounds=3, turn=0.0),
    )
    assert [{name: len(times) for name, times in block.items()} for block in made] == [
        {"one": 3, "two": 3}
    ] * 2
    assert calls["one"] == calls["two"] == 2 * (4 + 3)


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_the_exponent_is_that_of_the_power_law(power: float) -> None:
    sizes = (1, 10, 100, 1000)
    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)
