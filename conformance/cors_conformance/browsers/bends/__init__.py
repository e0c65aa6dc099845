"""What engines do instead of what the standard says; `deviations` has the words for each.

Each function is a bend: see `bending`.
"""
