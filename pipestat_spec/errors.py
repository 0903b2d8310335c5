"""The error tree. Every error that a caller can meet is in it.

    PipestatError
    ├── PipestatStartupError              a store or a setting cannot be used
    │   ├── NoBackendSpecifiedError       no key of the configuration names a store
    │   ├── MissingConfigDataError        a setting is missing or wrong
    │   │   └── RecordNotNamedError       neither a call nor a setting names a record
    │   ├── StoreNotFoundError            there is nothing to read where a store was named
    │   ├── UnsafeStoreError              the store cannot keep its promises
    │   ├── PluginError                   a plugin is broken or misspelt
    │   └── PipestatDependencyError       a package is not installed
    ├── SchemaError                       an output or status schema is wrong
    │   ├── SchemaNotFoundError
    │   └── SchemaValidationErrorDuringReport   a value does not fit its schema
    │       └── InvalidTypeError          a value has the wrong type
    ├── PipestatDataError                 data that cannot be stored or read
    │   ├── InvalidValueError             outside the data model
    │   │   └── IncompatibleClassError    a value's class has no counterpart there
    │   ├── InvalidIdentifierError        outside the rules for names
    │   ├── ResultConflictError           another value is stored, overwriting is off
    │   ├── LayoutError                   the store has, or would need, another layout
    │   └── DocumentError                 a report document is wrong
    ├── UnrecognizedStatusError
    ├── UnsupportedOperation              a capability that the backend does not have
    ├── FilterSyntaxError                 a filter text or condition is wrong
    ├── InvalidTimeFormatError
    ├── PipestatSummarizeError
    ├── PipestatDatabaseError
    ├── PipestatPEPHubError
    └── RecordNotFoundError, ColumnNotFoundError, PipelineTypeNotSuppliedError

Where Python has an error for the same, ours is that too: the last three are LookupErrors; wrong
names, values, settings, filters and times ValueErrors; wrong classes and types TypeErrors; a
record that nothing names, and what a backend does not offer, NotImplementedErrors.

An error reads as one line: what is wrong, and after a semicolon what mends it.
What it speaks of is also kept as attributes, for programs, and `code` is one of the
closed list of spec/core.md.
"""

from __future__ import annotations

__all__ = [
    "ColumnNotFoundError",
    "DocumentError",
    "FilterSyntaxError",
    "IncompatibleClassError",
    "InvalidIdentifierError",
    "InvalidTimeFormatError",
    "InvalidTypeError",
    "InvalidValueError",
    "LayoutError",
    "MissingConfigDataError",
    "NoBackendSpecifiedError",
    "PipelineTypeNotSuppliedError",
    "PipestatDataError",
    "PipestatDatabaseError",
    "PipestatDependencyError",
    "PipestatError",
    "PipestatPEPHubError",
    "PipestatStartupError",
    "PipestatSummarizeError",
    "PluginError",
    "RecordNotFoundError",
    "RecordNotNamedError",
    "ResultConflictError",
    "SchemaError",
    "SchemaNotFoundError",
    "SchemaValidationErrorDuringReport",
    "StoreNotFoundError",
    "UnrecognizedStatusError",
    "UnsafeStoreError",
    "UnsupportedOperation",
]


class PipestatError(Exception):
    """Root of all errors of this package.

    `message` says what is wrong and `hint` what mends it, or is None; `code` is the kind of error,
    for programs. `data` holds what the error speaks of, by name, and each name is an attribute too.
    """

    code = "store"

    def __init__(self, message: str, *, hint: str | None = None, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def __getattr__(self, name: str) -> object:
        data = self.__dict__.get("data", {})
        if name in data:
            return data[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, a line for each problem."""
        told = self.data.get("problems")
        return [*told] if isinstance(told, list) else [str(self)]

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.data))


def _rebuild(
    kind: type[PipestatError], message: str, hint: str | None, data: dict[str, object]
) -> PipestatError:
    return kind(message, hint=hint, **data)


class PipestatStartupError(PipestatError):
    """A store or a setting cannot be used."""


class NoBackendSpecifiedError(PipestatStartupError):
    """No argument, configuration key or environment variable names a store."""

    code = "config"


class MissingConfigDataError(PipestatStartupError, ValueError):
    """A setting is missing, unknown or of the wrong type."""

    code = "config"


class StoreNotFoundError(PipestatStartupError):
    """A store, or a namespace of it, is to be read and is not there."""

    code = "not-found"


class RecordNotNamedError(MissingConfigDataError, NotImplementedError):
    """Neither the call nor a setting names a record."""


class UnsafeStoreError(PipestatStartupError):
    """The store cannot keep the promises of spec/core.md."""

    code = "unsafe"


class PluginError(PipestatStartupError):
    """A plugin cannot be loaded, or two plugins claim one name."""

    code = "config"


class PipestatDependencyError(PipestatStartupError):
    """A package that this operation needs is not installed."""

    code = "config"


class SchemaError(PipestatError):
    """An output schema or a status schema is wrong."""

    code = "schema"


class SchemaNotFoundError(SchemaError):
    """A schema file is not where it was said to be, or none was given."""


class SchemaValidationErrorDuringReport(SchemaError, ValueError):
    """A reported value does not fit the schema of its result."""

    code = "validation"


class InvalidTypeError(SchemaValidationErrorDuringReport, TypeError):
    """A reported value has another type than its schema declares."""


class PipestatDataError(PipestatError):
    """Data that cannot be stored, or stored data that cannot be read."""


class InvalidValueError(PipestatDataError, ValueError):
    """A value lies outside the data model (spec/core.md)."""

    code = "validation"


class IncompatibleClassError(InvalidValueError, TypeError):
    """A value's class has no counterpart in the data model."""


class InvalidIdentifierError(PipestatDataError, ValueError):
    """A record or result identifier breaks the rules for names (spec/core.md)."""

    code = "validation"


class ResultConflictError(PipestatDataError):
    """A different value is stored already and overwriting is off."""

    code = "conflict"


class LayoutError(PipestatDataError):
    """The store has, or would need, another layout (spec/yaml.md)."""

    code = "layout"


class DocumentError(PipestatDataError):
    """A report document is wrong; `problems` lists what is wrong with each."""

    code = "document"


class UnrecognizedStatusError(PipestatError):
    """A status that the status schema does not define."""

    code = "status"


class UnsupportedOperation(PipestatError, NotImplementedError):
    """An operation that the backend does not claim to offer."""

    code = "unsupported"


class FilterSyntaxError(PipestatError, ValueError):
    """A filter cannot be understood; `column` (from 1) says where in its text."""

    code = "query"


class InvalidTimeFormatError(PipestatError, ValueError):
    """A time that is not ISO 8601."""

    code = "query"


class PipestatSummarizeError(PipestatError):
    """A report could not be made."""


class PipestatDatabaseError(PipestatError):
    """A database refused or was lost."""


class PipestatPEPHubError(PipestatError):
    """PEPhub refused or was lost."""


class RecordNotFoundError(PipestatError, LookupError):
    """A record, or a result of it, that is not stored."""

    code = "not-found"


class ColumnNotFoundError(PipestatError, LookupError):
    """A result that neither the schema nor the store knows."""

    code = "validation"


class PipelineTypeNotSuppliedError(PipestatError, LookupError):
    """The level (sample or project) is needed and was not given."""

    code = "validation"
