"""The desk: a plan as a mixing desk in the browser."""
