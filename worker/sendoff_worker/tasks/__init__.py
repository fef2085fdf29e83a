"""The tasks that Sendoff brings along."""
