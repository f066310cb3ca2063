"""Calls an external key store's proxy as AWS KMS does, signed by botocore.

    xks_client.py ADDRESS SECRET
"""
import base64
import hashlib
import json
import sys
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

address, secret = sys.argv[1:]
METADATA = {"awsPrincipalArn": "arn:aws:iam::123456789012:user/Alice", "kmsOperation": "Encrypt", "kmsRequestId": "r-1",
            "kmsKeyArn": "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "kmsViaService": "ebs"}


def call(path, secret=secret, region="us-west-2", **members):
    body = json.dumps({"requestMetadata": METADATA, **members}).encode()
    request = AWSRequest("POST", f"{address}/tenant/kms/xks/v1/{path}", data=body,
                         headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials("STRONGROOM234567ABCDEF", secret), "kms-xks-proxy", region).add_auth(request)
    prepared = request.prepare()
    try:
        with urllib.request.urlopen(
                urllib.request.Request(prepared.url, data=body, headers=dict(prepared.headers))) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def coded(value):
    return base64.b64encode(value).decode()


status, health = call("health")
assert status == 200 and health["xksProxyFleetSize"] > 0 and health["ekmFleetDetails"][0]["healthStatus"] == "ACTIVE"
status, metadata = call("keys/kid/metadata")
assert status == 200 and metadata["keySpec"] == "AES_256" and {"ENCRYPT", "DECRYPT"} <= set(metadata["keyUsage"])
for size in [1, 12, 4300]:
    for aad in [b"", b"project=nile", b"a" * 8192]:
        plaintext = bytes(index % 251 for index in range(size))
        optional = {"additionalAuthenticatedData": coded(aad)} if aad else {}
        status, sealed = call("keys/kid/encrypt", plaintext=coded(plaintext), encryptionAlgorithm="AES_GCM",
                              ciphertextDataIntegrityValueAlgorithm="SHA_256", **optional)
        assert status == 200, sealed
        parts = {name: base64.b64decode(value) for name, value in sealed.items()}
        assert len(parts["ciphertext"]) == size and len(parts["initializationVector"]) == 12
        assert len(parts["authenticationTag"]) == 16
        assert parts["ciphertextDataIntegrityValue"] == hashlib.sha256(
            aad + parts.get("ciphertextMetadata", b"") + parts["initializationVector"] + parts["ciphertext"]
            + parts["authenticationTag"]).digest()
        given = {name: sealed[name] for name in ["ciphertext", "initializationVector", "authenticationTag"]}
        status, opened = call("keys/kid/decrypt", encryptionAlgorithm="AES_GCM", **given, **optional)
        assert status == 200 and base64.b64decode(opened["plaintext"]) == plaintext
        status, refused = call("keys/kid/decrypt", encryptionAlgorithm="AES_GCM", **given,
                               additionalAuthenticatedData=coded(aad + b"x"))
        assert (status, refused["errorName"]) == (400, "InvalidCiphertextException"), refused
        status, refused = call("keys/kid/decrypt", encryptionAlgorithm="AES_GCM", **given, **optional,
                               ciphertextMetadata=coded(b"v"))
        assert (status, refused["errorName"]) == (400, "InvalidCiphertextException"), refused
for expected, path, arguments in [
        ((401, "AuthenticationFailedException"), "health", {"secret": secret + "x"}),
        ((404, "KeyNotFoundException"), "keys/none/metadata", {}),
        ((404, "InvalidUriPathException"), "keys/kid/delete", {}),
        ((400, "ValidationException"), "keys/kid/encrypt", {"encryptionAlgorithm": "AES_GCM"}),
        ((400, "ValidationException"), "keys/kid/encrypt", {"encryptionAlgorithm": "AES_CBC", "plaintext": "YQ=="})]:
    status, refused = call(path, **arguments)
    assert (status, refused["errorName"]) == expected, (path, status, refused)
print("proxy passed")
