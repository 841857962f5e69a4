(* ReLU with the gate of another argument. *)
From Coq Require Import Reals Lra ZArith Lia.
Require Import Quadlens.Definitions Quadlens.Statements.
Open Scope R_scope.

Ltac cases :=
  unfold relu, gate, Rmax, Rabs in *;
  repeat match goal with
  | |- context [Rle_dec ?x ?y] => destruct (Rle_dec x y)
  | |- context [Rlt_dec ?x ?y] => destruct (Rlt_dec x y)
  | |- context [Rcase_abs ?x] => destruct (Rcase_abs x)
  | H : context [Rcase_abs ?x] |- _ => destruct (Rcase_abs x)
  end.

Theorem gate_lemma_holds : gate_lemma.
Proof. intros x y. cases; lra. Qed.

Theorem gate_lemma_sign_holds : gate_lemma_sign.
Proof. intros x y. cases; lra. Qed.

Theorem gate_lemma_any_gate_holds : gate_lemma_any_gate.
Proof.
  intros x y epsilon g e0 g0 near g1.
  assert (g = 0%Z \/ g = 1%Z) as [-> | ->] by (apply le_IZR in g0; apply le_IZR in g1; lia); cases; lra.
Qed.

Theorem gate_lemma_levels_holds : gate_lemma_levels.
Proof. intros dA dB l. intros. cases; lra. Qed.

Theorem gate_lemma_midpoint_holds : gate_lemma_midpoint.
Proof. intros rho bar. intros. cases; lra. Qed.

Print Assumptions gate_lemma_holds.
