"""Inside of `zhol.estimate.lists`: one job a file, arrays in, arrays out."""
