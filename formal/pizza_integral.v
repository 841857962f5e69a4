(* The integral that every frequency of the network evaluates. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions Quadlens.Statements.
Open Scope R_scope.

(* cos x cos(2x + t) has the antiderivative sin(x + t)/2 + sin(3x + t)/6. *)
Definition F (t x : R) : R := sin (x + t) / 2 + sin (3 * x + t) / 6.

Lemma antiderivative (t a b : R) : is_RInt (fun x => cos x * cos (t + 2 * x)) a b (F t b - F t a).
Proof.
  apply (is_RInt_derive (F t)).
  - intros x _. unfold F. auto_derive; auto.
    replace (3 * x + t) with ((t + 2 * x) + x) by ring.
    replace (x + t) with ((t + 2 * x) - x) by ring.
    rewrite cos_plus, cos_minus. field.
  - intros x _. apply (ex_derive_continuous (fun x => cos x * cos (t + 2 * x))). auto_derive; auto.
Qed.

(* Over an arc on which cos keeps its sign, any h with h(x) = c x there is c times the same. *)
Lemma on_an_arc (h : R -> R) (c t a b : R) :
  a <= b -> (forall x, a < x < b -> h (cos x) = c * cos x) ->
  is_RInt (fun x => h (cos x) * cos (t + 2 * x)) a b (c * (F t b - F t a)).
Proof.
  intros ab same.
  apply (is_RInt_ext (fun x => scal c (cos x * cos (t + 2 * x)))).
  - intros x. rewrite Rmin_left, Rmax_right by lra. intros inside.
    rewrite same by assumption. unfold scal; simpl; unfold mult; simpl. ring.
  - apply (is_RInt_scal (fun x => cos x * cos (t + 2 * x))). apply antiderivative.
Qed.

Lemma F_half (t : R) : F t (PI / 2) = cos t / 3.
Proof.
  unfold F. replace (3 * (PI / 2) + t) with (PI / 2 + t + PI) by field.
  rewrite neg_sin, sin_plus, sin_PI2, cos_PI2. field.
Qed.

Lemma F_minus_half (t : R) : F t (- (PI / 2)) = - cos t / 3.
Proof.
  unfold F. replace (- (PI / 2) + t) with (- (PI / 2 - t)) by ring.
  replace (3 * - (PI / 2) + t) with (- ((PI / 2 - t) + PI)) by field.
  rewrite !sin_neg, neg_sin, sin_minus, sin_PI2, cos_PI2. field.
Qed.

Lemma F_turn (t : R) : F t PI = F t (- PI).
Proof.
  unfold F.
  replace (PI + t) with ((- PI + t) + 2 * INR 1 * PI) by (simpl; ring).
  replace (3 * PI + t) with ((3 * - PI + t) + 2 * INR 3 * PI) by (simpl; ring).
  rewrite !sin_period. reflexivity.
Qed.

(* h(x) = c x for x >= 0 and d x for x <= 0 *)
Lemma kinked (h : R -> R) (c d t : R) :
  (forall x, 0 <= x -> h x = c * x) -> (forall x, x <= 0 -> h x = d * x) ->
  is_RInt (fun x => h (cos x) * cos (t + 2 * x)) (- PI) PI (2 / 3 * (c - d) * cos t).
Proof.
  intros above below. pose proof PI_RGT_0 as positive.
  evar_last.
  - apply (is_RInt_Chasles _ (- PI) (- (PI / 2)) PI).
    + apply (on_an_arc h d); [lra |]. intros x inside. apply below.
      rewrite <- cos_neg. apply cos_le_0; lra.
    + apply (is_RInt_Chasles _ (- (PI / 2)) (PI / 2) PI).
      * apply (on_an_arc h c); [lra |]. intros x inside. apply above. apply cos_ge_0; lra.
      * apply (on_an_arc h d); [lra |]. intros x inside. apply below. apply cos_le_0; lra.
  - unfold plus; simpl. rewrite F_half, F_minus_half, F_turn. field.
Qed.

Lemma relu_above (x : R) : 0 <= x -> relu x = 1 * x.
Proof. intros. unfold relu. rewrite Rmax_right by assumption. ring. Qed.

Lemma relu_below (x : R) : x <= 0 -> relu x = 0 * x.
Proof. intros. unfold relu. rewrite Rmax_left by assumption. ring. Qed.

Theorem pizza_integral_holds : pizza_integral.
Proof.
  intros t. evar_last.
  - apply is_RInt_ext with (fun x => relu (cos x) * cos (t + 2 * x)); [reflexivity |].
    replace (-1 * PI) with (- PI) by ring. exact (kinked relu 1 0 t relu_above relu_below).
  - field.
Qed.

Theorem pizza_integral_scaled_holds : pizza_integral_scaled.
Proof.
  intros t lambda. replace (-1 * PI) with (- PI) by ring.
  destruct (Rle_or_lt 0 lambda) as [up | down].
  - evar_last.
    + apply (kinked (fun y => relu (lambda * y)) lambda 0 t); intros x sign.
      * apply Rmult_le_pos with (r1 := lambda) in sign; [| assumption]. rewrite relu_above by assumption. ring.
      * rewrite relu_below by nra. ring.
    + rewrite Rabs_pos_eq by assumption. field.
  - evar_last.
    + apply (kinked (fun y => relu (lambda * y)) 0 lambda t); intros x sign.
      * rewrite relu_below by nra. ring.
      * rewrite relu_above by nra. ring.
    + rewrite Rabs_left by assumption. field.
Qed.

(* A continuous function of period 2π has the same integral over every turn. *)
Lemma turn (f : R -> R) (l s : R) :
  (forall x, continuous f x) -> (forall x, f (x + 2 * PI) = f x) ->
  is_RInt f (- PI) PI l -> is_RInt f (s - PI) (s + PI) l.
Proof.
  intros smooth period whole.
  destruct (ex_RInt_continuous f (- PI) (s - PI)) as [m part]; [intros; apply smooth |].
  evar_last.
  - apply (is_RInt_Chasles _ (s - PI) (- PI) (s + PI)).
    + apply is_RInt_swap. exact part.
    + apply (is_RInt_Chasles _ (- PI) PI (s + PI)); [exact whole |].
      apply (is_RInt_ext (fun x => scal 1 (f (1 * x + - (2 * PI))))).
      * intros x _. rewrite <- (period (1 * x + - (2 * PI))).
        replace (1 * x + - (2 * PI) + 2 * PI) with x by ring.
        unfold scal; simpl; unfold mult; simpl. ring.
      * apply (is_RInt_comp_lin f 1 (- (2 * PI)) PI (s + PI)).
        replace (1 * PI + - (2 * PI)) with (- PI) by ring.
        replace (1 * (s + PI) + - (2 * PI)) with (s - PI) by ring.
        exact part.
  - unfold plus, opp; simpl. ring.
Qed.

Lemma wave_continuous (h : R -> R) (t : R) :
  (forall x, continuous h x) -> forall x, continuous (fun x => h (cos x) * cos (t + 2 * x)) x.
Proof.
  intros smooth x. apply (continuous_mult (fun x => h (cos x)) (fun x => cos (t + 2 * x))).
  - apply (continuous_comp cos h); [| apply smooth].
    apply (ex_derive_continuous cos). auto_derive; auto.
  - apply (ex_derive_continuous (fun x => cos (t + 2 * x))). auto_derive; auto.
Qed.

Lemma wave_period (h : R -> R) (t x : R) :
  h (cos (x + 2 * PI)) * cos (t + 2 * (x + 2 * PI)) = h (cos x) * cos (t + 2 * x).
Proof.
  replace (x + 2 * PI) with (x + 2 * INR 1 * PI) by (simpl; ring).
  replace (t + 2 * (x + 2 * INR 1 * PI)) with ((t + 2 * x) + 2 * INR 2 * PI) by (simpl; ring).
  rewrite !cos_period. reflexivity.
Qed.

Lemma shifted (h : R -> R) (c d s t : R) :
  (forall x, continuous h x) ->
  (forall x, 0 <= x -> h x = c * x) -> (forall x, x <= 0 -> h x = d * x) ->
  is_RInt (fun x => h (cos (s + x)) * cos (t + 2 * x)) (- PI) PI (2 / 3 * (c - d) * cos (t - 2 * s)).
Proof.
  intros smooth above below.
  apply (is_RInt_ext (fun x => scal 1 ((fun y => h (cos y) * cos ((t - 2 * s) + 2 * y)) (1 * x + s)))).
  - intros x _. unfold scal; simpl; unfold mult; simpl.
    replace (1 * x + s) with (s + x) by ring.
    replace (t - 2 * s + 2 * (s + x)) with (t + 2 * x) by ring. ring.
  - apply (is_RInt_comp_lin (fun y => h (cos y) * cos ((t - 2 * s) + 2 * y)) 1 s (- PI) PI).
    replace (1 * - PI + s) with (s - PI) by ring. replace (1 * PI + s) with (s + PI) by ring.
    apply turn.
    + apply wave_continuous. assumption.
    + intros x. apply wave_period.
    + apply kinked; assumption.
Qed.

Lemma relu_continuous (x : R) : continuous relu x.
Proof.
  apply (continuous_ext (fun x => (x + Rabs x) / 2)).
  - intros y. unfold relu, Rmax, Rabs. destruct (Rle_dec 0 y); destruct (Rcase_abs y); lra.
  - apply (continuous_mult (fun x => x + Rabs x) (fun _ => / 2)); [| apply continuous_const].
    apply (continuous_plus (fun x => x) Rabs); [apply continuous_id | apply continuous_Rabs].
Qed.

Lemma scaled_continuous (h : R -> R) (lambda x : R) :
  (forall x, continuous h x) -> continuous (fun x => h (lambda * x)) x.
Proof.
  intros smooth. apply (continuous_comp (fun x => lambda * x) h); [| apply smooth].
  apply (ex_derive_continuous (fun x => lambda * x)). auto_derive; auto.
Qed.

Lemma cos_back (s t : R) : cos (-1 * t + 2 * s) = cos (t - 2 * s).
Proof. replace (-1 * t + 2 * s) with (- (t - 2 * s)) by ring. apply cos_neg. Qed.

Theorem pizza_integral_shifted_holds : pizza_integral_shifted.
Proof.
  intros s t. replace (-1 * PI) with (- PI) by ring. rewrite cos_back. evar_last.
  - exact (shifted relu 1 0 s t relu_continuous relu_above relu_below).
  - field.
Qed.

Theorem pizza_integral_identity_half_holds : pizza_integral_identity_half.
Proof.
  intros s t. replace (-1 * PI) with (- PI) by ring. evar_last.
  - apply (shifted (fun x => 1 / 2 * x) (1 / 2) (1 / 2) s t); try reflexivity.
    intros x. apply (ex_derive_continuous (fun x => 1 / 2 * x)). auto_derive; auto.
  - field.
Qed.

Theorem pizza_integral_absolute_half_holds : pizza_integral_absolute_half.
Proof.
  intros s t. replace (-1 * PI) with (- PI) by ring. rewrite cos_back. evar_last.
  - apply (shifted (fun x => 1 / 2 * Rabs x) (1 / 2) (- (1 / 2)) s t).
    + intros x. apply (continuous_mult (fun _ => 1 / 2) Rabs); [apply continuous_const | apply continuous_Rabs].
    + intros x sign. rewrite Rabs_pos_eq by assumption. reflexivity.
    + intros x sign. rewrite Rabs_left1 by assumption. field.
  - field.
Qed.

(* ReLU(λ cos(s + x)), as every later family needs it. *)
Lemma relu_wave (lambda s t : R) :
  is_RInt (fun x => relu (lambda * cos (s + x)) * cos (t + 2 * x)) (- PI) PI
    (2 / 3 * Rabs lambda * cos (t - 2 * s)).
Proof.
  destruct (Rle_or_lt 0 lambda) as [up | down].
  - evar_last.
    + apply (shifted (fun y => relu (lambda * y)) lambda 0 s t).
      * intros x. apply (scaled_continuous relu). apply relu_continuous.
      * intros x sign. rewrite relu_above by nra. ring.
      * intros x sign. rewrite relu_below by nra. ring.
    + rewrite Rabs_pos_eq by assumption. field.
  - evar_last.
    + apply (shifted (fun y => relu (lambda * y)) 0 lambda s t).
      * intros x. apply (scaled_continuous relu). apply relu_continuous.
      * intros x sign. rewrite relu_below by nra. ring.
      * intros x sign. rewrite relu_above by nra. ring.
    + rewrite Rabs_left by assumption. field.
Qed.

Print Assumptions pizza_integral_shifted_holds.
