(* Printed by `quadlens equations --format rocq`; not written by hand. *)
From Coq Require Import Reals.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions.
Open Scope R_scope.

(* Two waves of equal amplitude are a product: one factor sees a - b only, the other a + b only. *)
Definition product_to_sum : Prop :=
  forall (a : R) (b : R) (k : R) (omega : R) (phi : R), 
  ((cos (phi + (a * k * omega))) + (cos (phi + (b * k * omega)))) = (2 * (cos ((1 / 2) * k * omega * (a + ((-1) * b)))) * (cos (phi + ((1 / 2) * k * omega * (a + b))))).

(* With unequal amplitudes a second product appears, in quadrature: it fills the blind spot of the first. *)
Definition product_to_sum_unequal : Prop :=
  forall (a : R) (b : R) (k : R) (omega : R) (phi : R) (A : R) (B : R), 
  ((A * (cos (phi + (a * k * omega)))) + (B * (cos (phi + (b * k * omega))))) = (((A + B) * (cos ((1 / 2) * k * omega * (a + ((-1) * b)))) * (cos (phi + ((1 / 2) * k * omega * (a + b))))) + ((-1) * (A + ((-1) * B)) * (sin ((1 / 2) * k * omega * (a + ((-1) * b)))) * (sin (phi + ((1 / 2) * k * omega * (a + b)))))).

(* ReLU turns the first harmonic into the second: the integral every frequency of the network evaluates. *)
Definition pizza_integral : Prop :=
  forall (t : R), 
  is_RInt (fun x : R => ((relu (cos x)) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (((2 / 3) * (cos t))).

(* Shifting the input by s turns the answer by 2 s. *)
Definition pizza_integral_shifted : Prop :=
  forall (s : R) (t : R), 
  is_RInt (fun x : R => ((relu (cos (s + x))) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (((2 / 3) * (cos (((-1) * t) + (2 * s))))).

(* ReLU(z) = z/2 + |z|/2: the identity half is a first harmonic, orthogonal to the second; it contributes nothing. *)
Definition pizza_integral_identity_half : Prop :=
  forall (s : R) (t : R), 
  is_RInt (fun x : R => ((1 / 2) * (cos (s + x)) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (0).

(* The absolute-value half carries the whole integral. *)
Definition pizza_integral_absolute_half : Prop :=
  forall (s : R) (t : R), 
  is_RInt (fun x : R => ((1 / 2) * (Rabs (cos (s + x))) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (((2 / 3) * (cos (((-1) * t) + (2 * s))))).

(* A factor of either sign comes out as its modulus: a sign is a shift by pi, which the second harmonic does not see. *)
Definition pizza_integral_scaled : Prop :=
  forall (t : R) (lambda : R), 
  is_RInt (fun x : R => ((relu (lambda * (cos x))) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (((2 / 3) * (Rabs lambda) * (cos t))).

(* One rectangle: the area under h over a cell differs from width times height by at most twice the mean distance. *)
Definition rectangle_bound : Prop :=
  forall (v_0 : R) (v_1 : R) (phi : R) (x : R) (y : R), v_0 <= v_1 -> 
  (Rabs (((-1) * (v_1 + ((-1) * v_0)) * (relu (cos (phi + x))) * (cos (y + (2 * phi)))) + (RInt (fun t : R => ((relu (cos (t + x))) * (cos (y + (2 * t))))) (v_0) (v_1)))) <= (2 * (RInt (fun t : R => (Rabs (t + ((-1) * phi)))) (v_0) (v_1))).

(* Where h is smooth, its derivative (u = phi + x, v = 2 phi + y) is at most 2 in modulus. *)
Definition rectangle_bound_derivative : Prop :=
  forall (u : R) (v : R), 
  (Rabs (((cos v) * (sin u)) + (2 * (cos u) * (sin v)))) <= 2.

(* The mean distance when the node lies in its cell. *)
Definition rectangle_bound_inside : Prop :=
  forall (v_0 : R) (phi : R) (v_1 : R), v_0 <= phi -> phi <= v_1 -> 
  is_RInt (fun t : R => (Rabs (t + ((-1) * phi)))) (v_0) (v_1) ((((1 / 2) * ((phi + ((-1) * v_0)) ^ 2)) + ((1 / 2) * ((v_1 + ((-1) * phi)) ^ 2)))).

(* The mean distance when the node lies to the left of its cell. *)
Definition rectangle_bound_left_of_cell : Prop :=
  forall (v_0 : R) (phi : R) (v_1 : R), phi <= v_0 -> v_0 <= v_1 -> 
  is_RInt (fun t : R => (Rabs (t + ((-1) * phi)))) (v_0) (v_1) ((((1 / 2) * ((v_1 + ((-1) * phi)) ^ 2)) + (((-1) / 2) * ((v_0 + ((-1) * phi)) ^ 2)))).

(* The mean distance when the node lies to the right of its cell. *)
Definition rectangle_bound_right_of_cell : Prop :=
  forall (v_0 : R) (phi : R) (v_1 : R), v_1 <= phi -> v_0 <= v_1 -> 
  is_RInt (fun t : R => (Rabs (t + ((-1) * phi)))) (v_0) (v_1) ((((1 / 2) * ((v_0 + ((-1) * phi)) ^ 2)) + (((-1) / 2) * ((v_1 + ((-1) * phi)) ^ 2)))).

(* The absolute-value half has period pi and slope at most 1: nodes fold modulo pi, and the bound is halved. *)
Definition rectangle_bound_folded : Prop :=
  forall (v_0 : R) (v_1 : R) (phi : R) (x : R) (y : R), v_0 <= v_1 -> 
  (Rabs ((((-1) / 2) * (v_1 + ((-1) * v_0)) * (Rabs (cos (phi + x))) * (cos (y + (2 * phi)))) + (RInt (fun t : R => ((1 / 2) * (Rabs (cos (t + x))) * (cos (y + (2 * t))))) (v_0) (v_1)))) <= (RInt (fun t : R => (Rabs (t + ((-1) * phi)))) (v_0) (v_1)).

(* An output phase psi instead of 2 phi moves one height by at most the mismatch. *)
Definition rectangle_bound_phase_mismatch : Prop :=
  forall (phi : R) (psi : R) (y : R), 
  (Rabs (((-1) * (cos (y + (2 * phi)))) + (cos (psi + y)))) <= (Rabs (psi + ((-2) * phi))).

(* The mean distance of a node from its cell is convex in where the cells start: at a point between two it is at most the weighted mean. *)
Definition rectangle_bound_convex : Prop :=
  forall (v_0 : R) (v_1 : R) (phi : R) (u : R) (v : R) (lambda : R), 0 <= lambda -> v_0 <= v_1 -> lambda <= 1 -> 
  (RInt (fun t : R => (Rabs (t + ((-1) * phi) + (u * lambda) + (v * (1 + ((-1) * lambda)))))) (v_0) (v_1)) <= ((lambda * (RInt (fun t : R => (Rabs (t + u + ((-1) * phi)))) (v_0) (v_1))) + ((1 + ((-1) * lambda)) * (RInt (fun t : R => (Rabs (t + v + ((-1) * phi)))) (v_0) (v_1)))).

(* Folded: the absolute-value half as a function of twice the phase. Its slope is at most 1/2, so that a node 2 phi_i in a cell of its own is off by at most half of the mean distance. *)
Definition rectangle_bound_doubled : Prop :=
  forall (v_0 : R) (v_1 : R) (phi : R) (x : R) (y : R), v_0 <= v_1 -> 
  (Rabs ((((-1) / 2) * (v_1 + ((-1) * v_0)) * (Rabs (cos (x + ((1 / 2) * phi)))) * (cos (phi + y))) + (RInt (fun t : R => ((1 / 2) * (Rabs (cos (x + ((1 / 2) * t)))) * (cos (t + y)))) (v_0) (v_1)))) <= ((1 / 2) * (RInt (fun t : R => (Rabs (t + ((-1) * phi)))) (v_0) (v_1))).

(* The logits of infinitely many neurons of one frequency: the pizza factor of a - b times a wave in a + b - c. *)
Definition infinite_width_limit : Prop :=
  forall (a : R) (b : R) (c : R) (k : R) (omega : R) (W : R), 
  ((1 / 2) * W * (/ PI) * (RInt (fun phi : R => ((relu ((cos (phi + (a * k * omega))) + (cos (phi + (b * k * omega))))) * (cos ((2 * phi) + (c * k * omega))))) (((-1) * PI)) (PI))) = ((2 / 3) * W * (/ PI) * (Rabs (cos ((1 / 2) * k * omega * (a + ((-1) * b))))) * (cos (k * omega * (a + b + ((-1) * c))))).

(* In the limit, one frequency's logit at c = a + b less that at any c, as a square. *)
Definition infinite_width_limit_margin : Prop :=
  forall (a : R) (b : R) (c : R) (k : R) (omega : R), 
  (((2 / 3) * (/ PI) * (Rabs (cos ((1 / 2) * k * omega * (a + ((-1) * b)))))) + (((-2) / 3) * (/ PI) * (Rabs (cos ((1 / 2) * k * omega * (a + ((-1) * b))))) * (cos (k * omega * (a + b + ((-1) * c)))))) = ((4 / 3) * (/ PI) * ((sin ((1 / 2) * k * omega * (a + b + ((-1) * c)))) ^ 2) * (Rabs (cos ((1 / 2) * k * omega * (a + ((-1) * b)))))).

(* With g < 0 and no real zeros the ReLU is never inactive, and the second harmonic is that of the waveform. *)
Definition secondary_frequency_always_on : Prop :=
  forall (C : R) (g : R) (kappa : R), g < 0 -> ((C ^ 2) + (4 * g * (kappa + (2 * g)))) <= 0 -> 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu (kappa + ((-2) * g * (cos (2 * t))) + (2 * C * (cos t)))) * (cos (2 * t)))) (((-1) * PI)) (PI))) = ((-1) * g).

(* With g = 0 (delta = pi/4) a bias alone shortens the arc: the cube of a sine. *)
Definition secondary_frequency_no_second : Prop :=
  forall (C : R) (tau_1 : R), tau_1 >= 0 -> tau_1 <= PI -> 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu (((-2) * C * (cos tau_1)) + (2 * C * (cos t)))) * (cos (2 * t)))) (((-1) * PI)) (PI))) = ((2 / 3) * (/ PI) * ((sin tau_1) ^ 3) * (Rabs C)).

(* At the blind spot of the pizza (delta = pi/2), with kappa >= 2 sigma, the second harmonic is sigma. *)
Definition secondary_frequency_blind_spot : Prop :=
  forall (sigma : R) (kappa : R), 0 <= sigma -> kappa >= (2 * sigma) -> 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu (kappa + (2 * sigma * (cos (2 * t))))) * (cos (2 * t)))) (((-1) * PI)) (PI))) = sigma.

(* Without either it is the pizza factor. *)
Definition secondary_frequency_pizza_limit : Prop :=
  forall (C : R), 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu (2 * C * (cos t))) * (cos (2 * t)))) (((-1) * PI)) (PI))) = ((2 / 3) * (/ PI) * (Rabs C)).

(* The locked waveform in its own variables: theta_a and theta_b lie delta to either side of t. *)
Definition secondary_frequency_waveform : Prop :=
  forall (t : R) (delta : R) (sigma : R) (kappa : R), 0 <= sigma -> 
  (kappa + ((-1) * sigma * ((cos (((-2) * t) + (2 * delta))) + (cos ((2 * delta) + (2 * t))))) + (cos (delta + t)) + (cos (delta + ((-1) * t)))) = (kappa + (2 * (cos delta) * (cos t)) + ((-2) * sigma * (cos (2 * delta)) * (cos (2 * t)))).

(* It is even in t: the second harmonic has no imaginary part. *)
Definition secondary_frequency_no_sine : Prop :=
  forall (C : R) (g : R) (kappa : R), 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu (kappa + ((-2) * g * (cos (2 * t))) + (2 * C * (cos t)))) * (sin (2 * t)))) (((-1) * PI)) (PI))) = 0.

(* At sigma = 0.1375, kappa = 0.345 the response is at least 0.114 for every delta, *)
Definition flattest_response_near_optimum : Prop :=
  forall (delta : R), delta >= 0 -> delta <= ((1 / 2) * PI) -> 
  (57 / 500) <= ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu ((69 / 200) + (2 * (cos delta) * (cos t)) + (((-11) / 40) * (cos (2 * delta)) * (cos (2 * t))))) * (cos (2 * t)))) (((-1) * PI)) (PI))).

(* and at most 0.1376: the ratio is above 0.828. *)
Definition flattest_response_near_optimum_above : Prop :=
  forall (delta : R), delta >= 0 -> delta <= ((1 / 2) * PI) -> 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu ((69 / 200) + (2 * (cos delta) * (cos t)) + (((-11) / 40) * (cos (2 * delta)) * (cos (2 * t))))) * (cos (2 * t)))) (((-1) * PI)) (PI))) <= (86 / 625).

(* At sigma = 1/8, kappa = sqrt 2 - 1 it is at least 0.1021 for every delta, *)
Definition flattest_response_found_by_hand : Prop :=
  forall (delta : R), delta >= 0 -> delta <= ((1 / 2) * PI) -> 
  (1021 / 10000) <= ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu ((-1) + (sqrt 2) + (2 * (cos delta) * (cos t)) + (((-1) / 4) * (cos (2 * delta)) * (cos (2 * t))))) * (cos (2 * t)))) (((-1) * PI)) (PI))).

(* and at most 0.1313: the ratio is above 0.777. *)
Definition flattest_response_found_by_hand_above : Prop :=
  forall (delta : R), delta >= 0 -> delta <= ((1 / 2) * PI) -> 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu ((-1) + (sqrt 2) + (2 * (cos delta) * (cos t)) + (((-1) / 4) * (cos (2 * delta)) * (cos (2 * t))))) * (cos (2 * t)))) (((-1) * PI)) (PI))) <= (1313 / 10000).

(* The aliased coefficients, at the orders q - 2 with q = l n >= 6, fall off like the inverse square. *)
Definition equally_spaced_phases_size : Prop :=
  forall (r : R), 0 <= r -> 
  (Rabs ((/ PI) * (/ (1 + ((-1) * ((4 + r) ^ 2)))) * (cos (PI * (2 + ((1 / 2) * r)))))) <= ((12 / 5) * (/ PI) * (/ ((6 + r) ^ 2))).

(* So do those at the orders -q - 2. *)
Definition equally_spaced_phases_size_below : Prop :=
  forall (r : R), 0 <= r -> 
  (Rabs ((/ PI) * (/ (1 + ((-1) * ((8 + r) ^ 2)))) * (cos (PI * (4 + ((1 / 2) * r)))))) <= ((12 / 5) * (/ PI) * (/ ((6 + r) ^ 2))).

(* The harmonic of ReLU(cos) that an odd number n = 2L + 1 of phases sees at an alias of odd number 2l + 1 is 0, but at the orders 1 and -1: for n >= 5 only the even aliases are left, for n = 3 the order 1, too. *)
Definition equally_spaced_phases_odd : Prop :=
  forall (l : Z) (L : Z), 0 < IZR L -> ((-2) + ((1 + (2 * IZR l)) * (1 + (2 * IZR L)))) <> 1 -> ((-2) + ((1 + (2 * IZR l)) * (1 + (2 * IZR L)))) <> (-1) -> 
  is_RInt (fun t : R => ((relu (cos t)) * (cos (t * ((-2) + ((1 + (2 * IZR l)) * (1 + (2 * IZR L)))))))) (((-1) * PI)) (PI) (0).

(* Variance of one node at a uniformly random phase. *)
Definition random_phases : Prop :=
  forall (x : R) (y : R), 
  ((1 / 2) * (/ PI) * (RInt (fun phi : R => ((((relu (cos (phi + x))) * (cos (y + (2 * phi)))) + (((-1) / 3) * (/ PI) * (cos (((-1) * y) + (2 * x))))) ^ 2)) (((-1) * PI)) (PI))) = ((1 / 8) + (((-1) / 9) * (/ (PI ^ 2)) * ((cos (((-1) * y) + (2 * x))) ^ 2))).

(* Its mean is the integral's: the rule has no bias. *)
Definition random_phases_mean : Prop :=
  forall (x : R) (y : R), 
  ((1 / 2) * (/ PI) * (RInt (fun phi : R => ((relu (cos (phi + x))) * (cos (y + (2 * phi))))) (((-1) * PI)) (PI))) = ((1 / 3) * (/ PI) * (cos (((-1) * y) + (2 * x)))).

(* Its second moment does not depend on the input. *)
Definition random_phases_second_moment : Prop :=
  forall (x : R) (y : R), 
  ((1 / 2) * (/ PI) * (RInt (fun phi : R => (((relu (cos (phi + x))) ^ 2) * ((cos (y + (2 * phi))) ^ 2))) (((-1) * PI)) (PI))) = (1 / 8).

(* The second moment of a node with any waveform H of degree 2: the harmonics of H times those of ReLU(H), because ReLU(H)^2 = H ReLU(H). *)
Definition random_phases_any_waveform : Prop :=
  forall (kappa : R) (p_prime : R) (p_prime_prime : R) (q_prime : R) (q_prime_prime : R), 
  ((1 / 2) * (/ PI) * (RInt (fun t : R => ((relu (kappa + (p_prime * (cos t)) + (q_prime * (cos (2 * t))) + ((-1) * p_prime_prime * (sin t)) + ((-1) * q_prime_prime * (sin (2 * t))))) ^ 2)) (((-1) * PI)) (PI))) = (((1 / 2) * kappa * (/ PI) * (RInt (fun t : R => (relu (kappa + (p_prime * (cos t)) + (q_prime * (cos (2 * t))) + ((-1) * p_prime_prime * (sin t)) + ((-1) * q_prime_prime * (sin (2 * t)))))) (((-1) * PI)) (PI))) + ((1 / 2) * p_prime * (/ PI) * (RInt (fun t : R => ((relu (kappa + (p_prime * (cos t)) + (q_prime * (cos (2 * t))) + ((-1) * p_prime_prime * (sin t)) + ((-1) * q_prime_prime * (sin (2 * t))))) * (cos t))) (((-1) * PI)) (PI))) + ((1 / 2) * q_prime * (/ PI) * (RInt (fun t : R => ((relu (kappa + (p_prime * (cos t)) + (q_prime * (cos (2 * t))) + ((-1) * p_prime_prime * (sin t)) + ((-1) * q_prime_prime * (sin (2 * t))))) * (cos (2 * t)))) (((-1) * PI)) (PI))) + (((-1) / 2) * p_prime_prime * (/ PI) * (RInt (fun t : R => ((relu (kappa + (p_prime * (cos t)) + (q_prime * (cos (2 * t))) + ((-1) * p_prime_prime * (sin t)) + ((-1) * q_prime_prime * (sin (2 * t))))) * (sin t))) (((-1) * PI)) (PI))) + (((-1) / 2) * q_prime_prime * (/ PI) * (RInt (fun t : R => ((relu (kappa + (p_prime * (cos t)) + (q_prime * (cos (2 * t))) + ((-1) * p_prime_prime * (sin t)) + ((-1) * q_prime_prime * (sin (2 * t))))) * (sin (2 * t)))) (((-1) * PI)) (PI)))).

(* With the gate of x instead of its own, ReLU(y) is missed by no more than the amount by which y - x exceeds x. *)
Definition gate_lemma : Prop :=
  forall (x : R) (y : R), 
  (((-1) * y * (gate x)) + (relu y)) <= (relu (((-1) * (Rabs x)) + (Rabs (y + ((-1) * x))))).

(* A wrong gate always loses: the error is never negative. *)
Definition gate_lemma_sign : Prop :=
  forall (x : R) (y : R), 
  0 <= (((-1) * y * (gate x)) + (relu y)).

(* Where |x| is at most epsilon, either gate g, 0 or 1, will do: the bound grows by epsilon. *)
Definition gate_lemma_any_gate : Prop :=
  forall (x : R) (y : R) (epsilon : R) (g : Z), 0 <= epsilon -> 0 <= IZR g -> (Rabs x) <= epsilon -> IZR g <= 1 -> 
  (((-1) * y * IZR g) + (relu y)) <= (epsilon + (Rabs (y + ((-1) * x)))).

(* At a level l the bound splits into one function of each input. *)
Definition gate_lemma_levels : Prop :=
  forall (delta_A : R) (delta_B : R) (l : R), 0 <= delta_A -> 0 <= delta_B -> 0 <= l -> 
  (relu (delta_A + delta_B + ((-1) * l))) <= ((relu (delta_A + (((-1) / 2) * l))) + (relu (delta_B + (((-1) / 2) * l)))).

(* Taking the middle of [0, rho-bar] for the error leaves half of it. *)
Definition gate_lemma_midpoint : Prop :=
  forall (rho : R) (bar_rho : R), 0 <= bar_rho -> 0 <= rho -> rho <= bar_rho -> 
  (Rabs (rho + (((-1) / 2) * bar_rho))) <= ((1 / 2) * bar_rho).

(* ReLU moves by at most as much as its argument. *)
Definition margin_certificate_lipschitz : Prop :=
  forall (x : R) (delta : R), 
  (Rabs (((-1) * (relu x)) + (relu (delta + x)))) <= (Rabs delta).

(* Two numbers of an interval differ by at most its length. *)
Definition margin_certificate_oscillation : Prop :=
  forall (f_y : R) (f_c : R) (f_0 : R) (f_1 : R), f_0 <= f_y -> f_y <= f_1 -> f_0 <= f_c -> f_c <= f_1 -> 
  (Rabs (f_y + ((-1) * f_c))) <= (f_1 + ((-1) * f_0)).

(* The absolute value: twice ReLU. *)
Definition activations_absolute : Prop :=
  forall (t : R) (lambda : R), 
  is_RInt (fun x : R => ((Rabs (lambda * (cos x))) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (((4 / 3) * (Rabs lambda) * (cos t))).

(* The square. *)
Definition activations_square : Prop :=
  forall (t : R) (lambda : R), 
  is_RInt (fun x : R => ((lambda ^ 2) * ((cos x) ^ 2) * (cos (t + (2 * x))))) (((-1) * PI)) (PI) (((1 / 2) * PI * (lambda ^ 2) * (cos t))).

(* The mean of |cos|: what the blind spot costs on average. *)
Definition torus_quadrature_blind_spot : Prop :=
  
  ((1 / 2) * (/ PI) * (RInt (fun v : R => (Rabs (cos v))) (((-1) * PI)) (PI))) = (2 * (/ PI)).

(* One phase averaged first, at a fixed other one y in [0, pi]. *)
Definition torus_quadrature_inner : Prop :=
  forall (t : R) (y : R), y >= 0 -> y <= PI -> 
  is_RInt (fun x : R => ((relu ((cos x) + (cos y))) * (cos (t + x + y)))) (((-1) * PI)) (PI) (((PI + ((-1) * y) + ((cos y) * (sin y))) * (cos (t + y)))).

(* Not printed:
   product_to_sum.parity_free: Re is not known
   product_to_sum.amplitude: ImaginaryUnit is not known
   rectified_cosine: ImaginaryUnit is not known
   rectified_cosine.first: ImaginaryUnit is not known
   rectified_cosine.minus_first: ImaginaryUnit is not known
   rectified_cosine.odd: ImaginaryUnit is not known
   rectified_cosine.even: ImaginaryUnit is not known
   rectified_cosine.absolute: ImaginaryUnit is not known
   rectified_cosine.absolute_first: ImaginaryUnit is not known
   rectified_cosine.series: Sum is not known
   exact_arcs: X is a family of numbers
   exact_arcs.wave: ImaginaryUnit is not known
   exact_arcs.tangent: ImaginaryUnit is not known
   rectangle_bound.attained: both sides are numbers as they are stored, whatever its variables
   rectangle_bound.identity_half: w is a family of numbers
   infinite_width_limit.sum_to_integral: Sum is not known
   secondary_frequency: Max is not known
   secondary_frequency.convex: Max is not known
   secondary_frequency.quartic: Re is not known
   secondary_frequency.arc: Re is not known
   secondary_frequency.arc_second: Re is not known
   secondary_frequency.four_zeros: ImaginaryUnit is not known
   secondary_frequency.two_zeros: ImaginaryUnit is not known
   secondary_frequency.logits: Re is not known
   flattest_response: Min is not known
   harmonic_error: w is a family of numbers
   harmonic_error.target: w is a family of numbers
   harmonic_error.supremum: c is a family of numbers
   harmonic_error.by_parts: the condition f in C^2 is not a relation of real numbers
   harmonic_error.decay: ImaginaryUnit is not known
   harmonic_error.tail: Sum is not known
   harmonic_error.arc: the condition f in C^3 is not a relation of real numbers
   harmonic_error.kink_tail: Sum is not known
   harmonic_error.equidistributed: w is a family of numbers
   equally_spaced_phases: Sum is not known
   equally_spaced_phases.exact: Sum is not known
   equally_spaced_phases.alias: Sum is not known
   equally_spaced_phases.aliasing: Sum is not known
   equally_spaced_phases.rate: Sum is not known
   equally_spaced_phases.sharp: Sum is not known
   squared_distance: d is a family of numbers
   squared_distance.wave: Sum is not known
   squared_distance.ideal: X is a family of numbers
   squared_distance.parseval: Sum is not known
   random_phases.uncorrelated: Integral((cos(2*phi_1 + y)*ReLU(cos(phi_1 + x)) - cos(2*x - y)/(3*pi))*(cos(2*phi_2 + y)*ReLU(cos(phi_2 + x)) - cos(2*x - y)/(3*pi)), (phi_1, -pi, pi), (phi_2, -pi, pi)) is no integral over one interval
   random_phases.rule: Integral((w_1*(cos(2*phi_1 + y)*ReLU(cos(phi_1 + x)) - cos(2*x - y)/(3*pi)) + w_2*(cos(2*phi_2 + y)*ReLU(cos(phi_2 + x)) - cos(2*x - y)/(3*pi)))**2, (phi_1, -pi, pi), (phi_2, -pi, pi)) is no integral over one interval
   random_phases.equal_weights: w is a family of numbers
   random_phases.one_more: the condition f in C^0 is not a relation of real numbers
   margin_certificate: Z is a family of numbers
   margin_certificate.frequency: ImaginaryUnit is not known
   margin_certificate.chord: ImaginaryUnit is not known
   margin_certificate.gate: Re is not known
   margin_certificate.harmonics: h' is a family of numbers
   margin_certificate.circuit: h is a family of numbers
   activations: the condition f in C^2 is not a relation of real numbers
   activations.even_part: the condition f in C^0 is not a relation of real numbers
   activations.kinked: the condition f in C^2 is not a relation of real numbers
   activations.square_exact: Sum is not known
   activations.square_three: Sum is not known
   activations.square_four: Sum is not known
   activations.gelu: erf is not known
   torus_quadrature: Integral(cos(x + y)*ReLU(cos(x) + cos(y)), (x, -pi, pi), (y, -pi, pi)) is no integral over one interval
   torus_quadrature.phase: Integral(cos(t + x + y)*ReLU(cos(x) + cos(y)), (x, -pi, pi), (y, -pi, pi)) is no integral over one interval
   torus_quadrature.logits: Integral(cos(c*k*omega + chi + phi)*ReLU(cos(a*k*omega + phi) + cos(b*k*omega + chi)), (phi, -pi, pi), (chi, -pi, pi)) is no integral over one interval *)
