"""Measurements that anyone can run: `make bench`. Figures of one machine are noisy; read the ratios."""
