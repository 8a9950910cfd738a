"""Methods that mix any number of tracks: rules, trained networks, and baselines."""
