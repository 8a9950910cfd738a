"""`automix evaluate frechet` as a user runs it."""

import json
import shutil

import pytest


@pytest.fixture
def folders(tmp_path, song):
    for name, file in (("a", song.beat), ("b", song.vocal)):
        (tmp_path / name).mkdir()
        shutil.copy(file, tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def test_folders_stand_in_rows(cli, folders):
    done = cli("evaluate", "frechet", folders[0], *folders)
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("/")]
    assert [row[-2] == "0.0000" for row in rows] == [True, False]
    assert "dimensions" in done.stderr


def test_json_holds_the_distances(cli, folders):
    document = json.loads(cli("evaluate", "frechet", *folders, "--json").stdout)
    assert document["embedder"] == "mel-statistics"
    (row,) = document["sets"]
    assert row["distance"] > 0
    assert row["extrapolated"] is None
    assert (row["files"], row["frames"]) == (1, 5)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--device", "cuda:99"), 5, "cuda:99"),
        (("--embedder", "vggish"), 2, "--weights"),
        (("--embedder", "vggish", "--weights", "gone.pth"), 5, "gone.pth"),
        (("--weights", "gone.pth"), 2, "--embedder"),
    ],
)
def test_bad_options_are_one_clear_message(cli, folders, options, code, message):
    done = cli("evaluate", "frechet", *folders, *options)
    assert done.exit_code == code
    assert message in done.output
