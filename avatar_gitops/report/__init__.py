"""Result objects to text: plans, diagnostics, status and run summaries. Pure."""
