"""What the project's own tests share: the profile under which Hypothesis runs them."""

from hypothesis import settings

# The same examples on every machine and in every run: a failure is there again next time. To
# look for more, choose another profile: `pytest --hypothesis-profile=fuzz`.
settings.register_profile("project", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("project")
