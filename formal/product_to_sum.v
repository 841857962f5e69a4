(* Two waves of one frequency as one. *)
From Coq Require Import Reals Lra.
Require Import Quadlens.Definitions Quadlens.Statements.
Open Scope R_scope.

Lemma waves (u v : R) : cos (u + v) + cos (u - v) = 2 * cos u * cos v.
Proof. rewrite cos_plus, cos_minus. ring. Qed.

Theorem product_to_sum_holds : product_to_sum.
Proof.
  intros a b k omega phi.
  set (u := phi + 1 / 2 * k * omega * (a + b)). set (v := 1 / 2 * k * omega * (a + -1 * b)).
  replace (phi + a * k * omega) with (u + v) by (unfold u, v; field).
  replace (phi + b * k * omega) with (u - v) by (unfold u, v; field).
  rewrite waves. ring.
Qed.

Theorem product_to_sum_unequal_holds : product_to_sum_unequal.
Proof.
  intros a b k omega phi A B.
  set (u := phi + 1 / 2 * k * omega * (a + b)). set (v := 1 / 2 * k * omega * (a + -1 * b)).
  replace (phi + a * k * omega) with (u + v) by (unfold u, v; field).
  replace (phi + b * k * omega) with (u - v) by (unfold u, v; field).
  rewrite cos_plus, cos_minus. ring.
Qed.

Print Assumptions product_to_sum_holds.
