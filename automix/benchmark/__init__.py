"""Measures how fast and small automix is beside ffmpeg, libebur128, pyloudnorm and librosa."""
