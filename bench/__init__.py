"""Measurements, and what they found."""
