"""Every statistic that tables and figures show, in a sentence or two."""

from foxnas_core.glossary.entry import GlossaryEntry

# The first that fits counts, so what is special stands before what is common.
TERMS: tuple[GlossaryEntry, ...] = (
    # How well a regression fits
    GlossaryEntry(
        "R²",
        "The share of the target's variance that the regression explains, on the rows it was "
        "fitted to: 1 is all of it.",
        "r²|r2",
    ),
    GlossaryEntry(
        "Adjusted R²",
        "R² with a charge for every parameter, so that terms which explain nothing lower it.",
        "adjusted r²|r2_adjusted",
        "1 - (1 - R²)(n - 1)/(n - p); Ezekiel 1930",
    ),
    GlossaryEntry(
        "Cross-validated R²",
        "R² on subnets that the fit never saw: each tenth of the rows is predicted by a fit of the "
        "others.",
        "cross-validated r²|cv r²|cv_r2",
        "Stone 1974",
    ),
    GlossaryEntry(
        "RMSE",
        "The typical error of a prediction, in the target's unit: the root of the mean squared "
        "difference between predicted and measured.",
        r"(cv )?rmse( \(.+\))?(_sd|_low|_high)?",
    ),
    GlossaryEntry(
        "Mean absolute percentage error",
        "By how many percent predictions are off on average, whichever way.",
        r"mape(_low|_high)?|mean absolute error \(%\)",
    ),
    GlossaryEntry(
        "Kendall's tau",
        "How alike two orders are: 1 where every pair of subnets is in the same order, 0 where as "
        "many pairs are the other way round.",
        r"(kendall's )?tau(_sd|_low|_high)?|kendall",
        "Kendall 1938",
    ),
    GlossaryEntry(
        "Spearman's rho",
        "How alike two orders are: the correlation of the ranks.",
        "spearman|rho(, (low|high))?",
        "Spearman 1904",
    ),
    GlossaryEntry(
        "Ends by the jackknife",
        "The ends of tau's 95 % interval by leaving out one subnet after the other, beside those "
        "of the bootstrap: where the two differ much, the subnets are too few for either.",
        "(low|high), jackknife",
        "Arvesen 1969",
    ),
    GlossaryEntry(
        "Tau at most",
        "What tau would be on average of a ranking in the true order, if the luck of one training "
        "were all that came between.",
        "tau at most",
    ),
    GlossaryEntry(
        "Same order", "The share of pairs of subnets in the same order.", r"same order \(%\)"
    ),
    GlossaryEntry(
        "Parameters",
        "In a regression the number of terms that are fitted, in a network the number of its "
        "weights.",
        "parameters",
    ),
    GlossaryEntry("Rows", "How many measured subnets this is of.", "rows|number|subnets"),
    GlossaryEntry(
        "Rows left out",
        "How many measured subnets failed a check of how they were measured, and tell nothing.",
        "left out",
    ),
    GlossaryEntry(
        "Link",
        "The scale on which effects add up: the target's own, or one that saturates towards a "
        "ceiling.",
        "link",
    ),
    GlossaryEntry("Repeats", "How often this was done anew, with other rows drawn.", "repeats"),
    GlossaryEntry("Pairs", "How many pairs of subnets this is of.", "pairs"),
    # One effect and how sure it is
    GlossaryEntry(
        "Standard error",
        "How far an estimate would typically be off if all were measured anew.",
        r"(.*[_ :])?std[_ ]error",
    ),
    GlossaryEntry(
        "Expected standard error",
        "The standard error once the planned subnets are measured too.",
        "expected",
    ),
    GlossaryEntry(
        "t",
        "The estimate in standard errors: beyond ±2 it is seldom chance.",
        "t",
        "Student 1908",
    ),
    GlossaryEntry(
        "F",
        "How much better the regression fits with these terms than without, against noise; "
        "about 1 where they do nothing.",
        "f",
        "Fisher 1925",
    ),
    GlossaryEntry(
        "Test",
        "RESET asks whether squares and cubes of the predictions explain what the regression "
        "missed; White and Breusch-Pagan, whether errors are larger for some subnets. A p below "
        "the limit speaks against the fit.",
        "test|statistic|limit",
        "Ramsey 1969; White 1980; Breusch and Pagan 1979",
    ),
    GlossaryEntry(
        "Adjusted p",
        "p made larger for the number of tests, so that of all effects below .05 at most 5 % are "
        "expected to be false (also called q).",
        r"(.*_)?p_adjusted|adjusted( p)?|q",
        "Benjamini and Hochberg 1995",
        tiny=True,
    ),
    GlossaryEntry(
        "p",
        "The probability of an effect at least this large if there were none.",
        "p",
        tiny=True,
    ),
    GlossaryEntry(
        "Stars",
        "* adjusted p below .05, ** below .01, *** below .001.",
        r"(.*[_ ])?stars",
    ),
    GlossaryEntry(
        "Clear", "Whether the 95 % interval leaves out 0, so that the data tell the sign.", "clear"
    ),
    GlossaryEntry(
        "Beyond noise",
        "Whether the difference is more than the measurements' noise.",
        "beyond noise",
    ),
    GlossaryEntry(
        "Degrees of freedom",
        "How many independent pieces of information a number rests on: tested terms, or rows less "
        "parameters.",
        r"df|residual_df",
    ),
    GlossaryEntry("Terms", "How many terms of the regression this is of.", "terms"),
    GlossaryEntry(
        "Prediction interval",
        "One new measurement of such a subnet falls in here in 95 % of cases.",
        r"prediction[ _](low|high)",
    ),
    GlossaryEntry(
        "Calibrated expectation",
        "What an optimum so predicted measures, by what other searched optima measured, with its "
        "95 % interval: a search favours what is predicted too well.",
        r"as searched|searched (low|high)",
        "the optimizer's curse, Smith and Winkler 2006",
    ),
    GlossaryEntry(
        "Chance",
        "The probability of keeping the budget, or the goal, when measured.",
        "chance( .*)?",
    ),
    # What speaks against a fit
    GlossaryEntry(
        "Residual",
        "Measured less predicted.",
        "residual",
    ),
    GlossaryEntry(
        "Studentised residual",
        "The residual in its own standard errors, from a fit without the row; beyond ±3 it is "
        "unusual.",
        "studentised",
        "Belsley, Kuh and Welsch 1980",
    ),
    GlossaryEntry(
        "Standardised residual",
        "The residual in its own standard errors; beyond ±3 it is unusual.",
        "standardised",
    ),
    GlossaryEntry(
        "Theoretical quantile",
        "Where the residual of this place in the order would lie if errors were normal.",
        "theoretical",
        "Wilk and Gnanadesikan 1968",
    ),
    GlossaryEntry(
        "Leverage",
        "How far a subnet's choices are from the others', so how much its own row pulls its "
        "prediction: between 0 and 1.",
        "leverage",
        "the hat matrix's diagonal, Hoaglin and Welsch 1978",
    ),
    GlossaryEntry(
        "Cook's distance",
        "How much all predictions would move without this row.",
        "cook",
        "Cook 1977",
    ),
    GlossaryEntry(
        "VIF",
        "Variance inflation factor: how many times larger a coefficient's variance is because "
        "other terms vary along with it; 1 is none, above 10 is much.",
        "vif",
        "1/(1 - R² of the term on the others); Marquardt 1970",
    ),
    # Explanations and choices
    GlossaryEntry(
        "Effect",
        "What a choice, a block or an edit changes in the target, in its unit, the rest being "
        "equal.",
        r"effect|estimate|Δ .*(?<! low)(?<! high)|.* effect",
    ),
    GlossaryEntry(
        "Value",
        "What the panel's sentence says, in the unit of its target.",
        "value",
    ),
    GlossaryEntry(
        "Difference",
        "The second less the first, in the target's unit.",
        r"change|(largest )?difference|gain( \(points\))?|loss|trained less inherited|"
        r"second less first",
    ),
    GlossaryEntry("Mean", "The average of all of them.", "mean"),
    GlossaryEntry(
        "Mean choice", "The average of this choice over a subnet's blocks that are on.", "mean .+"
    ),
    GlossaryEntry(
        "Narrower",
        "By how many percent intervals become narrower on average.",
        "batch|random",
    ),
    GlossaryEntry("Range", "The least and the greatest of all of them.", "least|most"),
    GlossaryEntry(
        "Range of random batches",
        "Nine in ten random batches of as many subnets lie between these ends.",
        "random_(low|high)",
    ),
    GlossaryEntry(
        "Range of a bin",
        "The ends of the range of values that is counted here.",
        r"(slower|faster)_(low|high)|(from|to) \(%\)",
    ),
    GlossaryEntry("Effects", "How many effects this is of.", "effects"),
    GlossaryEntry(
        "Price",
        "What is given up of one target for one unit of the other; the hull's price is that of the "
        "straight line between corners of the front.",
        r"(hull )?price( low| high)?",
        "Everett 1963",
    ),
    GlossaryEntry("Rank", "The place in the order, 1 being the first.", "rank( .*)?"),
    GlossaryEntry(
        "Margin",
        "By how much one takes less than the other, in percent of it.",
        r"margin \(%\)|apart \(%\)|saves \(%\)",
    ),
    GlossaryEntry("Error", "Predicted less measured, in percent of the measured.", r"error \(%\)"),
    GlossaryEntry(
        "Swapped",
        "The share of pairs of subnets of which the better on one device is the worse on the "
        "other.",
        r"swapped( \(%\))?|share",
    ),
    GlossaryEntry(
        "Helped", "The share of subnets that int8 makes better: 0 is none, 1 all.", "helped"
    ),
    GlossaryEntry(
        "Ratio",
        "How large one is in parts of the other; below 1 it is smaller.",
        "ratio",
    ),
    GlossaryEntry(
        "Cross-validated prediction",
        "The prediction by a fit that did not have this row.",
        "cross-validated|held_out",
    ),
    GlossaryEntry(
        "Median error",
        "Half of the predictions of rows that were left out are off by less, in percent of what "
        "was measured.",
        "median error \\(%\\)|Median error in .+",
    ),
    # What a measurement is worth
    GlossaryEntry(
        "Spread",
        "How far repeated timings of a subnet lie apart, in percent of their middle.",
        "spread",
    ),
    GlossaryEntry(
        "Above the minimum",
        "How much of the latency is more than the fastest run took, in percent.",
        "above_minimum",
    ),
    GlossaryEntry(
        "Drift",
        "How fast a reference network ran then, as a factor of what it took at first: the "
        "machine's own change of speed.",
        "drift",
    ),
    GlossaryEntry(
        "Range of the drift",
        "How far apart the timings of the reference network lie, in percent.",
        "drift_range",
    ),
    # Ends of intervals, whatever they are of
    GlossaryEntry(
        "Width",
        "How wide the 95 % intervals of the effects are on average, in the target's unit; of a "
        "network designed by hand, the factor of its channels.",
        "width",
    ),
    GlossaryEntry(
        "Law",
        "The width of intervals if it falls as 1/√(rows less parameters).",
        "law",
    ),
    GlossaryEntry("Repeated timings", "The range of repeated timings.", r"(low|high) \((ms|µs)\)"),
    GlossaryEntry(
        "Interval",
        "An end of the 95 % interval: intervals made this way hold the true value in 95 % of "
        "studies. Where one of an effect spans 0, the data do not tell its sign.",
        r"low|high|.*[_ ](low|high)",
        "Neyman 1937",
    ),
    # Targets, which effects on them are named after too
    GlossaryEntry(
        "MACs",
        "Multiplications with an addition that one input takes: a count of work, not of time.",
        "macs( .*)?",
    ),
    GlossaryEntry(
        "Cross-entropy",
        "How little probability the network gives to the right class, in nats: 0 is certain and "
        "right.",
        r"cross[-_]entropy( \(.*\))?",
    ),
    GlossaryEntry(
        "Dice",
        "How far what is found and what is there overlap: 0 is not at all and 1 entirely.",
        r"dice.*",
    ),
    GlossaryEntry(
        "Slices seen",
        "How many slices of a volume can change what a network says of one: its receptive field "
        "along the third axis, at the slice that sees most.",
        "slices seen",
    ),
    GlossaryEntry(
        "Accuracy lost",
        "Top-1 accuracy in the first precision less that in the other, in points.",
        r"accuracy lost .*|accuracy_drop:.*",
    ),
    GlossaryEntry(
        "Top-1 accuracy",
        "The share of held-out images whose class the network names first, in percent; effects on "
        "it are in points.",
        r"(top-1 )?accuracy( ?[(:].*| fp32| int8)?|inherited|trained|without recalibration",
    ),
    GlossaryEntry(
        "Latency",
        "The time that one input takes, at batch size 1 on one thread; effects on it are in its "
        "unit.",
        r"latency[^ ]*( \(.*\))*|.* \((ms|µs)\)",
    ),
    GlossaryEntry(
        "Exchange rate",
        "What a unit of the cost buys of the objective, or gives up of it where it is saved.",
        r"(points|%|[^ ]+) per .+",
    ),
    GlossaryEntry(
        "Better than",
        "The share of the measured subnets whose measured values are worse, in percent.",
        r"better than \(%\)",
    ),
    GlossaryEntry("Precision", "The value of the network in this precision.", "fp32|int8"),
    GlossaryEntry("Energy", "What one input takes in electricity, in millijoules.", r"energy.*"),
    GlossaryEntry(
        "Peak memory", "The most memory that running the network takes.", r"(peak )?memory.*"
    ),
)
