"""Many songs: workers that mix item by item, and a journal that makes every run resumable.

Nothing here loads NumPy, so that resuming a finished batch costs little more than looking at files.
"""
