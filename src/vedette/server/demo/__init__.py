"""The demo: an invented company, a week of its ordinary days, and two attacks, written as raw Windows events.

Everything here makes *input*: JSON lines of Sysmon and Windows Security events in the shape that NXLog writes, to be
read in by the same path as a user's own files. Nothing knows the hunting tables.
"""
