"""Methods listen to a session and write a plan."""
