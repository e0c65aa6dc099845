"""The suite that the package ships: `pytest --pyargs cors_conformance.suite`."""
