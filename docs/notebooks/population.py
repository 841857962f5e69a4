# %% [markdown]
# # A population
#
# One network is an anecdote. A sweep trains and analyses many, one result file each, and can be stopped and resumed.
# This one is far too small and too short to learn anything (the page takes seconds); the study itself took hours, and
# its table is part of the repository.

# %%
from concurrent.futures import ThreadPoolExecutor

from quadlens.sweep.item import sweep_items
from quadlens.sweep.run import run_sweep

items = sweep_items(
    p=[13], neurons=[32], activation=["relu"], seeds=range(3), methods=["linear"], d_model=32, epochs=30
)
with ThreadPoolExecutor(max_workers=1) as executor:
    outcome = run_sweep(items, "population", executor)
assert not outcome.failures
len(outcome.results)

# %% [markdown]
# A second run finds everything done.

# %%
with ThreadPoolExecutor(max_workers=1) as executor:
    again = run_sweep(items, "population", executor)
assert again.reused == len(items)

# %% [markdown]
# Every number of every network as a row, and statistics over seeds. An interval is an *estimate*: Student's, which
# assumes independent seeds and a mean that is near normal.

# %%
from quadlens.sweep.table import result_rows, statistics

rows = result_rows(outcome.results)
for statistic in statistics(rows):
    if statistic.quantity in ("accuracy", "mismatch_rms", "evenness", "evenness_random", "linear_certified"):
        print(f"{statistic.quantity:18} mean {statistic.mean:.4f} of {statistic.networks} networks")
