"""`automix stems`: any number of tracks to a mix."""

from automix.cli import options
from automix.cli.declaration import from_fields
from automix.cli.output import Printer, report_errors
from automix.mixing.request import Delivery, StemsRequest


@report_errors
@from_fields()
def stems(
    request: StemsRequest,
    delivery: Delivery,
    candidates: options.Candidates = None,
    desk: options.Desk = False,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Mix the tracks of a song.

    Finds out what each track is from its file name, else from its sound; sets its level and its
    place in the stereo field, and with --mode full also tone, dynamics, width and space, as far as
    the tracks are raw. The plan is written beside the mix: edit it and run `automix render`.

    For example: automix stems demo/song -o demo/mix.wav --mode full
    """
    from automix.cli.mix import run_mix

    printer = Printer(json=json, quiet=quiet, verbose=verbose)
    run_mix(request, delivery, printer, jobs=jobs, candidates=candidates, opens_desk=desk)
