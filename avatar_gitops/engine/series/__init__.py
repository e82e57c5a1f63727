"""Time series: curves of people as a few columns of the table of the people, and back again."""
