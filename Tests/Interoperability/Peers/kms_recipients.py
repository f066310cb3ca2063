"""Attested callers: documents made with cbor2 and cryptography, answers opened by openssl.

    kms_recipients.py make FOLDER              writes root.pem, and what `use` needs
    kms_recipients.py use FOLDER ADDRESS       calls a key service that trusts root.pem
"""
import datetime
import pathlib
import subprocess
import sys

import boto3
import botocore.exceptions
import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

IMAGE = bytes(range(48))
ALGORITHM = "RSAES_OAEP_SHA_256"


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, is_authority):
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(not is_authority, False, False, False, False, is_authority, is_authority, False, False)
    return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=3))
            .add_extension(x509.BasicConstraints(is_authority, None), True).add_extension(usage, True)
            .sign(issuer_key, hashes.SHA384()))


def document(leaf, leaf_key, bundle, public_key, registers):
    payload = cbor2.dumps({
        "module_id": "i-0123456789abcdef0-enc0123456789abcde", "digest": "SHA384",
        "timestamp": int(datetime.datetime.now().timestamp() * 1000), "pcrs": registers, "certificate": der(leaf),
        "cabundle": [der(each) for each in bundle], "public_key": public_key, "user_data": None, "nonce": b"n" * 16})
    protected = cbor2.dumps({1: -35})
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    r, s = utils.decode_dss_signature(leaf_key.sign(signed, ec.ECDSA(hashes.SHA384())))
    return cbor2.dumps([protected, {}, payload, r.to_bytes(48, "big") + s.to_bytes(48, "big")])


def make(folder):
    keys = [ec.generate_private_key(ec.SECP384R1()) for _ in range(3)]
    root = certificate("root", keys[0], "root", keys[0], True)
    middle = certificate("zone", keys[1], "root", keys[0], True)
    leaf = certificate("module", keys[2], "zone", keys[1], False)
    software = rsa.generate_private_key(65537, 2048)
    public = software.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(software.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "key.der").write_bytes(software.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    registers = {index: IMAGE if index == 0 else bytes(48) for index in range(16)}
    (folder / "good").write_bytes(document(leaf, keys[2], [root, middle], public, registers))
    (folder / "image").write_bytes(document(leaf, keys[2], [root, middle], public, {**registers, 0: bytes(48)}))
    (folder / "unsigned").write_bytes(document(leaf, keys[1], [root, middle], public, registers))
    (folder / "orphan").write_bytes(document(leaf, keys[2], [root], public, registers))
    # What openssl makes of the same kind, for the library to open.
    recipient = certificate("recipient", keys[2], "root", keys[0], False)
    own = (x509.CertificateBuilder(recipient.issuer, recipient.subject, software.public_key(), 1,
                                   recipient.not_valid_before_utc, recipient.not_valid_after_utc)
           .add_extension(x509.SubjectKeyIdentifier(b"k" * 20), False).sign(keys[0], hashes.SHA384()))
    (folder / "recipient.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    subprocess.run(
        ["openssl", "cms", "-encrypt", "-binary", "-aes256", "-keyid", "-outform", "DER", "-in", "/dev/stdin", "-out",
         folder / "openssl.cms", "-recip", folder / "recipient.pem", "-keyopt", "rsa_padding_mode:oaep", "-keyopt",
         "rsa_oaep_md:sha256"], input=b"made by openssl", check=True)


def opened(folder, envelope):
    result = subprocess.run(
        ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", folder / "key.pem"], input=envelope,
        capture_output=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def use(folder, address):
    kms = boto3.client("kms", endpoint_url=address)

    def recipient(which):
        return {"KeyEncryptionAlgorithm": ALGORITHM, "AttestationDocument": (folder / which).read_bytes()}

    def refused(code, operation, **arguments):
        try:
            operation(**arguments)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == code, error
            return
        raise AssertionError(f"not refused: {arguments.keys()}")

    policy = """{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": {
        "StringNotEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "%s"}}}]}""" % IMAGE.hex().upper()
    key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"for the enclave")["CiphertextBlob"]
    refused("AccessDeniedException", kms.decrypt, CiphertextBlob=sealed)
    refused("AccessDeniedException", kms.decrypt, CiphertextBlob=sealed, Recipient=recipient("image"))
    for document in ["unsigned", "orphan", "key.der"]:
        refused("ValidationException", kms.decrypt, CiphertextBlob=sealed, Recipient=recipient(document))
    answer = kms.decrypt(CiphertextBlob=sealed, Recipient=recipient("good"))
    assert "Plaintext" not in answer and "KeyMaterialId" not in answer, answer
    assert opened(folder, answer["CiphertextForRecipient"]) == b"for the enclave"

    answer = kms.generate_data_key(KeyId=key, KeySpec="AES_256", Recipient=recipient("good"))
    again = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], Recipient=recipient("good"))
    data_key = opened(folder, answer["CiphertextForRecipient"])
    assert len(data_key) == 32 and "Plaintext" not in answer
    assert opened(folder, again["CiphertextForRecipient"]) == data_key

    answer = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P384", Recipient=recipient("good"))
    private = serialization.load_der_private_key(opened(folder, answer["CiphertextForRecipient"]), None)
    assert "PrivateKeyPlaintext" not in answer
    assert private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == answer["PublicKey"]

    answer = kms.generate_random(NumberOfBytes=33, Recipient=recipient("good"))
    assert len(opened(folder, answer["CiphertextForRecipient"])) == 33 and "Plaintext" not in answer

    agreement = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["KeyId"]
    ours = ec.generate_private_key(ec.SECP256R1())
    public = ours.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    answer = kms.derive_shared_secret(
        KeyId=agreement, KeyAgreementAlgorithm="ECDH", PublicKey=public, Recipient=recipient("good"))
    theirs = serialization.load_der_public_key(kms.get_public_key(KeyId=agreement)["PublicKey"])
    assert opened(folder, answer["CiphertextForRecipient"]) == ours.exchange(ec.ECDH(), theirs)
    assert "SharedSecret" not in answer

    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=pair)["PublicKey"])
    sealed = public.encrypt(b"by a pair", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    answer = kms.decrypt(
        KeyId=pair, CiphertextBlob=sealed, EncryptionAlgorithm=ALGORITHM, Recipient=recipient("good"))
    assert opened(folder, answer["CiphertextForRecipient"]) == b"by a pair"
    print("recipients passed")


folder = pathlib.Path(sys.argv[2])
if sys.argv[1] == "make":
    make(folder)
else:
    use(folder, sys.argv[3])
