"""Generates clips of an articulated body that performs the 14 actions of Sport14 in front of a camera."""
