steps = 3
