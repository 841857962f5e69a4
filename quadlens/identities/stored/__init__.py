"""The identities as data.

One module per family; the scripts in ``derivations/`` prove them without looking here first.
"""
