"""Walks botocore's model of AWS KMS against our endpoint: for each operation missing members, boundary values, wrong texts,
wrong types and unknown members. Every answer must be one that the model knows, and nothing may be an internal failure.

    kms_model.py ENDPOINT
"""
import base64
import json
import sys

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.parsers import create_parser
from botocore.validate import ParamValidator
import urllib3

ENDPOINT = sys.argv[1]
session = botocore.session.get_session()
model = session.get_service_model("kms")
credentials = session.get_credentials().get_frozen_credentials()
http = urllib3.PoolManager()

# What any operation may answer, though the model does not list it.
COMMON = {"ValidationException", "AccessDeniedException", "SerializationException", "NotFoundException",
          "InvalidGrantTokenException", "UnsupportedOperationException", "DryRunOperationException", "KMSInvalidStateException",
          "NotAuthorizedException", "DisabledException", "InvalidKeyUsageException"}
counts = {"calls": 0, "answers": 0, "refusals": 0}


def call(operation, body):
    counts["calls"] += 1
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = AWSRequest("POST", ENDPOINT + "/", data=data, headers={
        "X-Amz-Target": f"TrentService.{operation}", "Content-Type": "application/x-amz-json-1.1"})
    SigV4Auth(credentials, "kms", "us-east-1").add_auth(request)
    prepared = request.prepare()
    answer = http.request("POST", prepared.url, body=prepared.body, headers=dict(prepared.headers), retries=False)
    text = answer.data
    if answer.status == 200:
        counts["answers"] += 1
        shape = model.operation_model(operation).output_shape
        assert (shape is not None and text) or shape is None or not shape.members, (operation, text)
        if text:
            check(json.loads(text), shape, operation)
        return None
    counts["refusals"] += 1
    error = json.loads(text)
    code = error["__type"]
    allowed = COMMON | {s.name for s in model.operation_model(operation).error_shapes}
    assert answer.status == 400 and code in allowed, (operation, body, answer.status, text)
    return code


def check(value, shape, place):
    """Whether an answer is as the model has it."""
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict), place
        unknown = set(value) - set(shape.members)
        assert not unknown, (place, unknown)
        for name in value:
            check(value[name], shape.members[name], f"{place}.{name}")
    elif kind == "list":
        for item in value:
            check(item, shape.member, place)
    elif kind == "map":
        for item in value.values():
            check(item, shape.value, place)
    elif kind == "blob":
        base64.b64decode(value, validate=True)
    elif kind == "string":
        assert isinstance(value, str), place
        assert not shape.enum or value in shape.enum, (place, value)
        least = shape.metadata.get("min", 0)
        assert len(value) >= least or place.endswith(".Name"), (place, value)
    elif kind in ("integer", "long"):
        assert isinstance(value, int), place
    elif kind == "boolean":
        assert isinstance(value, bool), place
    elif kind == "timestamp":
        assert isinstance(value, (int, float)) and value > 1e9, place


KEYS = {}


def sample(name, shape, operation):
    """A value that is right, as far as the model says."""
    kind = shape.type_name
    if kind == "structure":
        return {n: sample(n, s, operation) for n, s in shape.members.items() if n in shape.required_members}
    if kind == "list":
        return [sample(name, shape.member, operation)]
    if kind == "map":
        return {"a": "b"}
    if kind == "blob":
        return base64.b64encode(b"x" * max(1, shape.metadata.get("min", 1))).decode()
    if kind in ("integer", "long"):
        return max(shape.metadata.get("min", 1), 7)
    if kind == "boolean":
        return False
    if kind == "timestamp":
        return 2000000000
    if shape.enum:
        return shape.enum[0]
    if name in ("KeyId", "TargetKeyId", "DestinationKeyId", "SourceKeyId"):
        usage = {"Sign": "SIGN", "Verify": "SIGN", "GetPublicKey": "SIGN", "GenerateMac": "MAC", "VerifyMac": "MAC",
                 "DeriveSharedSecret": "ECDH"}.get(operation, "SYM")
        return KEYS[usage]
    if name == "AliasName":
        return "alias/model"
    if name == "Policy":
        return json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}})
    if name == "PolicyName":
        return "default"
    if name in ("GranteePrincipal", "RetiringPrincipal"):
        return "arn:aws:iam::111122223333:user/reader"
    if name in ("ReplicaRegion", "PrimaryRegion"):
        return "eu-west-1"
    return "a" * max(1, shape.metadata.get("min", 1))


def wrong(shape):
    """Values that break the model's rules."""
    kind = shape.type_name
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if kind == "string":
        if shape.enum:
            return ["NOT_ONE_OF_THEM", ""]
        values = []
        if least:
            values.append("a" * (least - 1))
        if most and most < 200_000:
            values.append("a" * (most + 1))
        return values
    if kind in ("integer", "long"):
        return [v for v in (least - 1 if least is not None else None, most + 1 if most is not None else None) if v is not None]
    if kind == "blob":
        return [base64.b64encode(b"x" * n).decode() for n in
                ([least - 1] if least else []) + ([most + 1] if most else [])]
    if kind == "list" and most:
        return [["a"] * (most + 1)]
    return []


def mistyped(shape):
    return {"string": [5, {}, []], "blob": [5, "***"], "integer": ["5", {}], "long": ["5"], "boolean": ["true", 5],
            "list": ["a", {}, 5], "map": ["a", [], {"a": 5}], "structure": ["a", 5, []], "timestamp": ["soon", {}]}[shape.type_name]


def make_keys():
    for name, arguments in (("SYM", {}), ("SIGN", {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}),
                            ("MAC", {"KeySpec": "HMAC_224", "KeyUsage": "GENERATE_VERIFY_MAC"}),
                            ("ECDH", {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"})):
        client = session.create_client("kms", endpoint_url=ENDPOINT, region_name="us-east-1")
        KEYS[name] = client.create_key(**arguments)["KeyMetadata"]["KeyId"]


UNSERVED = {"Encapsulate", "Decapsulate"}
make_keys()
for operation in model.operation_names:
    shape = model.operation_model(operation).input_shape
    members = shape.members
    whole = {n: sample(n, members[n], operation) for n in shape.required_members}
    call(operation, whole)
    call(operation, {**whole, "Unknown": {"a": [1, None]}, "another": "x"})
    for body in (b"", b"[]", b"nonsense", b'"a"', b"{", b"\xff\xfe"):
        assert call(operation, body) == "SerializationException", (operation, body)
    for name in shape.required_members:
        code = call(operation, {n: v for n, v in whole.items() if n != name})
        assert code == "ValidationException", (operation, name, code)
        code = call(operation, {**whole, name: None})
        assert code == "ValidationException", (operation, name, code)
    for name, member in members.items():
        if operation in UNSERVED:
            continue
        for value in wrong(member):
            code = call(operation, {**whole, name: value})
            assert code == "ValidationException", (operation, name, str(value)[:80], code)
        for value in mistyped(member):
            code = call(operation, {**whole, name: value})
            assert code == "SerializationException", (operation, name, value, code)
        # And a right one, wherever the other members allow it.
        call(operation, {**whole, name: sample(name, member, operation)})
print(counts)
