"""What is claimed: the certificate, its file, the network it is about, and the words for it."""
