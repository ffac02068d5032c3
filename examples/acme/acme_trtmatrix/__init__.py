"""A distribution that adds one part of each kind to trtmatrix, through nothing but its public names."""
