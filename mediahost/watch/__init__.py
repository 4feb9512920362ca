"""Watches: every file that is dropped into a folder is processed, once it is whole."""
