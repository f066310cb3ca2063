"""boto3 against our endpoint: keys of SM2, with PyPI's gmssl, which has SM2 and SM3 in Python alone.

    kms_sm2.py ENDPOINT
"""
import os
import sys

import boto3
from gmssl import sm2, sm3
from refusals import refused

kms = boto3.client("kms", endpoint_url=sys.argv[1], region_name="us-east-1")
IDENTITY = b"1234567812345678"


def element(tag, content):
    digits = len(content).to_bytes(2, "big").lstrip(b"\0") or b"\0"
    length = digits if len(content) < 128 else bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + content


def number(digits):
    content = bytes.fromhex(digits).lstrip(b"\0")
    return element(2, (b"\0" if content[0] & 128 else b"") + content)


def elements(der):
    """The contents of a SEQUENCE's elements."""
    found, place = [], 0
    while place < len(der):
        count, place = der[place + 1], place + 2
        if count & 128:
            size = count & 127
            count, place = int.from_bytes(der[place:place + size], "big"), place + size
        found.append(der[place:place + count])
        place += count
    return found


def asn1(raw):
    """A ciphertext as GM/T 0009 has it: point, hash, and what the rest is."""
    return element(0x30, number(raw[:32].hex()) + number(raw[32:64].hex()) + element(4, raw[64:96]) + element(4, raw[96:]))


def key(usage):
    made = kms.create_key(KeySpec="SM2", KeyUsage=usage)["KeyMetadata"]
    point = kms.get_public_key(KeyId=made["KeyId"])["PublicKey"][-64:].hex()
    return made, sm2.CryptSM2(private_key="", public_key=point, mode=1), point


def sm3_bytes(data):
    return bytes.fromhex(sm3.sm3_hash(list(data)))


def identified(point, message):
    """What is signed: SM3 of the hash of identity, curve and key, and the message (GB/T 32918.2, 5.5 and 6.1)."""
    curve = sm2.default_ecc_table
    parts = (len(IDENTITY) * 8).to_bytes(2, "big") + IDENTITY
    parts += bytes.fromhex(curve["a"] + curve["b"] + curve["g"] + point)
    return sm3_bytes(sm3_bytes(parts) + message)


def signatures():
    made, peer, point = key("SIGN_VERIFY")
    assert made["SigningAlgorithms"] == ["SM2DSA"], made
    which = {"KeyId": made["KeyId"], "SigningAlgorithm": "SM2DSA"}
    message = os.urandom(1000)
    digest = identified(point, message)
    for arguments in ({"Message": message}, {"Message": digest, "MessageType": "DIGEST"}):
        signature = kms.sign(**arguments, **which)["Signature"]
        r, s = (bytes(32 - len(part.lstrip(b"\0"))) + part.lstrip(b"\0") for part in elements(elements(signature)[0]))
        assert peer.verify((r + s).hex(), digest)
        assert kms.verify(Message=message, Signature=signature, **which)["SignatureValid"]
        assert kms.verify(Message=digest, MessageType="DIGEST", Signature=signature, **which)["SignatureValid"]
    refused("KMSInvalidSignatureException", kms.verify, Message=message + b"!", Signature=signature, **which)
    refused("ValidationException", kms.sign, Message=digest[:31], MessageType="DIGEST", **which)


def encryption():
    made, peer, _ = key("ENCRYPT_DECRYPT")
    assert made["EncryptionAlgorithms"] == ["SM2PKE"], made
    which = {"KeyId": made["KeyId"], "EncryptionAlgorithm": "SM2PKE"}
    secret = os.urandom(100)
    assert kms.decrypt(CiphertextBlob=asn1(peer.encrypt(secret)), **which)["Plaintext"] == secret
    ours = kms.encrypt(Plaintext=bytes(1024), **which)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=ours, **which)["Plaintext"] == bytes(1024)
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=ours[:-1] + bytes([ours[-1] ^ 1]), **which)
    refused("ValidationException", kms.encrypt, Plaintext=bytes(1025), **which)


def imports():
    """Material that gmssl has wrapped."""
    made = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    parameters = kms.get_parameters_for_import(KeyId=made, WrappingAlgorithm="SM2PKE", WrappingKeySpec="SM2")
    peer = sm2.CryptSM2(private_key="", public_key=parameters["PublicKey"][-64:].hex(), mode=1)
    kms.import_key_material(
        KeyId=made, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=asn1(peer.encrypt(os.urandom(32))),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    sealed = kms.encrypt(KeyId=made, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=made, WrappingAlgorithm="SM2PKE",
            WrappingKeySpec="RSA_2048")
    refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=made,
            WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="SM2")


signatures()
encryption()
imports()
print("SM2: done")
