"""Inside of ``zhol.system.driver_paths``: yearly series of a pack, and their monthly paths, central and drawn.

Times are in years: 2020.5 is 1 July 2020. Arrays have the places last, the time before them, draws first.
"""
