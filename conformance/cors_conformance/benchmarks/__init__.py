"""Results of benchmarks: how they are stored, and what changed between two of them.

Measuring is the work of the folder `benchmarks/` of the project; it stores what is read here.
"""
