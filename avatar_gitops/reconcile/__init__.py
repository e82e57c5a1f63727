"""Makes the server match the plan: runs steps, waits, gates, publishes, journals."""
