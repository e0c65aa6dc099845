"""`cors-conformance variants`: silence, a false accusation, and what it refuses."""

from dataclasses import replace
from typing import Final

import pytest

from cors_conformance import cli, variants_command
from cors_conformance.mutants import MUTANTS
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Level
from cors_conformance.variants import Variant

WRONG: Final = Variant(
    id="wrong",
    freedom="None at all.",
    implementation=MUTANTS["credentials-titled"].implementation,
)
PROGRAM: Final = ("variants", "--processes", "1", "--profile")


@pytest.fixture(autouse=True)
def _one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants_command, "RULES", {"syn-acac": RULES["syn-acac"]})


def test_a_line_per_run_and_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*PROGRAM, "quick", "reference", "writes-*"]) == variants_command.SILENCE
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("reference: ")
    assert second.startswith("writes-stars: ")
    assert second.endswith(", 0 findings")
    assert last.startswith("2 runs of 2 middlewares, ")


def test_seeds_of_random_runs_are_told_and_can_be_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(PROFILES["quick"], is_deterministic=False)
    monkeypatch.setattr(variants_command, "PROFILES", {"long": short})
    assert cli.main([*PROGRAM, "long", "no-max-age", "--seed", "7"]) == variants_command.SILENCE
    assert capsys.readouterr().out.startswith("no-max-age: seed 7, ")


def test_an_accusation_is_told_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants_command, "VARIANTS", {"wrong": WRONG})
    monkeypatch.setattr(variants_command, "_NAMES", ("reference", "wrong"))
    assert cli.main([*PROGRAM, "quick", "wrong"]) == variants_command.FINDING
    printed = capsys.readouterr().out
    assert "wrong: " in printed
    assert ", 1 findings" in printed
    assert "    MUST syn-acac: " in printed
    assert "access-control-allow-credentials: True" in printed


def test_what_is_worth_knowing_is_noted_and_no_accusation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = replace(RULES["syn-acac"], level=Level.INFO)
    monkeypatch.setattr(variants_command, "RULES", {"syn-acac": noted})
    monkeypatch.setattr(variants_command, "VARIANTS", {"wrong": WRONG})
    monkeypatch.setattr(variants_command, "_NAMES", ("reference", "wrong"))
    assert cli.main([*PROGRAM, "quick", "wrong"]) == variants_command.SILENCE
    assert ", 0 findings; noted: syn-acac\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-*"], "no variant matches 'no-such-*'; there are reference, "),
        (["--runs", "2"], "the same; take --profile long without --seed"),
        (["--runs", "2", "--profile", "long", "--seed", "1"], "the same; take --profile long"),
    ],
)
def test_what_says_nothing_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["variants", *arguments]) == variants_command.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["mutants", "variants"])
@pytest.mark.parametrize("number", ["0", "-2", "many"])
def test_no_run_and_no_process_is_bad_input(
    command: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--processes"] if command == "mutants" else ["--processes", "--runs"]
    for option in options:
        with pytest.raises(SystemExit) as ended:
            cli.main([command, f"{option}={number}"])
        assert ended.value.code == 2
        assert f"argument {option}: " in capsys.readouterr().err
