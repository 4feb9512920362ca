"""The TUI: jobs at a glance, every result a key away. `mediahost tui` opens it."""
