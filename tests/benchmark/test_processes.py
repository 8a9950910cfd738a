import subprocess
import sys
import time

import numpy as np
import pytest

from automix.benchmark.processes import (
    CommandFailed,
    Cost,
    alternate,
    compare_calls,
    compare_processes,
    median_cost,
    run_process,
)

MB = 1_000_000


def python(code):
    return [sys.executable, "-S", "-c", code]


def test_an_empty_program_costs_something():
    cost = run_process(python("pass"))
    assert cost.wall_s > 0
    assert cost.cpu_s > 0
    assert cost.peak_bytes > MB


def test_wall_time_includes_waiting_and_cpu_time_does_not():
    cost = run_process(python("import time; time.sleep(0.5)"))
    assert cost.wall_s >= 0.5
    assert cost.cpu_s < 0.5


def test_peak_memory_is_that_of_what_was_allocated_and_freed():
    cost = run_process(python("x = bytearray(b'1') * 200_000_000; del x"))
    assert 200 * MB <= cost.peak_bytes < 300 * MB


def test_peak_memory_includes_processes_that_the_command_starts():
    inner = "x = bytearray(b'1') * 200_000_000"
    cost = run_process(
        python(f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {inner!r}])")
    )
    assert cost.peak_bytes >= 200 * MB


def test_peak_memory_is_not_that_of_the_process_which_measures():
    ballast = np.ones(300 * MB, np.uint8)
    assert run_process(python("pass")).peak_bytes < 100 * MB
    assert ballast[-1]


def test_a_command_that_fails_is_named_with_its_last_words():
    with pytest.raises(CommandFailed, match=r"-S -c … ended with status 7: no luck"):
        run_process(python("import sys; sys.stderr.write('so\\nno luck\\n'); sys.exit(7)"))


def test_a_command_that_is_not_there_is_named():
    with pytest.raises(CommandFailed, match="/nowhere/at-all"):
        run_process(["/nowhere/at-all", "x"])


def test_a_command_that_is_killed_fails():
    with pytest.raises(CommandFailed, match="status -9"):
        run_process(python("import os; os.kill(os.getpid(), 9)"))


def test_output_does_not_block_the_command():
    flood = "import sys; sys.stdout.write('x' * 1_000_000); sys.stderr.write('x' * 1_000_000)"
    assert run_process(python(flood)).wall_s > 0


def test_ctrl_c_ends_the_command_too(monkeypatch, tmp_path):
    marker = tmp_path / "marker"
    code = f"import time; time.sleep(2); open({str(marker)!r}, 'w')"

    def interrupted(process):
        time.sleep(0.5)  # the command has begun
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_process(python(code))
    time.sleep(2)
    assert not marker.exists()


def test_calls_take_turns_after_one_round_that_does_not_count():
    order = []

    def call(name):
        order.append(name)
        return f"{name}{order.count(name)}"

    results = alternate([lambda: call("a"), lambda: call("b")], 3)
    assert "".join(order) == "ab" * 4
    assert results == [["a2", "a3", "a4"], ["b2", "b3", "b4"]]


def test_the_median_is_taken_of_each_figure():
    costs = [
        Cost(wall_s=1, cpu_s=9, peak_bytes=20),
        Cost(wall_s=5, cpu_s=2, peak_bytes=10),
        Cost(wall_s=2, cpu_s=3, peak_bytes=90),
    ]
    assert median_cost(costs) == Cost(wall_s=2, cpu_s=3, peak_bytes=20)


def test_processes_are_compared_in_the_order_given():
    slow, quick = compare_processes([python("import time; time.sleep(0.4)"), python("pass")], 1)
    assert slow.wall_s >= 0.4 > quick.cpu_s


def test_calls_are_timed_one_by_one_and_keep_their_results(monkeypatch):
    clock = iter([0, 1, 10, 12, 100, 101, 200, 202, 300, 305, 400, 402, 500, 503, 600, 602])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    first, second = compare_calls([lambda: "a", lambda: "b"], 3)
    assert (first.seconds, first.result) == (3, "a")  # 1, 5 and 3 after the warm-up
    assert (second.seconds, second.result) == (2, "b")
