"""What to do about the difference between specs and the server. Pure."""
