"""Training the network: corpora, augmentation, samples, loop, evaluation."""
