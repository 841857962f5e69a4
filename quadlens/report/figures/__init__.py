"""Figures: one file each, functions from records to matplotlib figures, drawn on ``ax`` where one is given.

None of them touches pyplot or any other global state, so they work in threads, notebooks and servers alike.
"""
