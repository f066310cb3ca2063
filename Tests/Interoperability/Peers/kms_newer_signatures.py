"""boto3 against our endpoint: keys that need a newer OpenSSL than Debian's. PyPI cryptography and pycryptodome verify.

    kms_newer_signatures.py ENDPOINT
"""
import hashlib
import os
import sys

import boto3
from Crypto.Hash import SHA512
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa
from refusals import refused

kms = boto3.client("kms", endpoint_url=sys.argv[1], region_name="us-east-1")


def lattices():
    for spec in ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87"):
        made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        assert made["KeySpec"] == spec and made["SigningAlgorithms"] == ["ML_DSA_SHAKE_256"], made
        key = {"KeyId": made["KeyId"], "SigningAlgorithm": "ML_DSA_SHAKE_256"}
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
        assert type(public).__name__.startswith(spec.replace("_", "")), public
        message = os.urandom(4096)
        signature = kms.sign(Message=message, **key)["Signature"]
        public.verify(signature, message)
        long = os.urandom(1 << 20)
        hasher = mldsa.MLDSAMuHasher(public)
        hasher.update(long)
        mu = hasher.finalize()
        signature = kms.sign(Message=mu, MessageType="EXTERNAL_MU", **key)["Signature"]
        public.verify(signature, long)
        assert kms.verify(Message=mu, MessageType="EXTERNAL_MU", Signature=signature, **key)["SignatureValid"]
        refused("KMSInvalidSignatureException", kms.verify, Message=mu, Signature=signature, **key)
        refused("ValidationException", kms.sign, Message=mu[:63], MessageType="EXTERNAL_MU", **key)
        refused("ValidationException", kms.sign, Message=mu, MessageType="DIGEST", **key)


def edwards():
    made = kms.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert set(made["SigningAlgorithms"]) == {"ED25519_SHA_512", "ED25519_PH_SHA_512"}, made
    key = {"KeyId": made["KeyId"], "SigningAlgorithm": "ED25519_PH_SHA_512"}
    public = ECC.import_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
    digest = hashlib.sha512(os.urandom(1 << 20)).digest()
    signature = kms.sign(Message=digest, MessageType="DIGEST", **key)["Signature"]
    # The digest is the message, and is hashed again.
    eddsa.new(public, "rfc8032").verify(SHA512.new(digest), signature)
    assert kms.verify(Message=digest, MessageType="DIGEST", Signature=signature, **key)["SignatureValid"]
    refused("ValidationException", kms.sign, Message=b"raw", **key)
    refused("ValidationException", kms.sign, Message=digest[:32], MessageType="DIGEST", **key)
    refused("InvalidKeyUsageException", kms.sign, Message=digest, MessageType="EXTERNAL_MU",
            KeyId=made["KeyId"], SigningAlgorithm="ML_DSA_SHAKE_256")


lattices()
edwards()
print("ML-DSA and Ed25519ph: done")
