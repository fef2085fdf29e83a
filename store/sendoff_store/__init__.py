"""What the server and the workers share: job records and events in Redis, chunks on disk or S3, settings."""
