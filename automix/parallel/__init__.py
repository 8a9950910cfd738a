"""Threads and processes: how many work at a time, and where work is sent.

Nothing here knows what the work is.
"""
