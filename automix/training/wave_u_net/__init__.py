"""Training of the Mix-Wave-U-Net, the baseline that mixes without a plan (Steinmetz 2020, 5.2)."""
