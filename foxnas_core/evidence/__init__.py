"""What speaks for or against the answers: training alone, claims verified, networks by hand."""
