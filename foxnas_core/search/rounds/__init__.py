"""FOX-NAS's outer loop: search, measure what was found, fit anew, and search again.

A round takes one find for each of some budgets, fixed over the rounds so that these can be
compared: the predicted optimum, which is exact, or, where that was measured already, the best
predicted subnet near the front that was not. What the predictors said before a find was measured
is kept with what it measured, since a later fit has seen it.
"""
