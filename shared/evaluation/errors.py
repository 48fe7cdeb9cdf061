"""What can go wrong while evaluating. The docstring of each error says what happened and what to do."""


class EvaluationError(Exception):
    """The base of every error of this package."""


class DatasetMissingError(EvaluationError):
    """The folder or file of a dataset is not there. The message says where to get it."""


class DatasetChangedError(EvaluationError):
    """A file differs from its recorded checksum, or cannot be checked. Fetch the published file again."""


class DatasetFormatError(EvaluationError):
    """A row cannot be read. The message names the file, the row and the field."""


class RubricError(EvaluationError):
    """A rubric file is malformed. The message names the file and the missing part."""


class GateFileError(EvaluationError):
    """The gate file is malformed. The message names the gate and the setting."""


class BudgetExhaustedError(EvaluationError):
    """The call or money budget of the run is used up. Raise it, or resume the run later."""


class JudgeError(EvaluationError):
    """The judge gave no usable judgement. The score is recorded as `judge_error`; look at the reason."""


class UntrustedJudgeError(EvaluationError):
    """The judge agrees too little with human labels. Choose another judge or improve the rubric."""
