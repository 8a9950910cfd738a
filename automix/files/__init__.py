"""Audio files in and out: the only room that opens them.

It probes, decodes and encodes, and writes every output whole or not at all. What samples are once
they are in memory is the business of `automix.audio`.
"""
