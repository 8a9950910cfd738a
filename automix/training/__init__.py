"""Training of networks: one loop and one runner, and a folder for each family of networks.

A family is a row of `automix.training.families` and a folder with the same files as the others:
``settings`` (what can be chosen), ``sources`` (which audio is learned from and which is held out;
families that learn from songs in stems share `automix.training.songs`), ``examples`` (what one
example is) and ``task`` (network, loss, validation). Nothing here evaluates or mixes.
"""
