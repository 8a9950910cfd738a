"""The desk: a plan as a mixing desk in the browser on this machine, heard at once and saved."""
