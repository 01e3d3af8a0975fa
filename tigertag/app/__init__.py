"""The use cases: settings, store and plugins wired together, one function each. The CLI calls and prints."""
