"""Tells people what became of mediahost's jobs."""

from mediahost_notify.plugin import Notify

plugin = Notify()

__all__ = ["plugin"]
