"""The audio-spatial radiance field: encodings, kernels, head field, torso layer, and the fitter."""
