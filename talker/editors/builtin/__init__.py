"""The embedded editor: procedural edits from a stated vocabulary, no weights, no network."""
