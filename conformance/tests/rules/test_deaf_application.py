"""An application that nobody can tell anything: what it answers is not the middleware's doing."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.baseline import Judgement, judge
from cors_conformance.fetch.headers import contains
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.implementation import Capability, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import select
from cors_conformance.run import Run
from cors_conformance.servers.base import Reply, Server
from cors_conformance.servers.start import start

LACKS: Final = (
    Capability.APPLICATION_CALLS,
    Capability.APPLICATION_STATUS,
    Capability.APPLICATION_BODY,
    Capability.APPLICATION_HEADERS,
    Capability.APPLICATION_CHUNKS,
    Capability.APPLICATION_EXCEPTIONS,
)

Filter = Callable[[HTTPRequest], int]


class Deaf(Server):
    """The reference around an application that counts its answers, as if out of process."""

    def __init__(self, answers: Filter, policy: Policy) -> None:
        self._answers = answers
        self._inner = start(find("reference"), policy)
        self._count = count()

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:
        body = b"answer %d" % next(self._count)
        script = ApplicationResponse(status=self._answers(request), body=(body,))
        reply = self._inner.send(request, script)
        return Reply(response=reply.response, failure=reply.failure)

    def close(self) -> None:
        self._inner.close()


def judged(answers: Filter, *globs: str) -> Judgement:
    implementation = Implementation(
        name="deaf",
        interface="http",
        serve=partial(Deaf, answers),
        lacks=dict.fromkeys(LACKS, "nobody can tell it anything"),
    )
    run = Run(implementation=implementation, rules=select(globs), profile=PROFILES["quick"])
    return judge(run.report(), (), thorough=False)


def test_a_body_of_its_own_accuses_no_middleware() -> None:
    judgement = judged(lambda _: 200)
    assert judgement.report.findings == ()
    assert judgement.of("tr-no-origin").result.judged
    assert judgement.of("tr-response").result.judged


def test_a_status_that_is_not_the_applications_is_found_without_bodies() -> None:
    def refusing(request: HTTPRequest) -> int:
        return 200 if contains(request.headers, b"origin") else 403

    judgement = judged(refusing, "tr-*")
    assert [finding.rule.id for finding in judgement.report.findings] == ["tr-no-origin"]
