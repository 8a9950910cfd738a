"""What a track is and what it is called, from its file name.

The roles themselves and what is known of each stand in `automix.plan.roles`.
"""
