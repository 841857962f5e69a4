(* The waveform with its second harmonic: what follows without cases. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions Quadlens.Statements Quadlens.pizza_integral.
Open Scope R_scope.

Theorem secondary_frequency_pizza_limit_holds : secondary_frequency_pizza_limit.
Proof.
  intros C. pose proof PI_RGT_0 as positive.
  assert (I : RInt (fun t => relu (2 * C * cos t) * cos (2 * t)) (-1 * PI) PI = 2 / 3 * Rabs (2 * C)).
  { replace (-1 * PI) with (- PI) by ring. apply is_RInt_unique. evar_last.
    - apply (is_RInt_ext (fun x => relu (2 * C * cos (0 + x)) * cos (0 + 2 * x))).
      + intros x _. rewrite !Rplus_0_l. reflexivity.
      + apply relu_wave.
    - replace (0 - 2 * 0) with 0 by ring. rewrite cos_0. ring. }
  rewrite I, Rabs_mult, (Rabs_pos_eq 2) by lra. field. lra.
Qed.

Theorem secondary_frequency_waveform_holds : secondary_frequency_waveform.
Proof.
  intros t delta sigma kappa _.
  replace (-2 * t + 2 * delta) with (2 * delta - 2 * t) by ring.
  replace (delta + -1 * t) with (delta - t) by ring.
  rewrite !cos_plus, !cos_minus. ring.
Qed.

Print Assumptions secondary_frequency_pizza_limit_holds.
