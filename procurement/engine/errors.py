"""The one error of the engine: a parameter that cannot be used, by name."""


class ParameterError(ValueError):
    """`parameter` names the input that is wrong, `message` says in one clear sentence why."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter
        self.message = message
