"""What a whole finished mix is like: the figures that are compared, and its dynamics by band."""

from collections.abc import Callable

from automix.analysis.features import FeatureMeter, MixFeatures, Vector
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.networks.device import use_threads
from automix.reference.bands import BandAnalysis
from automix.reference.comparison import figures

Figures = dict[str, Vector]
"""In dB by name, see `figures`; NaN where there is nothing to compare."""


def hear_source(source: AudioSource, analysis: BandAnalysis) -> tuple[MixFeatures, Figures]:
    """Listens once to a source at the rate of the analysis.

    Returns:
        What the meter says, and the figures made of it, with the ``dynamics`` beside them.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    meter = FeatureMeter(analysis.sample_rate, source.channels)
    with use_threads(1):
        frames = analysis.whole(_through(source, meter.add))
    found = meter.result()
    dynamics = analysis.features(frames)["dynamics"]
    return found, figures(found) | {"dynamics": dynamics.double().cpu().numpy()}


def _through(source: AudioSource, look: Callable[[Samples], None]) -> AudioSource:
    """The same source; every block is looked at on its way."""

    def blocks():  # type: ignore[no-untyped-def]
        for block in source.blocks():
            look(block)
            yield block

    return Stream(
        sample_rate=source.sample_rate,
        channels=source.channels,
        frames=source.frames,
        make_blocks=blocks,
    )
