"""Chooses the format of a picture without Matplotlib, so that a wrong name is refused at once."""

from pathlib import Path

from automix.errors import UsageError
from automix.files.names import printable

FORMATS = ("png", "svg", "pdf")


def choose_picture_format(path: Path) -> str:
    """Chooses the format that a file name says, one of `FORMATS`.

    Raises:
        UsageError: The name says none of them.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(
            f"{printable(path)}: end the name of the picture in .{', .'.join(FORMATS)}"
        )
    return suffix
