"""The same speaker and the same claim, found again across articles."""
