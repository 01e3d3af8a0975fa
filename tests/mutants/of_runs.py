"""Safeguards of runs: one at a time, nothing paid twice, nothing paid for lost, limits kept."""

from __future__ import annotations

from tests.mutants.safeguard import Safeguard

OF_RUNS = (
    Safeguard(
        "lock at the start",
        "tigertag/store/lock.py",
        "if not is_dead(holder, there.heartbeat, me, now, self.start_of):",
        "if False:",
        "R1: a second run on the same database is refused",
        "tests/store/test_lock.py",
        "test_a_second_run_is_told_who_is_at_work[sqlite]",
    ),
    Safeguard(
        "heartbeat",
        "tigertag/store/lock.py",
        ".values(heartbeat=self.clock(session))",
        ".values(heartbeat=tables.RunLock.heartbeat)",
        "R2: a run that is at work keeps its lock from other hosts",
        "tests/store/test_lock.py",
        "test_a_heart_that_beats_keeps_the_lock_from_other_hosts[sqlite]",
    ),
    Safeguard(
        "lock before each send",
        "tigertag/pipeline/analyze.py",
        "            if admitted:\n                self.work.guard()\n",
        "",
        "R3: who slept through its lease sends nothing more",
        "tests/pipeline/test_lost_lock.py",
        "test_a_run_that_has_lost_its_lock_sends_nothing_more",
    ),
    Safeguard(
        "lock before each write",
        "tigertag/pipeline/write.py",
        "    work.guard()\n    beside = Beside()",
        "    beside = Beside()",
        "R3: who slept through its lease writes nothing more",
        "tests/pipeline/test_lost_lock.py",
        "test_a_run_that_has_lost_its_lock_writes_nothing_more",
    ),
    Safeguard(
        "permit before a billed request",
        "tigertag/service.py",
        """\
        send = self._permitted(turn)
        try:
            reply = ask()
""",
        """\
        try:
            reply = ask()
            send = self._permitted(turn)
""",
        "I18: a request that may be billed is in the book before it leaves",
        "tests/engines/test_imagga.py",
        "TestQuota::test_the_budget_stops_it_and_costs_no_quota",
    ),
    Safeguard(
        "requests without an answer count",
        "tigertag/store/sends.py",
        "SendRow.at >= since, SendRow.revision_id",
        'SendRow.at >= since, SendRow.outcome != "unknown", SendRow.revision_id',
        "E6, I19: what is maybe billed counts against the budget",
        "tests/pipeline/test_limited_runs.py",
        "test_repeats_and_requests_without_an_answer_count",
    ),
    Safeguard(
        "a lost answer is not asked for by copies",
        "tigertag/pipeline/analyze.py",
        "elif key not in self.missed and self._is_taken(",
        "elif self._is_taken(",
        "E6: a photo whose answer was lost is not sent again for each of its copies",
        "tests/pipeline/test_analyze.py",
        "test_a_photo_whose_answer_was_lost_is_not_sent_again_for_each_of_its_copies",
    ),
    Safeguard(
        "spool file",
        "tigertag/pipeline/analyze.py",
        "            self._salvage()\n",
        "",
        "D2: answers that were paid for survive while the database is away",
        "tests/pipeline/test_spool.py",
        "test_what_was_paid_for_is_taken_up_by_the_next_run",
    ),
    Safeguard(
        "spool file on the disk",
        "tigertag/pipeline/spool.py",
        "            os.fsync(file.fileno())\n",
        "",
        "D2: what counts as kept survives a power cut",
        "tests/pipeline/test_spool.py",
        "test_what_was_paid_for_is_on_the_disk_before_it_counts_as_kept",
    ),
    Safeguard(
        "budget counted in memory",
        "tigertag/pipeline/limits.py",
        "self._used[window(self.rules.budget, now)[0]] += 1",
        "self._used[window(self.rules.budget, now)[0]] += 0",
        "I19: an engine gets no more than its budget",
        "tests/pipeline/test_limits.py",
        "test_many_threads_take_no_more_than_the_budget",
    ),
)
