"""Generated motion: an articulated body performs the 14 actions of Sport14, seen by a camera and a pose estimator."""
