"""Populations of networks: trained, analysed, tabulated, in one process or on a cluster."""
