"""The scan queue: hot folder → own spool → scans.db → target, with the hash proved at every step.

Read states.py → intake.py → spool.py → evidence.py → delivery.py; queue.py wires them.
"""
