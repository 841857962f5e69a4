# %% [markdown]
# # A look at one frequency
#
# All neurons of one key frequency share a waveform. Fix $d = a - b$: then neuron $i$ sees
# $H_d(\omega k b + \varphi_i)$, one curve, shifted by its phase.

# %%
import numpy as np

import quadlens as ql

circuit = ql.bundled()
form = ql.fit(circuit)
group = max(form.groups, key=lambda group: group.weight)
group

# %% [markdown]
# The curve, its zeros (found with proved signs) and where its neurons sit, for two values of $d$: an ordinary one, and
# the blind spot, where the first wave is smallest.

# %%
from matplotlib.figure import Figure

from quadlens.quadrature.waveform import group_waveform, waveform_values
from quadlens.quadrature.zeros import waveform_zeros

H = group_waveform(circuit.p, group.frequency, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
blind = int(np.argmin(np.abs(H[:, 1])))
theta = np.linspace(-np.pi, np.pi, 721)
figure = Figure(figsize=(7, 5), layout="constrained")
for ax, d in zip(figure.subplots(2, 1, sharex=True), (1, blind), strict=True):
    values = waveform_values(H[[d]], theta)[0]
    ax.axhline(0, color="0.7", linewidth=0.8)
    ax.plot(theta, values, color="tab:blue", label=f"$H_d$, d = {d}")
    ax.fill_between(theta, np.maximum(values, 0), color="tab:blue", alpha=0.2, label="ReLU")
    zeros = waveform_zeros(H[d])
    ax.plot(zeros.zeros[: zeros.count], np.zeros(zeros.count), "o", color="tab:blue", label="zeros")
    phi = form.phi[group.members]  # where the neurons sit for b = 0; they all turn together with b
    ax.plot(phi, np.full(phi.size, values.min()), "|", color="tab:orange", label="neurons")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
figure

# %% [markdown]
# What the network needs of this curve is one number for each $d$: the second harmonic of ReLU∘H, in closed form. Its
# modulus times the group's weight is the amplitude of the logits. The secondary frequency and the bias keep it far from
# zero; in the pure limit it would come as close to zero as an odd p lets it.

# %%
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.designer import design, group_flatness

amplitude = np.abs(waveform_harmonics(H, [2])[:, 0])
pure = np.abs(waveform_harmonics(group_waveform(circuit.p, group.frequency, 1, 1, 0, 0, 0), [2])[:, 0])
assert amplitude.min() > pure.min()
flat = group_flatness(circuit.p, group.frequency, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
best = design(circuit.p, group.frequency).flatness
print("smallest over largest amplitude, over all a - b:")
print(f"this group {flat:.3f}, pure limit {pure.min() / pure.max():.3f}, the flattest design found {best:.3f}")

# %% [markdown]
# The rectangle rule: sort the phases, give each neuron a cell as wide as its weight. The bounds are proved of this
# rule, pure waves with the fitted phases and weights (not of the MLP); the last number is its measured error, and 1 is
# the error of predicting zero.

# %%
from quadlens.quadrature.rectangles import rectangle_bounds

members = group.members
bounds = rectangle_bounds(form.phi[members], form.psi[members], form.weights[members])
assert bounds.actual <= bounds.total < 1
bounds

# %% [markdown]
# Are the phases as good as evenly spaced ones, or as chance? The error of the rule as an exact sum of harmonics falls
# like $n^{-2}$ for even phases, and like $n^{-1/2}$ for random ones.

# %%
from quadlens.quadrature.rates import even_error, random_std, trained_point

point = trained_point(form.phi[members], form.psi[members], form.weights[members])
print(point)
print(f"{members.size} evenly spaced phases: {even_error(members.size):.2e}")
print(f"{members.size} independent random phases (standard deviation): {random_std(form.weights[members]):.2e}")
