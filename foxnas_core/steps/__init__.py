"""What is done with a study from end to end, as the command line and the pages both do it."""
