"""The part of the grader that runs inside a single-use sandbox: PID 1, the learner's process, the checker."""
