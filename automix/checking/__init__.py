"""Hears the takes of a song before it is mixed, and says what is wrong with each.

What measures audio is in `automix.analysis`; here it is judged and put into words.
"""
