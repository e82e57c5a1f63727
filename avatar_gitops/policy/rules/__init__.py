"""The rules that come with the program: one function per rule, whose docstring is its title and its reason."""
