"""How fast talker is: kernels against the reference, a fit, a drive."""
