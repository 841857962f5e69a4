"""What the prover chooses before it bounds anything; any choice is sound."""
