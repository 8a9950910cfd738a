"""`automix completion`: prints the script that completes commands and options in a shell."""

from enum import StrEnum
from typing import Annotated

import typer


class Shell(StrEnum):
    """Shells with completion."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the completion script of a shell.

    For example, for bash: automix completion bash > automix.bash && source automix.bash
    """
    from typer._completion_shared import get_completion_script

    script = get_completion_script(
        prog_name="automix", complete_var="_AUTOMIX_COMPLETE", shell=shell.value
    )
    typer.echo(script)
