# %% [markdown]
# # Tour
#
# Text $\phi$.

# %%
import quadlens as ql

circuit = ql.bundled()
circuit

# %%
import matplotlib.pyplot as plt

form = ql.fit(circuit)
plt.hist(form.mismatch)
