"""Many songs: one process per item, and a journal that makes every run resumable.

Nothing here loads NumPy, so that resuming a finished batch costs little more than looking at files.
"""
