"""The independent checker: balls and fractions, from the circuit and the certificate's record alone."""
