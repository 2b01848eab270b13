"""Real telemetry as rows: the sets of the shared folder, mapped by the project's own ingest."""
