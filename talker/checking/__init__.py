"""What is wrong with footage before it is fitted, how to mend it, and how long the fit will take here.

From below: look (pictures, five times a second), cuts (every picture, small), lips (sound against lips),
sound, cost (of a fit on this machine), findings (what is said of all that), report, plots and page (how it is shown),
examine (all of it, in order).
"""
