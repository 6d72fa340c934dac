"""Inside of ``zhol.estimate.flows``: accounts, tables, errors of stocks, the world.

Arrays throughout: a batch of stocks has the shape (draw, birthplace, residence).
"""
