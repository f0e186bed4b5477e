"""The project folder: its stages, their records, its names and its renders."""
