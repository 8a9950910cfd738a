import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from automix.benchmark import comparisons
from automix.benchmark.table import BenchmarkRow, Measurement, Missing
from automix.cli.bench import bench
from automix.errors import OutputError


@pytest.fixture
def run(monkeypatch):
    """Runs the command on measurements of our own, by number."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)

    def call(measurements, *arguments):
        table = tuple(
            BenchmarkRow(
                number=number,
                what=f"what {number} is",
                unit="MB" if number == "P8" else "s",
                pass_ratio=2,
                stretch_ratio=1.3,
                measure=measure if callable(measure) else lambda _, given=measure: given,
            )
            for number, measure in measurements.items()
        )
        monkeypatch.setattr(comparisons, "COMPARISONS", table)
        return CliRunner().invoke(app, list(arguments))

    return call


def missing(workbench):
    raise Missing("librosa")


def failing(workbench):
    raise OutputError("the disk is full")


GOOD = Measurement(ours=0.6, reference=0.4, note="CPU time 0.9 s")
LARGE = Measurement(ours=250.4, reference=100.0)


def test_the_table_shows_figures_ratio_limits_verdict_notes_and_the_machine(run):
    result = run({"P1": GOOD, "P5": missing, "P8": LARGE})
    assert result.exit_code == 0
    lines = result.stdout.splitlines()

    def cells(number):
        return " ".join(next(line for line in lines if line.startswith(number)).split())

    assert cells("P1") == "P1 what P1 is 0.600 s 0.400 s 1.50 ≤ 2 ≤ 1.3 pass"
    assert cells("P5") == "P5 what P5 is – – – ≤ 2 ≤ 1.3 not measured: needs librosa"
    assert cells("P8") == "P8 what P8 is 250 MB 100 MB 2.50 ≤ 2 ≤ 1.3 miss"
    assert "P1  CPU time 0.9 s" in lines
    described = result.stdout.partition("median of 5")[2]
    for fact in ("processor", "cores", "load", "python", "numpy"):
        assert fact in described


def test_json_is_one_document(run):
    result = run({"P1": GOOD, "P5": missing}, "--json", "--runs", "3")
    document = json.loads(result.stdout)
    assert document["runs"] == 3
    assert document["machine"]["python"]
    first, second = document["rows"]
    assert first["automix"] == 0.6
    assert first["ratio"] == pytest.approx(1.5)
    assert (first["pass"], first["stretch"], first["verdict"]) == (2, 1.3, "pass")
    assert second["ratio"] is None
    assert second["verdict"] == "not measured: needs librosa"


def test_a_row_that_fails_ends_with_status_1_after_the_others(run):
    result = run({"P1": failing, "P8": LARGE})
    assert result.exit_code == 1
    assert "failed: the disk is full" in result.stdout
    assert "250 MB" in result.stdout


def test_only_measures_what_was_asked(run):
    result = run({"P1": failing, "P8": LARGE}, "--only", "p8")
    assert result.exit_code == 0
    assert "P1" not in result.stdout


def test_an_unknown_row_is_a_usage_error(run):
    result = run({"P1": GOOD}, "--only", "P99")
    assert result.exit_code == 2
    assert "P99" in result.stderr


def test_the_folder_is_made_and_scratch_files_are_removed(run, tmp_path):
    seen = []

    def look(workbench):
        seen.append(workbench)
        (workbench.scratch / "mix.wav").write_bytes(b"mix")
        (workbench.folder / "song.wav").write_bytes(b"song")
        return GOOD

    folder = tmp_path / "new" / "references"
    assert run({"P1": look}, "--folder", str(folder)).exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["song.wav"]
    assert run({"P1": look}).exit_code == 0
    assert not seen[1].folder.exists()


def test_a_folder_that_cannot_be_made_is_an_output_error(run, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    result = run({"P1": GOOD}, "--folder", str(tmp_path / "file" / "below"))
    assert result.exit_code == 4
    assert "file/below" in result.stderr


def test_importing_the_command_loads_nothing_heavy():
    code = (
        "import sys, automix.cli.bench\n"
        "heavy = {'numpy', 'numba', 'librosa', 'pyloudnorm', 'soundfile', 'scipy', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"
