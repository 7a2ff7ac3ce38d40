"""Reports: a plan, or the run that carried it out, as a document to be kept.

Both are the same rows (`columns.py`), made by `rows.py` and sorted alike, so that what was
reviewed and what was done can be compared line by line. One module writes one
format; `files.py` knows which, and where. docs/reports.md describes them.
"""
