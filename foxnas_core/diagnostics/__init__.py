"""What speaks against a fitted predictor: its rows, its errors, its terms, its form."""
