"""Networks, their input and their losses, in torch."""
