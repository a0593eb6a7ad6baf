"""The one error of the embedded servers: a single line that says what is wrong and what to do."""


class EmbeddedError(RuntimeError):
    """Its text is shown to the operator as it is."""


def reason_in_log(log: str) -> str | None:
    """The operator's sentence for a known cause near the end of a server's log, or None."""
    causes = {
        "No space left on device": "the disk is full: free some space, then start again (committed data is safe)",
        "could not create shared memory segment": "the machine has too little shared memory for it",
        "Cannot allocate memory": "the machine has too little free memory for it",
        "could not map anonymous shared memory": "the machine has too little free memory for it",
        "incompatible with server": "the data was made by another version",
        "Bad file format reading the append only file": "its append-only file is damaged",
        "Read-only file system": "the file system is mounted read-only",
    }
    return next((sentence for mark, sentence in causes.items() if mark in log), None)
