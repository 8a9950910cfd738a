"""VGGish and the music-tagging VGG: input, sizes, weights, devices."""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from automix.audio.samples import Audio
from automix.errors import DeviceError, UsageError
from automix.networks import music_tagging_vgg, vggish
from automix.networks.checkpoints import load_into, read_tensors
from automix.networks.device import choose_device
from automix.networks.embedders import make_embedder
from automix.networks.music_tagging_vgg import MusicTaggingVgg
from automix.networks.vggish import Vggish

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of a music-tagging VGG."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "tagging.safetensors"
    save_file(MusicTaggingVgg().state_dict(), path)
    return path


def test_vggish_has_the_published_size_and_the_names_of_the_port():
    with torch.device("meta"):
        network = Vggish()
    assert sum(p.numel() for p in network.parameters()) == 72_141_184
    names = [f"features.{n}.{x}" for n in (0, 3, 6, 8, 11, 13) for x in ("weight", "bias")]
    names += [f"embeddings.{n}.{x}" for n in (0, 2, 4) for x in ("weight", "bias")]
    assert list(network.state_dict()) == names
    assert network.features[0].weight.shape == (64, 1, 3, 3)
    assert network.embeddings[0].weight.shape == (4096, 12288)


def test_vggish_flattens_time_then_band_then_channel():
    network = Vggish()
    seen = []
    network.embeddings = torch.nn.Sequential(torch.nn.Identity())
    network.embeddings.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    patches = torch.rand(2, 96, 64, generator=torch.Generator().manual_seed(0))
    maps = network.features(patches[:, None])
    network(patches)
    assert maps.shape == (2, 512, 6, 4)
    for time, band, channel in ((0, 0, 5), (0, 3, 0), (5, 2, 511)):
        at = (time * 4 + band) * 512 + channel
        torch.testing.assert_close(seen[0][:, at], maps[:, channel, time, band])


def test_the_mel_bands_of_vggish_are_triangles_over_the_mel_scale():
    bank = vggish.mel_bank().double().numpy()
    assert bank.shape == (257, 64)
    assert not bank[0].any()
    mel = 1127 * np.log(1 + np.arange(257) * 16000 / 512 / 700)
    edges = np.linspace(*(1127 * np.log(1 + np.array([125, 7500]) / 700)), 66)
    for band in (0, 20, 63):
        expected = np.interp(mel, edges[band : band + 3], [0, 1, 0])
        np.testing.assert_allclose(bank[:, band], expected, atol=1e-6)


def test_the_input_of_vggish_is_that_of_a_spectrogram_written_out():
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, vggish.FRAME_SAMPLES)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    spectra = [np.abs(np.fft.rfft(samples[k * 160 :][:400] * window, 512)) for k in range(96)]
    expected = np.log(np.array(spectra) @ vggish.mel_bank().numpy() + 0.01)
    found = vggish.log_mel(torch.tensor(samples[None], dtype=torch.float32))
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-4)


def test_the_music_tagging_network_hears_three_seconds():
    patches = music_tagging_vgg.log_mel(torch.rand(2, music_tagging_vgg.FRAME_SAMPLES))
    assert patches.shape == (2, 187, 96)
    network = MusicTaggingVgg().eval()
    assert network(patches).shape == (2, 256)
    weights = 128 * (9 + 1) + 4 * 128 * (9 * 128 + 1) + 5 * 2 * 128 + 2
    assert sum(p.numel() for p in network.parameters()) == weights


def test_a_tone_sounds_in_its_band_of_the_tagging_input():
    time_s = torch.arange(music_tagging_vgg.FRAME_SAMPLES) / 16000
    patches = music_tagging_vgg.log_mel(torch.sin(2 * torch.pi * 1000 * time_s)[None])
    # Slaney's scale: 15 mel at 1 kHz, 45.2 at 8 kHz, so band 15/45.2 · 97 − 1
    assert abs(int(patches[0, 90].argmax()) - 31) <= 1


def test_every_frame_gives_one_vector_and_a_short_source_too(weights):
    rng = np.random.default_rng(3)
    embedder = make_embedder("music-tagging-vgg", weights, CPU)
    long = Audio(rng.uniform(-1, 1, (2, 44_100 * 7)).astype(np.float32), 44_100)
    assert embedder.embeddings(long).shape == (2, 256)
    short = Audio(rng.uniform(-1, 1, (1, 50)).astype(np.float32), 44_100)
    assert np.isfinite(embedder.embeddings(short)).all()
    plain = make_embedder("mel-statistics", None, CPU)
    assert plain.embeddings(long).shape == (7, 128)


def test_batches_do_not_change_the_embeddings(monkeypatch):
    audio = Audio(np.random.default_rng(4).uniform(-1, 1, (1, 160_000)).astype("f4"), 16_000)
    embedder = make_embedder("mel-statistics", None, CPU)
    whole = embedder.embeddings(audio)
    monkeypatch.setattr("automix.networks.embedders._BATCH", 3)
    np.testing.assert_allclose(embedder.embeddings(audio), whole, rtol=1e-5)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_come_back_from_both_formats(tmp_path, weights, suffix):
    tensors = read_tensors(weights)
    path = tmp_path / f"copy.{suffix}"
    if suffix == "pth":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    for name, tensor in read_tensors(path).items():
        torch.testing.assert_close(tensor, tensors[name], rtol=0, atol=0)


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return (os.mkdir, (self.folder,))


def test_a_pickle_runs_no_code_whatever_its_name(tmp_path):
    evil = {"a": Malicious(tmp_path / "ran")}
    for name in ("evil.pth", "evil.pt", "evil.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps(evil))
        with pytest.raises(DeviceError, match=name):
            read_tensors(tmp_path / name)
        torch.save(evil, tmp_path / name)
        with pytest.raises(DeviceError, match=name):
            read_tensors(tmp_path / name)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(evil))
    assert (tmp_path / "ran").exists()  # it would have


def test_broken_and_foreign_weights_are_refused(tmp_path, weights):
    content = weights.read_bytes()
    for cut in (0, 5, 100, len(content) - 1):
        (tmp_path / "cut.safetensors").write_bytes(content[:cut])
        with pytest.raises(DeviceError, match=r"cut\.safetensors"):
            read_tensors(tmp_path / "cut.safetensors")
    with pytest.raises(DeviceError, match="no such file"):
        read_tensors(tmp_path / "gone.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(DeviceError, match="state dict"):
        read_tensors(tmp_path / "list.pth")
    tensors = read_tensors(weights)
    for change, message in (
        ({"conv1.bias": torch.zeros(3)}, r"\(3,\) instead of \(128,\)"),
        ({"conv1.bias": torch.full((128,), torch.nan)}, "NaN"),
    ):
        with pytest.raises(DeviceError, match=message):
            load_into(MusicTaggingVgg(), tensors | change, weights)
    tensors.pop("conv1.bias")
    with pytest.raises(DeviceError, match=r"no 'conv1.bias'"):
        load_into(MusicTaggingVgg(), tensors, weights)


def test_weights_go_with_networks_only(weights):
    with pytest.raises(UsageError, match="needs --weights"):
        make_embedder("vggish", None, CPU)
    with pytest.raises(UsageError, match="goes with"):
        make_embedder("mel-statistics", weights, CPU)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "cuda:999", ""])
def test_devices_that_are_not_there_are_refused(name):
    with pytest.raises(DeviceError, match="--device"):
        choose_device(name)


def test_auto_takes_cuda_where_there_is_one():
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="no CUDA device"):
            choose_device("cuda")
