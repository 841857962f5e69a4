"""The ladder in linear time: what is evaluated of each term, and what bounds the rest."""
