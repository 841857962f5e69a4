(* What one random phase gives on average. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions Quadlens.Statements Quadlens.pizza_integral.
Open Scope R_scope.

Theorem random_phases_mean_holds : random_phases_mean.
Proof.
  intros x y. pose proof PI_RGT_0 as positive.
  assert (I : RInt (fun phi => relu (cos (phi + x)) * cos (y + 2 * phi)) (-1 * PI) PI
      = 2 / 3 * cos (y - 2 * x)).
  { replace (-1 * PI) with (- PI) by ring. apply is_RInt_unique. evar_last.
    - apply (is_RInt_ext (fun phi => relu (cos (x + phi)) * cos (y + 2 * phi))).
      + intros phi _. rewrite (Rplus_comm phi x). reflexivity.
      + exact (shifted relu 1 0 x y relu_continuous relu_above relu_below).
    - field. }
  rewrite I, cos_back. field. lra.
Qed.

Print Assumptions random_phases_mean_holds.
