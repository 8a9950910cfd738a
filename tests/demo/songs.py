"""The demo song, synthesized once for all tests of a process."""

from functools import cache

from automix.demo import DemoSong, synthesize_demo


@cache
def demo_song(seed: int = 0) -> DemoSong:
    """The song of a seed at 44.1 kHz, not to be changed."""
    return synthesize_demo(seed)
