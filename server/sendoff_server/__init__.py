"""The API server: sign-in, chunks, jobs, and progress fanned out over WebSockets."""

__version__ = "0.1.0"
