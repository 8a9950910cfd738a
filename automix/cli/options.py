"""Options that commands share which take no request; what a request declares is told as there."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automix.mixing.request import Delivery, PlanRequest, SongRequest
from automix.plan.parameters import Settings, parameters


class DepthName(StrEnum):
    """Sample formats of the output."""

    b16 = "16"
    b24 = "24"
    b32f = "32f"


def about(owner: type[Settings], field: str) -> str:
    """What a request says of one of its fields."""
    return parameters(owner)[field].about


Bits = Annotated[
    DepthName | None,
    typer.Option(help=about(Delivery, "bits") + "  [default: the most among the inputs]"),
]
Force = Annotated[bool, typer.Option("--force", "-f", help=about(Delivery, "force"))]
NoPlan = Annotated[bool, typer.Option("--no-plan", help=about(Delivery, "no_plan"))]
SkipExisting = Annotated[
    bool, typer.Option("--skip-existing", help=about(Delivery, "skip_existing"))
]
SetValue = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SETTING=VALUE", help=about(SongRequest, "changes")),
]
Device = Annotated[str, typer.Option(metavar="DEVICE", help=about(SongRequest, "device"))]
Strict = Annotated[bool, typer.Option("--strict", help=about(SongRequest, "strict"))]
Repair = Annotated[bool, typer.Option("--repair", help=about(SongRequest, "repair"))]
AllowTruncated = Annotated[
    bool, typer.Option("--allow-truncated", help=about(SongRequest, "allow_truncated"))
]
AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help=about(PlanRequest, "allow_outside"))
]
Plugins = Annotated[Path | None, typer.Option(metavar="FOLDER", help=about(SongRequest, "plugins"))]
Desk = Annotated[
    bool,
    typer.Option(
        "--desk", help="Then open the plan as a mixing desk in the browser; see automix desk."
    ),
]
Candidates = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        max=12,
        help="Write N mixes, MIX.1.wav and so on, that differ audibly (--seed draws others), and a"
        " page to compare them.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        help="Work in N threads; the result is the same.  [default: one per processor]",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print all that was measured and decided, as one JSON document."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Print every decision, not only those with figures behind them."
    ),
]
