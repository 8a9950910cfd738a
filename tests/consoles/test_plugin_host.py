"""Every fault a plug-in can have, in real child processes with fake plug-ins.

The child imports this file to load the fakes; a fake behaves as its file's name says.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from automix.consoles.plugin.host import process
from automix.consoles.plugin.mapping import PluginCall
from automix.errors import OutputError, PluginError

SAMPLE_RATE = 44100
FAKE = "test_plugin_host:FakePlugin"
NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 1000)).astype(np.float32)


class FakePlugin:
    parameters = ("gain", "mode")

    def __init__(self, plugin: Path):
        self.kind = plugin.stem
        self.folder = plugin.parent
        if self.kind == "CrashOnLoad":
            os.kill(os.getpid(), signal.SIGABRT)

    def __setattr__(self, name, value):
        if name == "gain" and not 0 <= value <= 10:
            raise ValueError(f"{value} is out of range [0, 10]")
        super().__setattr__(name, value)

    def process(self, samples, sample_rate, reset):
        assert reset
        assert sample_rate == SAMPLE_RATE
        return getattr(self, self.kind.lower())(samples)

    def gain_(self, samples):
        return samples * np.float32(self.gain)

    def square(self, samples):
        return samples**2

    def stereoonly(self, samples):
        if len(samples) != 2:
            raise ValueError("does not support 1-channel output")
        return samples

    def crash(self, samples):
        os.kill(os.getpid(), signal.SIGSEGV)

    def chatter(self, samples):
        if os.write(2, b"x" * 10_000_000) < 10_000_000:
            raise RuntimeError("cut short")

    def leave(self, samples):
        os._exit(3)

    def hang(self, samples):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        helper = subprocess.Popen(["sleep", "60"])
        (self.folder / "pids").write_text(f"{os.getpid()} {helper.pid}")
        time.sleep(60)

    def raises(self, samples):
        raise RuntimeError("license not found")

    def nan(self, samples):
        samples = samples.copy()
        samples[-1, 500] = np.nan
        return samples

    def infinite(self, samples):
        samples = samples.copy()
        samples[0, 0] = -np.inf
        return samples

    def loud(self, samples):
        return samples * 1e5

    def short(self, samples):
        return samples[:, :-1]

    def transposed(self, samples):
        return samples.T

    def fold(self, samples):
        return samples[:1]

    def nothing(self, samples):
        return None

    def diskfull(self, samples):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        return samples


def load_pedalboard_gain(plugin):
    import pedalboard

    return pedalboard.Gain()


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    """Lets the child import this file, and checks that nothing is left in the temporary folder."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield tmp_path
    assert list(temporary.iterdir()) == []


def run(*plugins, samples=NOISE, time_limit_s=20.0, loader=FAKE):
    calls = [
        PluginCall(Path(plugin), parameters)
        for plugin, parameters in (p if isinstance(p, tuple) else (p, {}) for p in plugins)
    ]
    return process(calls, samples, SAMPLE_RATE, time_limit_s=time_limit_s, loader=loader)


def fault(*plugins, **options):
    with pytest.raises(PluginError) as caught:
        run(*plugins, **options)
    assert "--on-plugin-error skip" in str(caught.value)
    return str(caught.value)


def running_pids(folder):
    """Which of the processes of a Hang are alive; [] also before they have started."""
    path = folder / "pids"
    pids = path.read_text().split() if path.exists() else []
    return [pid for pid in pids if is_running(pid)]


def wait_until_gone(folder):
    """Gives the kernel a moment for processes that were killed but are not our children."""
    for _ in range(100):
        if not running_pids(folder):
            break
        time.sleep(0.02)
    return running_pids(folder) == []


def is_running(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return status != "Z"  # an orphan may wait for init to collect it


def test_audio_passes_through_in_order():
    result = run(("Gain_.vst3", {"gain": 3.0}), "Square.vst3")
    np.testing.assert_array_equal(result, (NOISE * np.float32(3)) ** 2)
    assert result.dtype == np.float32


def test_mono_stays_mono_where_the_plugin_takes_it():
    result = run(("Gain_.vst3", {"gain": 2.0}), samples=NOISE[:1])
    np.testing.assert_array_equal(result, 2 * NOISE[:1])


def test_mono_becomes_stereo_where_the_plugin_wants_it():
    result = run("StereoOnly.vst3", samples=NOISE[:1])
    np.testing.assert_array_equal(result, NOISE[[0, 0]])


def test_pedalboard_gain_is_exact():
    result = run(("Gain.vst3", {"gain_db": -6.0}), loader="test_plugin_host:load_pedalboard_gain")
    np.testing.assert_allclose(result, NOISE * 10 ** (-6 / 20), rtol=3e-7)


def test_pedalboard_parameters_are_listed():
    text = fault(("Gain.vst3", {"volume": 1.0}), loader="test_plugin_host:load_pedalboard_gain")
    assert "has no parameter volume" in text
    assert "gain_db" in text


def test_no_calls_and_no_frames_start_nothing():
    np.testing.assert_array_equal(run(loader="no_such:loader"), NOISE)
    assert run("Crash.vst3", samples=NOISE[:, :0]).shape == (2, 0)


def test_the_working_folder_cannot_shadow_modules(work_folder, monkeypatch):
    (work_folder / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(work_folder)
    np.testing.assert_array_equal(run("Square.vst3"), NOISE**2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "what"),
    [
        ("Crash.vst3", "crashed with SIGSEGV while processing"),
        ("CrashOnLoad.vst3", "crashed with SIGABRT while loading"),
        ("Leave.vst3", "ended its process with status 3 while processing"),
        ("Raises.vst3", "failed while processing: RuntimeError: license not found"),
        ("Nan.vst3", "NaN or infinite"),
        ("Infinite.vst3", "NaN or infinite"),
        ("Loud.vst3", "peak of +88 dBFS"),
        ("Short.vst3", "2 channels of 999 frames for 2 of 1000"),
        ("Transposed.vst3", "1000 channels of 2 frames"),
        ("Fold.vst3", "1 channels of 1000 frames for 2"),
        ("Nothing.vst3", "not audio"),
    ],
)
def test_fault_names_plugin_and_event(plugin, what):
    text = fault("Square.vst3", plugin, "Square.vst3")
    assert text.startswith(f"plug-in {plugin}: ")
    assert what in text


def test_chatter_is_bounded():
    assert "cut short" in fault("Chatter.vst3")


@pytest.mark.slow
def test_hang_is_stopped_with_its_helpers(work_folder):
    text = fault(str(work_folder / "Hang.vst3"), time_limit_s=3.0)
    assert "plug-in Hang.vst3: still processing after 3 s" in text
    assert len((work_folder / "pids").read_text().split()) == 2
    assert wait_until_gone(work_folder)


def test_interrupt_stops_the_child(work_folder):
    def interrupt(*_):
        if running_pids(work_folder):  # else the child is still starting
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(str(work_folder / "Hang.vst3"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert wait_until_gone(work_folder)


def test_orphan_ends_itself(work_folder):
    """The alarm comes 5 s after the limit; a limit of −3 s makes that 2 s."""
    request = {
        "loader": "test_plugin_host:FakePlugin",
        "sample_rate": SAMPLE_RATE,
        "channels": 2,
        "time_limit_s": -3.0,
        "calls": [{"plugin": str(work_folder / "Hang.vst3"), "parameters": {}}],
    }
    (work_folder / "request.json").write_text(json.dumps(request))
    NOISE.tofile(work_folder / "input.f32")
    child = subprocess.run(
        [sys.executable, "-m", "automix.consoles.plugin.child", str(work_folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        timeout=20,
        check=False,
    )
    assert child.returncode == -signal.SIGALRM
    os.kill(int((work_folder / "pids").read_text().split()[1]), signal.SIGKILL)


def test_unknown_parameter_lists_the_known():
    text = fault(("Gain_.vst3", {"gain": 1.0, "Gain": 1.0}))
    assert "has no parameter Gain; its parameters are gain, mode" in text


def test_value_out_of_range_is_refused():
    text = fault(("Gain_.vst3", {"gain": 11.0}))
    assert "refused gain = 11.0: 11.0 is out of range [0, 10]" in text
    assert "gain, mode" in text


def test_a_file_that_is_no_plugin(work_folder):
    (work_folder / "MultiEQ.vst3").write_text("not a plug-in")
    text = fault(
        str(work_folder / "MultiEQ.vst3"), loader="automix.consoles.plugin.child:load_vst3"
    )
    assert "plug-in MultiEQ.vst3: failed while loading" in text


def test_full_disk_is_an_output_error():
    with pytest.raises(OutputError, match="temporary audio"):
        run("DiskFull.vst3")


def test_missing_temporary_folder_is_an_output_error(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    with pytest.raises(OutputError, match="temporary audio"):
        run("Square.vst3")
