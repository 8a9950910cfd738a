"""`automix vocal`: a lead vocal over a finished backing track."""

from automix.cli import options
from automix.cli.declaration import from_fields
from automix.cli.output import Printer, report_errors
from automix.mixing.request import Delivery, VocalRequest


@report_errors
@from_fields()
def vocal(
    request: VocalRequest,
    delivery: Delivery,
    candidates: options.Candidates = None,
    desk: options.Desk = False,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Mix a lead vocal over a finished backing track.

    Equalizes the vocal where the beat masks it, compresses it to a loudness range, gives it a
    reverb that follows the tempo, and sets its level. The beat is only summed. The mix goes to
    mix.wav unless -o says otherwise, and the plan beside it, to mix.toml: edit that and run
    `automix render mix.toml`.

    For example: automix vocal vox.wav beat.wav -o song.flac --loudness -14
    """
    from automix.cli.mix import run_mix

    printer = Printer(json=json, quiet=quiet, verbose=verbose)
    run_mix(request, delivery, printer, jobs=jobs, candidates=candidates, opens_desk=desk)
