"""Real browsers beside the executable one: the same pages, the same scripted servers, compared.

`scenario` and `scenarios` say what is done, `observing` what the model does with it, `driving`
what a real engine does; `comparing`, `shrinking` and `deviations` turn a difference into a bug of
the model or a line of the table of where engines leave the standard.
"""
