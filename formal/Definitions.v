(* What the statements speak of, beside the real numbers, cos, sin and integrals: short enough to be audited. *)
From Coq Require Import Reals.
Open Scope R_scope.

(* max(0, x) *)
Definition relu (x : R) : R := Rmax 0 x.

(* 1 for x > 0, and 0 otherwise: whether a neuron with preactivation x is on *)
Definition gate (x : R) : R := if Rlt_dec 0 x then 1 else 0.
