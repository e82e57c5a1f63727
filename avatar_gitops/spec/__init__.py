"""What a run is: models, schema, positions, digests. Pure."""
