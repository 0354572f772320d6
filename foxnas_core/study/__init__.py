"""A study on disk: its files, its locks, and the folder it lies in with others."""
