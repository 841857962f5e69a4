(* A rectangle against the curve above its cell. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions Quadlens.Statements.
Open Scope R_scope.

(* |t - phi| over an interval on one side of phi *)
Lemma one_side (phi s a b : R) : a <= b -> (forall t, a < t < b -> Rabs (t + -1 * phi) = s * (t - phi)) ->
  is_RInt (fun t => Rabs (t + -1 * phi)) a b (s * ((b - phi) ^ 2 / 2 - (a - phi) ^ 2 / 2)).
Proof.
  intros ab same.
  apply (is_RInt_ext (fun t => scal s (t - phi))).
  - intros t. rewrite Rmin_left, Rmax_right by lra. intros inside. rewrite same by assumption. reflexivity.
  - apply (is_RInt_scal (fun t => t - phi)).
    apply (is_RInt_derive (fun t => (t - phi) ^ 2 / 2)).
    + intros t _. auto_derive; auto. field.
    + intros t _. apply (ex_derive_continuous (fun t => t - phi)). auto_derive; auto.
Qed.

Theorem rectangle_bound_inside_holds : rectangle_bound_inside.
Proof.
  intros v0 phi v1 left right. evar_last.
  - apply (is_RInt_Chasles _ v0 phi v1).
    + apply (one_side phi (-1)); [assumption |]. intros t inside. rewrite Rabs_left1 by lra. ring.
    + apply (one_side phi 1); [assumption |]. intros t inside. rewrite Rabs_pos_eq by lra. ring.
  - unfold plus; simpl. field.
Qed.

Theorem rectangle_bound_left_of_cell_holds : rectangle_bound_left_of_cell.
Proof.
  intros v0 phi v1 outside ordered. evar_last.
  - apply (one_side phi 1); [assumption |]. intros t inside. rewrite Rabs_pos_eq by lra. ring.
  - field.
Qed.

Theorem rectangle_bound_right_of_cell_holds : rectangle_bound_right_of_cell.
Proof.
  intros v0 phi v1 outside ordered. evar_last.
  - apply (one_side phi (-1)); [assumption |]. intros t inside. rewrite Rabs_left1 by lra. ring.
  - field.
Qed.

Print Assumptions rectangle_bound_inside_holds.
