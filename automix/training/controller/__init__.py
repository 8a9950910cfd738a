"""Training of the controller of the differentiable mixing console (Steinmetz et al. 2021)."""
