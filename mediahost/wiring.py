"""From settings to a host: the only place that names concrete classes."""
