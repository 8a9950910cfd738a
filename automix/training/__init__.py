"""Training of networks: one loop, and one task for each family of models."""
