"""The MBConv family: once-for-all networks of inverted residuals."""
