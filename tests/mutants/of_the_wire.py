"""Safeguards of what comes and goes over the wire: keys stay at home, services are not believed blindly."""

from __future__ import annotations

from tests.mutants.safeguard import Safeguard

OF_THE_WIRE = (
    Safeguard(
        "redirects are not followed",
        "tigertag/plexserver/wire.py",
        '"""Nowhere: the token would go along."""\n        return None',
        "return super().get_redirect_target(resp)",
        "E13: a token goes to the host that was set up, and to no other",
        "tests/test_plexserver.py",
        "test_a_redirect_is_not_followed_with_the_token",
    ),
    Safeguard(
        "redaction",
        "tigertag/http/session.py",
        'return self._hidden.sub("***", text) if self._hidden.pattern else text',
        "return text",
        "I15: no secret that a service sends back is kept or shown",
        "tests/engines/test_imagga_faults.py",
        "TestLostAnswers::test_an_unreadable_answer_is_kept_without_secrets",
    ),
    Safeguard(
        "certificates",
        "tigertag/http/session.py",
        "            allow_redirects=False,\n",
        "            allow_redirects=False,\n            verify=False,\n",
        "P19: a certificate that proves nothing is never accepted",
        "tests/http/test_faults.py",
        "TestNotSent::test_a_certificate_that_proves_nothing",
    ),
    Safeguard(
        "total time limit",
        "tigertag/http/session.py",
        "Exchange(time.monotonic() + min(self._total, within))",
        "Exchange(time.monotonic() + 3600)",
        "E10, I17: an answer that drips is over in time",
        "tests/http/test_faults.py",
        "TestAnswerLost::test_a_dripping_answer_ends_after_the_total_timeout",
    ),
    Safeguard(
        "control characters in names",
        "tigertag/pipeline/vet.py",
        "        and _is_text(name)\n",
        "",
        "E8: a name with a line break or NUL is dropped and counted",
        "tests/pipeline/test_vet.py",
        "test_a_bad_annotation_is_dropped_and_counted",
    ),
)
