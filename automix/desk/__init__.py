"""A plan as a mixing desk in the browser: what is edited, heard and saved there, and its page."""
