"""Reports: what came of a run, for people and for programs.

Bytes of an implementation are hostile. Nothing that it said reaches an output but through
`escape`.
"""
