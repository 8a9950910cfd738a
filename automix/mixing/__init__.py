"""From a request to a finished mix, and from the mix to its files.

Methods write plans and consoles render them; this room asks for both, brings the mix to its
loudness, and delivers it. It does not parse options and does not print.
"""
