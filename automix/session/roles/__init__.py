"""Tells from its file name what a track is, and names it.

The roles themselves and what is known of each stand in `automix.plan.roles`.
"""
