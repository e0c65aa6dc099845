"""What tests of rules hand to a rule that looks at a policy."""

from typing import Final

from cors_conformance.scenario import PLAIN, Batch

BATCH: Final = Batch(
    origins=("https://a.example",),
    methods=(b"GET",),
    header_sets=((),),
    credentials=("omit",),
    applications=(PLAIN,),
)
