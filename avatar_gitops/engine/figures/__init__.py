"""Figures of one avatarization, as Vega-Lite documents in which no single original can be recognised.

Originals are drawn as aggregates over at least `model.FEWEST` rows (cells, bars, means, bands), never as points, and no
axis shows how far they reach; avatars are drawn as they are delivered, at most `model.MOST_POINTS` marks in all.
"""
