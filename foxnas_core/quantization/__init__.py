"""What int8 costs and wins, and fine-tuning a subnet so that it costs less."""
