"""What is no symbol: pages as people leave them by mistake, to learn and to test refusal.

Networks that only ever saw symbols find one in everything, and are sure of it: they must be shown
what is none (outlier exposure, Hendrycks et al. 2019).
"""
