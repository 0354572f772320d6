"""What there is to be told of a study, one analysis a function: it says what it needs, and makes a
card, which pages, reports and the command line render. Nothing here knows who does.
"""
