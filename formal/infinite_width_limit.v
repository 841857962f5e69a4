(* The sum over neurons of even phases, as an integral. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions Quadlens.Statements Quadlens.pizza_integral.
Open Scope R_scope.

Theorem infinite_width_limit_holds : infinite_width_limit.
Proof.
  intros a b c k omega W. pose proof PI_RGT_0 as positive.
  set (v := 1 / 2 * k * omega * (a + -1 * b)). set (u := 1 / 2 * k * omega * (a + b)).
  assert (I : RInt (fun phi => relu (cos (phi + a * k * omega) + cos (phi + b * k * omega))
      * cos (2 * phi + c * k * omega)) (-1 * PI) PI = 2 / 3 * Rabs (2 * cos v) * cos (c * k * omega - 2 * u)).
  { replace (-1 * PI) with (- PI) by ring. apply is_RInt_unique.
    apply (is_RInt_ext (fun x => relu (2 * cos v * cos (u + x)) * cos (c * k * omega + 2 * x))).
    - intros x _. replace (2 * x + c * k * omega) with (c * k * omega + 2 * x) by ring.
      replace (2 * cos v * cos (u + x)) with (cos (x + a * k * omega) + cos (x + b * k * omega)); [reflexivity |].
      replace (x + a * k * omega) with ((u + x) + v) by (unfold u, v; field).
      replace (x + b * k * omega) with ((u + x) - v) by (unfold u, v; field).
      rewrite cos_plus, cos_minus. ring.
    - apply relu_wave. }
  rewrite I, Rabs_mult, (Rabs_pos_eq 2) by lra.
  replace (cos (c * k * omega - 2 * u)) with (cos (k * omega * (a + b + -1 * c))).
  - field. lra.
  - rewrite <- cos_neg. f_equal. unfold u. field.
Qed.

Theorem infinite_width_limit_margin_holds : infinite_width_limit_margin.
Proof.
  intros a b c k omega. pose proof PI_RGT_0 as positive.
  set (m := Rabs (cos (1 / 2 * k * omega * (a + -1 * b)))).
  set (w := 1 / 2 * k * omega * (a + b + -1 * c)).
  replace (k * omega * (a + b + -1 * c)) with (2 * w) by (unfold w; field).
  rewrite cos_2a_sin. field. lra.
Qed.

Print Assumptions infinite_width_limit_holds.
