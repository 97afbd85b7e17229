"""What lessons need: checks of exercises, recorded results, stored studies, the versions for students."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "check": "Check Checks",
        "recording": "Value Verdict record verdict",
        "studies": "read_study",
        "notebooks": "execute student_version",
    },
)
