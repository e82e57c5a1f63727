"""Several tables tied by keys: avatars of each, keys issued again, and metrics that look across the links."""
