"""Case files: one fetch (or several) by a page, a scripted server, and what must come out.

`schema` says what a file may hold, `loading` reads one and names what is wrong in it, `running`
puts a case to the browser and compares. The command is `cors_conformance.cases_command`.
"""

from cors_conformance.cases.loading import MalformedCaseFile, load, read
from cors_conformance.cases.running import CaseResult, Disagreement, run
from cors_conformance.cases.schema import Case

__all__ = ["Case", "CaseResult", "Disagreement", "MalformedCaseFile", "load", "read", "run"]
