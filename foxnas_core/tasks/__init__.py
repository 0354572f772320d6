"""What networks are trained for: the data, the loss and the score."""
