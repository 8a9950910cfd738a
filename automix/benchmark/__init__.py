"""How fast and how small automix is beside ffmpeg, libebur128, pyloudnorm and librosa."""
