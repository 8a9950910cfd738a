"""Which tracks a song has, what they are, and where their audio comes from."""
