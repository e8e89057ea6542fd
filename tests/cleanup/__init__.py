"""The clean-up macro, on real servers, with faults that are made and not simulated."""
