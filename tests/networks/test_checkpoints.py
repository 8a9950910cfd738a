"""Files of weights that are damaged, lie about their size, or hold garbage are refused."""

import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from automix.errors import DeviceError, OutputError
from automix.networks.checkpoints import (
    load_into,
    read_description,
    read_network,
    read_pickle,
    read_tensors,
    save_tensors,
    save_weights,
    weights_path,
)
from automix.networks.dmc import Dmc
from automix.networks.dmc_description import DmcDescription
from automix.networks.effect_description import EffectDescription
from automix.networks.effect_rendering import render_effect
from automix.networks.effects import make_effect
from automix.networks.mix_wave_u_net import MixWaveUNet
from automix.networks.mix_wave_u_net_description import MixWaveUNetDescription
from automix.networks.vocal_cnn import VocalCnn
from automix.networks.vocal_cnn_description import VocalCnnDescription

ROOT = Path(__file__).parents[2]
SMALL = DmcDescription(embedding=8, width=8, members=1)


@pytest.fixture
def trained(tmp_path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "own.safetensors"
    save_weights(path, "dmc", SMALL, Dmc(SMALL).state_dict())
    return path


def test_what_training_saves_comes_back(trained) -> None:
    network = read_network(trained, "dmc", DmcDescription, Dmc)
    tensors = read_tensors(trained)
    assert network.description == SMALL
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, tensors[name]), name


def test_every_flipped_bit_in_the_values_is_noticed(trained) -> None:
    whole = trained.read_bytes()
    (header,) = struct.unpack("<Q", whole[:8])
    rng = np.random.default_rng(1)
    for place in [8 + header, len(whole) - 1, *rng.integers(8 + header, len(whole), 30)]:
        broken = bytearray(whole)
        broken[place] ^= 1 << int(rng.integers(8))
        trained.write_bytes(broken)
        with pytest.raises(DeviceError, match="checksum"):
            read_network(trained, "dmc", DmcDescription, Dmc)


def test_a_flipped_bit_in_the_header_changes_no_weight(trained) -> None:
    whole = trained.read_bytes()
    (header,) = struct.unpack("<Q", whole[:8])
    wanted = read_tensors(trained)
    rng = np.random.default_rng(2)
    for place in rng.integers(0, 8 + header, 80):
        broken = bytearray(whole)
        broken[place] ^= 1 << int(rng.integers(8))
        trained.write_bytes(broken)
        try:
            network = read_network(trained, "dmc", DmcDescription, Dmc)
        except DeviceError:
            continue
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, wanted[name]), (place, name)


def test_weights_without_a_checksum_load_as_before(tmp_path) -> None:
    shipped = weights_path("dmc-basic")
    assert read_network(shipped, "dmc", DmcDescription, Dmc).description == DmcDescription()
    network = Dmc(SMALL)
    about = {"model": "dmc", "description": json.dumps(asdict(SMALL))}
    save_file(network.state_dict(), tmp_path / "old.safetensors", about)
    again = read_network(tmp_path / "old.safetensors", "dmc", DmcDescription, Dmc)
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])


HUGE = {
    "wave-u-net": ("mix-wave-u-net", MixWaveUNetDescription, MixWaveUNet,
                   {"levels": 8, "channels": 256}),
    "controller": ("dmc", DmcDescription, Dmc, {"width": 4096, "embedding": 1024, "members": 16}),
    "vocal": ("vocal-cnn", VocalCnnDescription, VocalCnn,
              {"hidden": [4096] * 16, "members": 16, "channels": [], "frames": 4096}),
    "many-layers": ("vocal-cnn", VocalCnnDescription, VocalCnn, {"hidden": [4096] * 2000}),
}  # fmt: skip


@pytest.mark.parametrize("kind", HUGE)
def test_a_description_takes_no_memory_that_the_tensors_do_not(tmp_path, kind: str) -> None:
    model, description, make, shape = HUGE[kind]
    path = tmp_path / "huge.safetensors"
    about = {"model": model, "description": json.dumps(shape)}
    save_file({"trust": torch.ones(1)}, path, about)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DeviceError, match=r"huge\.safetensors"):
        read_network(path, model, description, make)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"width": ' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"width": ' + "9" * 10_000 + "}",
        '{"dropout": NaN}',
        '{"width": null}',
        '{"width": "8"}',
        "[1]",
        "7",
        "",
        '{"encoder": "vggish", "embedding": 8}',
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path, text: str) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"trust": torch.ones(1)}, path, {"model": "dmc", "description": text})
    with pytest.raises(DeviceError, match=r"odd\.safetensors"):
        read_network(path, "dmc", DmcDescription, Dmc)
    if "vggish" not in text:
        with pytest.raises(DeviceError, match=r"odd\.safetensors"):
            read_description(path, "dmc", DmcDescription)


def test_tensors_of_another_kind_are_refused(tmp_path) -> None:
    state = Dmc(SMALL).state_dict()
    name = next(iter(state))
    for other in (state[name].to(torch.complex64), state[name].to(torch.int64)):
        with pytest.raises(DeviceError, match="choose another model"):
            load_into(Dmc(SMALL), state | {name: other}, tmp_path / "x.pth")


def pack(path: Path, tensors: object, change) -> None:
    """Saves as PyTorch does, and writes the archive anew with something changed."""
    torch.save(tensors, path)
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
    with zipfile.ZipFile(path, "w", **change(members)) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_compressed_archive_is_not_expanded(tmp_path) -> None:
    path = tmp_path / "bomb.pth"
    zeros = {"weight": torch.zeros(20_000_000)}
    pack(path, zeros, lambda members: {"compression": zipfile.ZIP_DEFLATED})
    assert path.stat().st_size < 1e6
    with pytest.raises(DeviceError, match=r"bomb\.pth: is compressed"):
        read_tensors(path)


def test_a_flipped_bit_in_a_pytorch_file_is_noticed(tmp_path) -> None:
    path = tmp_path / "own.pth"
    torch.save(Dmc(SMALL).state_dict(), path)
    read_tensors(path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        member = max(archive.infolist(), key=lambda member: member.file_size)
    for place in (member.header_offset + 1000, member.header_offset + 1400):
        broken = bytearray(whole)
        broken[place] ^= 16
        path.write_bytes(broken)
        with pytest.raises(DeviceError, match=r"own\.pth: is damaged"):
            read_tensors(path)


class Large:
    """A pickle of a few bytes that asks for a gigabyte."""

    def __reduce__(self):
        return (bytearray, (10**9,))


def test_a_pickle_that_asks_for_memory_is_refused(tmp_path) -> None:
    path = tmp_path / "asks.pth"
    for legacy in (False, True):
        torch.save(OrderedDict(a=Large()), path, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(DeviceError, match=r"asks\.pth: holds more than tensors"):
            read_pickle(path)


def test_a_tensor_larger_than_its_file_is_refused(tmp_path) -> None:
    path = tmp_path / "view.pth"
    torch.save({"weight": torch.zeros(1).expand(10**9)}, path)
    with pytest.raises(DeviceError, match="no plain tensor"):
        read_tensors(path)
    torch.save({"weight": torch.zeros(10, device="meta")}, path)
    with pytest.raises(DeviceError, match=r"view\.pth"):
        read_tensors(path)


def test_weights_of_pytorch_before_archives_still_load(tmp_path) -> None:
    state = Dmc(SMALL).state_dict()
    path = tmp_path / "old.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    for name, tensor in read_tensors(path).items():
        assert torch.equal(tensor, state[name])


def test_pickles_cut_or_of_noise_are_refused(tmp_path) -> None:
    path = tmp_path / "x.pth"
    torch.save(Dmc(SMALL).state_dict(), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    claim = b"\x80\x04\x8d" + struct.pack("<Q", 2**60) + b"weight"  # a text of an exabyte
    for content in (b"", claim, whole[:50], whole[:-1], rng.bytes(2000), pickle.dumps({"a": 1})):
        path.write_bytes(content)
        with pytest.raises(DeviceError, match=r"x\.pth"):
            read_tensors(path)


def test_huge_weights_are_refused(trained) -> None:
    tensors = read_tensors(trained)
    name = max(tensors, key=lambda name: tensors[name].numel())
    tensors[name] = tensors[name] * 1e30
    save_weights(trained, "dmc", SMALL, tensors)
    with pytest.raises(DeviceError, match=r"values up to \d\.\de\+\d\d"):
        read_network(trained, "dmc", DmcDescription, Dmc)


@pytest.mark.parametrize("factor", [1e5, torch.nan])
def test_a_network_that_makes_noise_beyond_all_audio_is_refused(factor: float) -> None:
    torch.manual_seed(0)
    network = make_effect(EffectDescription(network="tcn-8")).eval().requires_grad_(False)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.mul_(factor).add_(factor)
    audio = np.full((1, 1000), 0.5, np.float32)
    with pytest.raises(DeviceError, match="above full scale"):
        list(render_effect(network, [audio], [0.0] * 25))


def test_a_folder_and_a_pipe_are_no_weights(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    os.mkfifo(tmp_path / "pipe.pth")
    for name in ("pipe.safetensors", "pipe.pth", "."):
        with pytest.raises(DeviceError, match="is not a file of weights"):
            read_tensors(tmp_path / name)


def test_a_disk_without_room_leaves_the_weights_as_they_were(tmp_path) -> None:
    path = tmp_path / "own.safetensors"
    save_tensors(path, {"a": torch.zeros(10)})
    before = path.read_bytes()
    program = f"""
import resource, signal, torch
from pathlib import Path
from automix.errors import OutputError
from automix.networks.checkpoints import save_tensors
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_tensors(Path({str(path)!r}), {{"a": torch.zeros(10_000)}})
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{path}: the disk is full")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])
    assert OutputError.exit_code == 4
