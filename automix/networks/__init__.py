"""Networks with their input, losses and weights on disk, in torch; training is elsewhere."""
