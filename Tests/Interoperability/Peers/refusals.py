"""What a client is refused by its code."""
from botocore.exceptions import ClientError


def refused(code, call, status=400, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error
        return
    raise AssertionError(f"{code} expected of {sorted(arguments)}")
