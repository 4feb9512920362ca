"""The use cases: what the command line, the TUI and a watch ask of mediahost."""
