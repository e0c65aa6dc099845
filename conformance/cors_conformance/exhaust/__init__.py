"""Exhaustive in the small: every policy and every request of a small world, none left out."""
