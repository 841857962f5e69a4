# %% [markdown]
# # The tour, with pictures
#
# One trained network: its form, what the integral explains of it, and what is proved about it.

# %%
import quadlens as ql

circuit = ql.bundled()
measured = ql.evaluate(circuit)
print(f"p = {circuit.p}, {circuit.neurons} neurons, {circuit.parameters:,} parameters")
print(f"accuracy {measured.accuracy:.2%} of {measured.inputs:,} inputs, smallest margin {measured.min_margin:.2f}")

# %% [markdown]
# Every neuron gets a key frequency, an input phase φ, an output phase ψ and a few ratios.

# %%
form = ql.fit(circuit)
form

# %% [markdown]
# The pizza rule: ψ is twice φ. All neurons are drawn, none left out; the right panel shows the mismatch against the
# neuron's weight, so that the exceptions can be seen to weigh nothing.

# %%
from quadlens.report.figures.phase_lock import phase_lock

phase_lock(form)

# %% [markdown]
# The phases of each frequency lie around the circle. The sum over neurons is a quadrature rule for an integral over
# that circle, and these are its nodes.

# %%
from quadlens.report.figures.phase_circle import phase_circles

phase_circles(form)

# %% [markdown]
# How far does the integral go? Each rung of the ladder replaces one thing, and the terms add up to the difference.

# %%
from quadlens.report.figures.ladder import ladder

decomposition = ql.decompose(circuit, form)
print(decomposition)
assert decomposition.telescoping_error < 1e-12

# %%
ladder(decomposition)

# %% [markdown]
# So far, measurements. Now a theorem about this network, from sums over its weights, without running its inputs:

# %%
certificate = ql.certify(circuit, method="linear")
assert certificate.certified
assert certificate.margin_lower_bound <= measured.min_margin
certificate

# %% [markdown]
# The ledger belongs to the worst class $d = a - b$. For all classes:

# %%
from quadlens.report.figures.certificates import ledger

ledger(certificate)
