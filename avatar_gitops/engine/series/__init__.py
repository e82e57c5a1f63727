"""Time series of people: brought to a common length, described by a few scores, anonymized with the people they are of.

Scores of a person's series are modelled beside the person's attributes, so that both avatars come from the same
neighbours; the avatar's curve is put together from its scores, and gets its own beginning, duration and length.
"""
