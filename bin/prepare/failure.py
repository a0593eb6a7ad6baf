"""The one error of the preparation: a line that says what is wrong and what to do."""


class Failure(Exception):
    """Its text is shown as it is."""
