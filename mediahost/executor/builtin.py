"""The host's own executors, registered through the same door as everybody's."""
