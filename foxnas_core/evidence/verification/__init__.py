"""Are the explanations true? Claims that were stated before measuring, and what measuring said."""
