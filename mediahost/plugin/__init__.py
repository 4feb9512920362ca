"""What a plugin author touches: hooks, actions, their context, and how plugins are found."""
