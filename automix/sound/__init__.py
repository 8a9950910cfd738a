"""Synthesized instruments, voices and scores; the demo song and the synthetic songs use them."""
