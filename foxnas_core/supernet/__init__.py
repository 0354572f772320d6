"""The weight-sharing supernet: elastic layers, network, training, extraction, checkpoints."""
