"""Spawn profiles, one file each: what a learner's and a trainer's container hold."""
