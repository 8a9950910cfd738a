"""Samples and streams in memory: blocks, folding, padding, joining, resampling, prefetching.

No file is opened here; that is done by `automix.files`.
"""
