"""The refinement network, its discriminator and the losses on the final image."""
