"""`cors-conformance benchmarks compare`: what is a change, and what is no result."""

import json
from pathlib import Path
from typing import Any

import pytest

from cors_conformance import cli
from cors_conformance.benchmarks.comparing import Change, NothingInCommon, compare
from cors_conformance.benchmarks.results import (
    BadResults,
    Machine,
    Results,
    Row,
    Share,
    Subject,
    dump,
    load,
)


def share(value: float, reach: float = 0.01) -> Share:
    return Share(value=value, low=value - reach, high=value + reach)


def results(cores: int = 2, **shares: Share) -> Results:
    return Results(
        taken="2026-01-01T00:00:00+00:00",
        commit="",
        machine=Machine(system="Linux", processor="x86_64", cores=cores, python="CPython 3.11.0"),
        confidence=0.999,
        subjects={name: Subject(version="1.0", findings=0) for name in ("starlette", *shares)},
        rows=tuple(
            Row(implementation=name, kind="allowed", added=2.5, shares={"starlette": one})
            for name, one in {"starlette": share(1, 0), **shares}.items()
        ),
    )


def change(old: Share, new: Share) -> Change:
    (found,) = compare(results(mine=old), results(mine=new), "starlette")
    return found


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(dump(results(mine=share(0.2))))
    assert load(path) == results(mine=share(0.2))


def test_what_is_within_the_noise_is_no_change() -> None:
    found = change(share(0.20), share(0.205))
    assert not found.is_significant
    assert not found.is_slower_than(0)


def test_the_noise_of_both_runs_counts() -> None:
    assert change(share(0.20, 0.001), share(0.215, 0.001)).is_significant
    assert not change(share(0.20, 0.02), share(0.215, 0.001)).is_significant
    assert not change(share(0.20, 0.001), share(0.215, 0.02)).is_significant


def test_a_slow_down_within_the_threshold_is_let_pass() -> None:
    found = change(share(0.20, 0.001), share(0.22, 0.001))
    assert found.is_significant
    assert found.ratio == pytest.approx(1.1)
    assert found.is_slower_than(0.05)
    assert not found.is_slower_than(0.2)


def test_what_is_faster_is_not_slower() -> None:
    found = change(share(0.22, 0.001), share(0.20, 0.001))
    assert found.is_significant
    assert not found.is_slower_than(0)


def test_the_standard_is_not_compared_with_itself() -> None:
    found = compare(results(mine=share(0.2)), results(mine=share(0.2)), "starlette")
    assert [one.implementation for one in found] == ["mine"]


def test_rows_of_one_run_only_are_left_out() -> None:
    both = results(mine=share(0.2), other=share(0.3))
    assert len(compare(both, results(mine=share(0.2)), "starlette")) == 1
    with pytest.raises(NothingInCommon, match="starlette"):
        compare(results(mine=share(0.2)), results(other=share(0.2)), "starlette")


def test_a_cost_of_nothing_has_no_ratio() -> None:
    old = results(none=share(-0.01), mine=share(0.2))
    assert [one.implementation for one in compare(old, old, "starlette")] == ["mine"]


def write(path: Path, stored: Results, **changed: Any) -> str:
    path.write_text(json.dumps({**json.loads(dump(stored)), **changed}))
    return str(path)


@pytest.mark.parametrize(
    ("new", "options", "status", "verdict"),
    [
        (0.20, [], 0, "no difference"),
        (0.15, [], 0, "faster"),
        (0.215, [], 0, "let pass"),
        (0.30, [], 1, "slower"),
        (0.30, ["--threshold", "60"], 0, "let pass"),
    ],
)
def test_the_exit_status_says_whether_anything_is_slower(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    new: float,
    options: list[str],
    status: int,
    verdict: str,
) -> None:
    files = [
        write(tmp_path / name, results(mine=share(value, 0.001)))
        for name, value in (("old", 0.2), ("new", new))
    ]
    assert cli.main(["benchmarks", "compare", *files, *options]) == status
    assert verdict in capsys.readouterr().out


def test_nothing_is_cut_off_at_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    wide = write(tmp_path / "wide", results(mine=share(0.2, 0.3), other=share(0.2, 0.01)))
    assert cli.main(["benchmarks", "compare", wide, wide]) == 0
    shown = capsys.readouterr().out
    assert "\u2026" not in shown
    for name in ("mine", "other"):
        assert f"\n{name}" in shown


def test_another_machine_and_version_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write(tmp_path / "old", results(mine=share(0.2)))
    subjects = {"mine": {"version": "2.0", "findings": 3}}
    new = write(tmp_path / "new", results(cores=8, mine=share(0.2)), subjects=subjects)
    assert cli.main(["benchmarks", "compare", old, new]) == 0
    shown = capsys.readouterr().out
    assert "2 cores" in shown
    assert "8 cores" in shown
    assert "mine: 1.0, 0 findings -> 2.0, 3 findings" in shown


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read"),
        (b"", "no results of benchmarks"),
        (b"\xff", "no results of benchmarks"),
        (b"[]", "no results of benchmarks"),
        (b"{}", "no results of benchmarks"),
        (dump(results()).replace(b'"format": 1', b'"format": 2'), "format 2, expected 1"),
        (dump(results()).replace(b'"cores": 2', b'"cores": "two"'), r"$.machine.cores"),
        (dump(results()).replace(b'"confidence": 0.999', b'"confidence": 1'), "$.confidence"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, problem: str
) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadResults):
        load(path)
    good = write(tmp_path / "good", results(mine=share(0.2)))
    assert cli.main(["benchmarks", "compare", str(path), good]) == 2
    error = capsys.readouterr().err
    assert "bad.json" in error
    assert problem in error


def test_results_without_the_standard_cannot_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "results", results(mine=share(0.2)))
    assert cli.main(["benchmarks", "compare", path, path, "--relative-to", "nobody"]) == 2
    assert "'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("threshold", ["-1", "nan", "inf", "much"])
def test_a_threshold_is_a_percentage(threshold: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["benchmarks", "compare", "a", "b", f"--threshold={threshold}"])
