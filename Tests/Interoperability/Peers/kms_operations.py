"""boto3 against our endpoint: every operation that is served, and the errors it documents.

    kms_operations.py ENDPOINT

The environment has the keys of a root (AWS_...), and of a user `reader` without any policy (READER_ID, READER_SECRET).
"""
import base64
import datetime
import os
import sys

import boto3
import botocore
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

ENDPOINT = sys.argv[1]
CONFIG = Config(parameter_validation=False, retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60)
called = set()


def client(service="kms", **keys):
    made = boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", config=CONFIG, **keys)
    made.meta.events.register("before-call", lambda model, **_: called.add(model.name))
    return made


kms = client()
reader = client(aws_access_key_id=os.environ["READER_ID"], aws_secret_access_key=os.environ["READER_SECRET"])
READER = "arn:aws:iam::111122223333:user/reader"


def refused(code, call, *words, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        for word in words:
            assert word in error.response["Error"].get("Message", ""), (word, error)
        return error
    raise AssertionError(f"{code} expected of {call} {arguments}")


def key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT", **more):
    return kms.create_key(KeySpec=spec, KeyUsage=usage, **more)["KeyMetadata"]


def life_cycle():
    made = key(Description="first", Tags=[{"TagKey": "team", "TagValue": "blue"}])
    one = made["KeyId"]
    assert made["KeyState"] == "Enabled" and made["KeyManager"] == "CUSTOMER" and made["Enabled"]
    assert abs((made["CreationDate"] - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 60
    assert kms.describe_key(KeyId=made["Arn"])["KeyMetadata"] == made
    kms.update_key_description(KeyId=one, Description="second")
    assert kms.describe_key(KeyId=one)["KeyMetadata"]["Description"] == "second"
    kms.disable_key(KeyId=one)
    refused("DisabledException", kms.encrypt, "is disabled.", KeyId=one, Plaintext=b"x")
    kms.enable_key(KeyId=one)
    when = kms.schedule_key_deletion(KeyId=one, PendingWindowInDays=7)
    assert when["KeyState"] == "PendingDeletion" and when["PendingWindowInDays"] == 7
    refused("KMSInvalidStateException", kms.encrypt, "is pending deletion.", KeyId=one, Plaintext=b"x")
    refused("KMSInvalidStateException", kms.enable_key, KeyId=one)
    assert kms.cancel_key_deletion(KeyId=one)["KeyId"] == made["Arn"]
    assert kms.describe_key(KeyId=one)["KeyMetadata"]["KeyState"] == "Disabled"
    refused("KMSInvalidStateException", kms.cancel_key_deletion, "not pending deletion", KeyId=one)
    kms.enable_key(KeyId=one)
    for days in (1, 6, 31, 365):
        refused("ValidationException", kms.schedule_key_deletion, KeyId=one, PendingWindowInDays=days)
    missing = made["Arn"].replace(one, "00000000-0000-4000-8000-000000000000")
    refused("NotFoundException", kms.describe_key, f"Key '{missing}' does not exist", KeyId=missing)
    used = kms.get_key_last_usage(KeyId=one)
    assert used["KeyId"] == made["Arn"] and not used["KeyLastUsage"] and used["TrackingStartDate"]
    kms.encrypt(KeyId=one, Plaintext=b"x")
    assert kms.get_key_last_usage(KeyId=one)["KeyLastUsage"]["Operation"] == "Encrypt"
    managed = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    assert managed["KeyManager"] == "AWS" and kms.encrypt(KeyId="alias/aws/ebs", Plaintext=b"x")["KeyId"] == managed["Arn"]
    refused("AccessDeniedException", kms.disable_key, KeyId=managed["KeyId"])
    refused("NotFoundException", kms.disable_key, "Invalid keyId 'alias/x'", KeyId="alias/x")
    for _ in range(4):
        key()
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    keys = [entry["KeyId"] for page in pages for entry in page["Keys"]]
    assert one in keys and len(keys) == len(set(keys)) >= 5
    refused("InvalidMarkerException", kms.list_keys, Marker="nonsense")
    for name in ("a", "b", "c", "d"):
        kms.create_alias(AliasName=f"alias/page-{name}", TargetKeyId=one)
    first = kms.list_aliases(KeyId=one, Limit=2)
    for alias in first["Aliases"]:
        kms.delete_alias(AliasName=alias["AliasName"])
    rest = kms.list_aliases(KeyId=one, Limit=2, Marker=first["NextMarker"])["Aliases"]
    assert [alias["AliasName"] for alias in rest] == ["alias/page-c", "alias/page-d"], rest
    refused("ValidationException", kms.create_key, "not compatible with KeySpec", KeySpec="RSA_2048", KeyUsage="KEY_AGREEMENT")
    refused("ValidationException", kms.create_key, "You must specify a KeyUsage", KeySpec="RSA_2048")
    refused("UnsupportedOperationException", kms.create_key, KeySpec="SM2", KeyUsage="KEY_AGREEMENT")
    refused("TagException", kms.create_key, Tags=[{"TagKey": "aws:x", "TagValue": "y"}])


def encryption():
    one, two = key(), key()
    context = {"tenant": "42", "dept": "tax"}
    sealed = kms.encrypt(KeyId=one["KeyId"], Plaintext=b"hello", EncryptionContext=context)
    assert sealed["KeyId"] == one["Arn"] and sealed["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == b"hello" and opened["KeyId"] == one["Arn"]
    assert opened["KeyMaterialId"] == one["CurrentKeyMaterialId"]
    error = refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"])
    assert not error.response["Error"].get("Message")
    for blob in (b"\0", sealed["CiphertextBlob"][:-1], sealed["CiphertextBlob"] + b"\0"):
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=context)
    refused("IncorrectKeyException", kms.decrypt, "does not identify a CMK", CiphertextBlob=sealed["CiphertextBlob"],
            KeyId=two["KeyId"], EncryptionContext=context)
    moved = kms.re_encrypt(CiphertextBlob=sealed["CiphertextBlob"], SourceEncryptionContext=context,
                           SourceKeyId=one["KeyId"], DestinationKeyId=two["KeyId"])
    assert (moved["SourceKeyId"], moved["KeyId"]) == (one["Arn"], two["Arn"])
    assert moved["SourceKeyMaterialId"] == one["CurrentKeyMaterialId"]
    assert moved["DestinationKeyMaterialId"] == two["CurrentKeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=two["Arn"])["Plaintext"] == b"hello"
    for size, arguments in ((16, {"KeySpec": "AES_128"}), (32, {"KeySpec": "AES_256"}), (99, {"NumberOfBytes": 99})):
        made = kms.generate_data_key(KeyId=one["KeyId"], EncryptionContext=context, **arguments)
        assert len(made["Plaintext"]) == size and made["KeyId"] == one["Arn"]
        assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == made["Plaintext"]
        blind = kms.generate_data_key_without_plaintext(KeyId=one["KeyId"], **arguments)
        assert len(kms.decrypt(CiphertextBlob=blind["CiphertextBlob"])["Plaintext"]) == size
    refused("ValidationException", kms.generate_data_key, KeyId=one["KeyId"])
    refused("ValidationException", kms.generate_data_key, KeyId=one["KeyId"], KeySpec="AES_256", NumberOfBytes=1)
    for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"):
        pair = kms.generate_data_key_pair(KeyId=one["KeyId"], KeyPairSpec=spec)
        private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert private.public_key().public_bytes(*form) == pair["PublicKey"]
        assert kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"] == pair["PrivateKeyPlaintext"]
    blind = kms.generate_data_key_pair_without_plaintext(KeyId=one["KeyId"], KeyPairSpec="ECC_NIST_P384")
    serialization.load_der_private_key(kms.decrypt(CiphertextBlob=blind["PrivateKeyCiphertextBlob"])["Plaintext"], None)
    assert len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]) == 1024
    pair = key("RSA_2048", "ENCRYPT_DECRYPT")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=pair["KeyId"])["PublicKey"])
    for name, sha, limit in (("RSAES_OAEP_SHA_1", hashes.SHA1(), 214), ("RSAES_OAEP_SHA_256", hashes.SHA256(), 190)):
        blob = public.encrypt(b"outside", padding.OAEP(padding.MGF1(sha), sha, None))
        assert kms.decrypt(CiphertextBlob=blob, KeyId=pair["KeyId"], EncryptionAlgorithm=name)["Plaintext"] == b"outside"
        refused("ValidationException", kms.encrypt,
                f"Algorithm {name} and key spec RSA_2048 cannot encrypt data larger than {limit} bytes.",
                KeyId=pair["KeyId"], Plaintext=b"x" * (limit + 1), EncryptionAlgorithm=name)
    back = kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=pair["KeyId"], SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
                          DestinationKeyId=one["KeyId"])
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"outside"
    refused("InvalidKeyUsageException", kms.encrypt, KeyId=pair["KeyId"], Plaintext=b"x")


SIGNATURES = {
    "RSASSA_PSS": lambda sha: [padding.PSS(padding.MGF1(sha), sha.digest_size), sha],
    "RSASSA_PKCS1_V1_5": lambda sha: [padding.PKCS1v15(), sha],
    "ECDSA": lambda sha: [ec.ECDSA(sha)],
}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def signatures():
    for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"):
        made = key(spec, "SIGN_VERIFY")
        answer = kms.get_public_key(KeyId=made["KeyId"])
        assert answer["SigningAlgorithms"] == made["SigningAlgorithms"] and answer["KeySpec"] == spec
        public = serialization.load_der_public_key(answer["PublicKey"])
        for algorithm in made["SigningAlgorithms"]:
            scheme, size = algorithm.rsplit("_SHA_", 1)
            sha = HASHES[size]
            digest = hashes.Hash(sha)
            digest.update(b"message")
            digest = digest.finalize()
            for kind, message in (("RAW", b"message"), ("DIGEST", digest)):
                arguments = dict(KeyId=made["KeyId"], Message=message, MessageType=kind, SigningAlgorithm=algorithm)
                signed = kms.sign(**arguments)
                public.verify(signed["Signature"], b"message", *SIGNATURES[scheme](sha))
                assert kms.verify(Signature=signed["Signature"], **arguments)["SignatureValid"]
                refused("KMSInvalidSignatureException", kms.verify, Signature=b"x" * 64, **arguments)
            refused("ValidationException", kms.sign, f"Digest is invalid length for algorithm {algorithm}.",
                    KeyId=made["KeyId"], Message=b"short", MessageType="DIGEST", SigningAlgorithm=algorithm)
        refused("InvalidKeyUsageException", kms.sign, KeyId=made["KeyId"], Message=b"x", SigningAlgorithm="ED25519_SHA_512")
        refused("InvalidKeyUsageException", kms.encrypt, "key usage is SIGN_VERIFY which is not valid for Encrypt.",
                KeyId=made["KeyId"], Plaintext=b"x")
        refused("UnsupportedOperationException", kms.rotate_key_on_demand, KeyId=made["KeyId"])
    made = key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
    signed = kms.sign(KeyId=made["KeyId"], Message=b"message", SigningAlgorithm="ED25519_SHA_512")
    public.verify(signed["Signature"], b"message")
    for spec in ("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"):
        made = key(spec, "GENERATE_VERIFY_MAC")
        algorithm = made["MacAlgorithms"][0]
        code = kms.generate_mac(KeyId=made["KeyId"], Message=b"m", MacAlgorithm=algorithm)["Mac"]
        assert kms.verify_mac(KeyId=made["KeyId"], Message=b"m", MacAlgorithm=algorithm, Mac=code)["MacValid"]
        refused("KMSInvalidMacException", kms.verify_mac, KeyId=made["KeyId"], Message=b"n", MacAlgorithm=algorithm, Mac=code)
        other = "HMAC_SHA_512" if spec != "HMAC_512" else "HMAC_SHA_256"
        refused("InvalidKeyUsageException", kms.generate_mac, KeyId=made["KeyId"], Message=b"m", MacAlgorithm=other)
        refused("UnsupportedOperationException", kms.get_public_key, KeyId=made["KeyId"])
    made = key("ECC_NIST_P384", "KEY_AGREEMENT")
    mine = ec.generate_private_key(ec.SECP384R1())
    info = mine.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    theirs = serialization.load_der_public_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
    shared = kms.derive_shared_secret(KeyId=made["KeyId"], KeyAgreementAlgorithm="ECDH", PublicKey=info)
    assert shared["SharedSecret"] == mine.exchange(ec.ECDH(), theirs) and shared["KeyOrigin"] == "AWS_KMS"
    refused("ValidationException", kms.derive_shared_secret, KeyId=made["KeyId"], KeyAgreementAlgorithm="ECDH",
            PublicKey=b"none")


def imports():
    made = key(Origin="EXTERNAL")
    one = made["KeyId"]
    assert made["KeyState"] == "PendingImport" and not made["Enabled"]
    refused("KMSInvalidStateException", kms.encrypt, "is pending import.", KeyId=one, Plaintext=b"x")

    def bring(material, algorithm="RSAES_OAEP_SHA_256", identifier=one, **more):
        given = kms.get_parameters_for_import(KeyId=identifier, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_3072")
        wrapping = serialization.load_der_public_key(given["PublicKey"])
        sha = hashes.SHA1() if algorithm.endswith("_1") else hashes.SHA256()
        oaep = padding.OAEP(padding.MGF1(sha), sha, None)
        if algorithm.startswith("RSA_AES"):
            between = os.urandom(32)
            wrapped = wrapping.encrypt(between, oaep) + aes_key_wrap_with_padding(between, material)
        else:
            wrapped = wrapping.encrypt(material, oaep)
        more = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", **more}
        return kms.import_key_material(KeyId=identifier, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **more)

    material = bytes(range(32))
    first = bring(material)["KeyMaterialId"]
    sealed = kms.encrypt(KeyId=one, Plaintext=b"x")["CiphertextBlob"]
    assert kms.delete_imported_key_material(KeyId=one)["KeyMaterialId"] == first
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed)
    refused("IncorrectKeyMaterialException", bring, material=bytes(32))
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
    assert bring(material, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=soon)["KeyMaterialId"] == first
    about = kms.describe_key(KeyId=one)["KeyMetadata"]
    assert about["ExpirationModel"] == "KEY_MATERIAL_EXPIRES" and abs((about["ValidTo"] - soon).total_seconds()) < 2
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    bring(os.urandom(32), ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="next")
    states = [entry["KeyMaterialState"] for entry in
              kms.list_key_rotations(KeyId=one, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]]
    assert states == ["CURRENT", "PENDING_ROTATION"], states
    kms.rotate_key_on_demand(KeyId=one)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    given = kms.get_parameters_for_import(KeyId=one, WrappingAlgorithm="RSAES_OAEP_SHA_1", WrappingKeySpec="RSA_2048")
    refused("InvalidCiphertextException", kms.import_key_material, KeyId=one, ImportToken=given["ImportToken"],
            EncryptedKeyMaterial=b"x" * 256, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    refused("InvalidImportTokenException", kms.import_key_material, KeyId=one, ImportToken=b"x", EncryptedKeyMaterial=b"x",
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    refused("ValidationException", kms.import_key_material, "validTo", KeyId=one, ImportToken=given["ImportToken"],
            EncryptedKeyMaterial=b"x")
    refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=key()["KeyId"],
            WrappingAlgorithm="RSAES_OAEP_SHA_1", WrappingKeySpec="RSA_2048")
    signing = key("RSA_2048", "SIGN_VERIFY", Origin="EXTERNAL")["KeyId"]
    mine = rsa.generate_private_key(65537, 2048)
    encoded = mine.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    bring(encoded, "RSA_AES_KEY_WRAP_SHA_256", signing)
    signed = kms.sign(KeyId=signing, Message=b"m", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
    mine.public_key().verify(signed, b"m", padding.PKCS1v15(), hashes.SHA256())


def rotation():
    made = key()
    one = made["KeyId"]
    assert not kms.get_key_rotation_status(KeyId=one)["KeyRotationEnabled"]
    kms.enable_key_rotation(KeyId=one, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=one)
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 180 and status["NextRotationDate"]
    kms.disable_key_rotation(KeyId=one)
    assert kms.rotate_key_on_demand(KeyId=one)["KeyId"] == made["Arn"]
    rotations = kms.list_key_rotations(KeyId=one)["Rotations"]
    assert len(rotations) == 1 and rotations[0]["RotationType"] == "ON_DEMAND"
    for _ in range(24):
        kms.rotate_key_on_demand(KeyId=one)
    refused("LimitExceededException", kms.rotate_key_on_demand, KeyId=one)
    refused("UnsupportedOperationException", kms.enable_key_rotation, KeyId=key("HMAC_256", "GENERATE_VERIFY_MAC")["KeyId"])
    refused("ValidationException", kms.enable_key_rotation, KeyId=one, RotationPeriodInDays=89)


def names():
    one, two = key(), key()
    kms.create_alias(AliasName="alias/orders", TargetKeyId=one["KeyId"])
    refused("AlreadyExistsException", kms.create_alias, AliasName="alias/orders", TargetKeyId=two["KeyId"])
    for name, code in (("orders", "InvalidAliasNameException"), ("alias/aws/x", "NotAuthorizedException"),
                       ("alias/a:b", "InvalidAliasNameException")):
        refused(code, kms.create_alias, AliasName=name, TargetKeyId=one["KeyId"])
    assert kms.describe_key(KeyId="alias/orders")["KeyMetadata"]["KeyId"] == one["KeyId"]
    sealed = kms.encrypt(KeyId="alias/orders", Plaintext=b"x")
    assert sealed["KeyId"] == one["Arn"]
    kms.update_alias(AliasName="alias/orders", TargetKeyId=two["KeyId"])
    assert kms.encrypt(KeyId="alias/orders", Plaintext=b"x")["KeyId"] == two["Arn"]
    aliases = kms.list_aliases(KeyId=two["KeyId"])["Aliases"]
    assert [alias["AliasName"] for alias in aliases] == ["alias/orders"] and aliases[0]["TargetKeyId"] == two["KeyId"]
    kms.delete_alias(AliasName="alias/orders")
    refused("NotFoundException", kms.encrypt, "alias/orders is not found", KeyId="alias/orders", Plaintext=b"x")
    refused("NotFoundException", kms.delete_alias, AliasName="alias/orders")
    kms.tag_resource(KeyId=one["KeyId"], Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": ""}])
    kms.untag_resource(KeyId=one["KeyId"], TagKeys=["b", "none"])
    assert kms.list_resource_tags(KeyId=one["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "1"}]
    refused("TagException", kms.tag_resource, "Duplicate tag keys", KeyId=one["KeyId"],
            Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])


def access():
    made = key()
    one, arn = made["KeyId"], made["Arn"]
    assert kms.list_key_policies(KeyId=one)["PolicyNames"] == ["default"]
    policy = kms.get_key_policy(KeyId=one)["Policy"]
    assert "Enable IAM User Permissions" in policy
    refused("AccessDeniedException", reader.encrypt, READER, "kms:Encrypt", arn, KeyId=arn, Plaintext=b"x")
    kms.put_key_policy(KeyId=one, Policy=policy.replace('"Statement":[', '"Statement":[{"Sid":"read","Effect":"Allow",'
                       f'"Principal":{{"AWS":"{READER}"}},"Action":"kms:DescribeKey","Resource":"*"}},'))
    assert reader.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn
    refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=one, Policy="{}")
    refused("MalformedPolicyDocumentException", kms.put_key_policy, "will not allow you to update", KeyId=one,
            Policy=policy.replace("Allow", "Deny"))
    grant = kms.create_grant(KeyId=one, GranteePrincipal=READER, RetiringPrincipal=READER, Operations=["Decrypt", "Encrypt"],
                             Constraints={"EncryptionContextSubset": {"tenant": "42"}}, Name="once")
    again = kms.create_grant(KeyId=one, GranteePrincipal=READER, RetiringPrincipal=READER, Operations=["Decrypt", "Encrypt"],
                             Constraints={"EncryptionContextSubset": {"tenant": "42"}}, Name="once")
    assert again["GrantId"] == grant["GrantId"] and again["GrantToken"] != grant["GrantToken"]
    sealed = reader.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext={"tenant": "42", "a": "b"},
                            GrantTokens=[grant["GrantToken"]])
    refused("AccessDeniedException", reader.encrypt, KeyId=arn, Plaintext=b"x", EncryptionContext={"tenant": "43"})
    listed = kms.list_grants(KeyId=one)["Grants"]
    assert [entry["GrantId"] for entry in listed] == [grant["GrantId"]]
    assert listed[0]["Constraints"] == {"EncryptionContextSubset": {"tenant": "42"}} and listed[0]["Name"] == "once"
    assert kms.list_retirable_grants(RetiringPrincipal=READER)["Grants"] == listed
    refused("DryRunOperationException", reader.encrypt, KeyId=arn, Plaintext=b"x", EncryptionContext={"tenant": "42"}, DryRun=True)
    # A rehearsal without a ciphertext: what the policies say, and the key's state.
    ignoring = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    refused("DryRunOperationException", kms.decrypt, KeyId=arn, EncryptionContext={"tenant": "42"}, **ignoring)
    refused("ValidationException", kms.decrypt, **ignoring)
    refused("DryRunOperationException", kms.re_encrypt, SourceKeyId=arn, DestinationKeyId=arn, **ignoring)
    refused("ValidationException", kms.re_encrypt, "ciphertextBlob", SourceKeyId=arn, DestinationKeyId=arn, DryRun=True)
    refused("AccessDeniedException", reader.decrypt, KeyId=arn, EncryptionContext={"tenant": "43"}, **ignoring)
    reader.retire_grant(GrantToken=grant["GrantToken"])
    refused("AccessDeniedException", reader.decrypt, CiphertextBlob=sealed["CiphertextBlob"],
            EncryptionContext={"tenant": "42", "a": "b"})
    other = kms.create_grant(KeyId=one, GranteePrincipal=READER, Operations=["Decrypt"])
    kms.revoke_grant(KeyId=one, GrantId=other["GrantId"])
    refused("NotFoundException", kms.revoke_grant, KeyId=one, GrantId=other["GrantId"])
    refused("InvalidGrantIdException", kms.revoke_grant, KeyId=one, GrantId="grant")
    refused("InvalidGrantTokenException", kms.encrypt, KeyId=one, Plaintext=b"x", GrantTokens=["nonsense"])
    refused("InvalidArnException", kms.create_grant, KeyId=one, GranteePrincipal="arn:aws:s3:::bucket", Operations=["Decrypt"])
    refused("ValidationException", kms.create_grant, KeyId=one, GranteePrincipal=READER, Operations=["Sign"])


def identities():
    sts = client("sts")
    me = sts.get_caller_identity()
    assert me["Account"] == "111122223333" and me["Arn"].endswith(":root"), me
    given = sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/worker", RoleSessionName="s1", DurationSeconds=900,
                            Tags=[{"Key": "team", "Value": "a & b"}])
    keys = given["Credentials"]
    session = dict(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                   aws_session_token=keys["SessionToken"])
    who = client("sts", **session).get_caller_identity()["Arn"]
    assert who == "arn:aws:sts::111122223333:assumed-role/worker/s1" == given["AssumedRoleUser"]["Arn"]
    worker = client(**session)
    refused("AccessDeniedException", worker.create_key)
    maker = client(aws_access_key_id=os.environ["MAKER_ID"], aws_secret_access_key=os.environ["READER_SECRET"])
    assert maker.create_key()["KeyMetadata"]["Enabled"]              # needs kms:CreateKey alone
    worker.generate_random(NumberOfBytes=1)
    refused("AccessDenied", sts.assume_role, RoleArn="arn:aws:iam::111122223333:role/none", RoleSessionName="s1")
    for change in ({"aws_session_token": "x"}, {"aws_secret_access_key": "x"}, {"aws_access_key_id": "AKIANONE"}):
        try:
            client(**{**session, **change}).list_keys()
            raise AssertionError(change)
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("UnrecognizedClientException", "InvalidSignatureException"), error
    for arguments in ({"DurationSeconds": 9223372036854775807}, {"DurationSeconds": 60}, {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/x"}]},
                      {"SourceIdentity": "someone"}):
        refused("ValidationError", sts.assume_role, RoleArn="arn:aws:iam::111122223333:role/worker", RoleSessionName="s1", **arguments)
    signed = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    answer = urllib3.PoolManager().request("GET", signed)
    assert answer.status == 200 and b"<Account>111122223333</Account>" in answer.data, answer.data
    stranger = client("sts", aws_access_key_id="AKIAROOT", aws_secret_access_key="wrong")
    error = refused("SignatureDoesNotMatch", stranger.get_caller_identity)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    wrong = boto3.client("kms", endpoint_url=ENDPOINT, region_name="eu-north-1", config=CONFIG)
    refused("InvalidSignatureException", wrong.list_keys)


def regions():
    far = boto3.client("kms", endpoint_url=ENDPOINT, region_name="eu-west-1", config=CONFIG)
    made = key(MultiRegion=True)
    one = made["KeyId"]
    assert one.startswith("mrk-") and made["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    sealed = kms.encrypt(KeyId=one, Plaintext=b"x")["CiphertextBlob"]
    replica = kms.replicate_key(KeyId=one, ReplicaRegion="eu-west-1", Description="far", Tags=[{"TagKey": "a", "TagValue": "b"}])
    about = replica["ReplicaKeyMetadata"]
    assert about["Arn"] == made["Arn"].replace("us-east-1", "eu-west-1") and about["Description"] == "far"
    assert replica["ReplicaTags"] == [{"TagKey": "a", "TagValue": "b"}] and "Statement" in replica["ReplicaPolicy"]
    assert far.decrypt(CiphertextBlob=sealed)["KeyId"] == about["Arn"]
    listed = far.describe_key(KeyId=one)["KeyMetadata"]["MultiRegionConfiguration"]
    assert listed["PrimaryKey"]["Region"] == "us-east-1" and [r["Region"] for r in listed["ReplicaKeys"]] == ["eu-west-1"]
    refused("AlreadyExistsException", kms.replicate_key, KeyId=one, ReplicaRegion="eu-west-1")
    refused("UnsupportedOperationException", far.rotate_key_on_demand, KeyId=one)
    kms.update_primary_region(KeyId=one, PrimaryRegion="eu-west-1")
    assert far.describe_key(KeyId=one)["KeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    waiting = far.schedule_key_deletion(KeyId=one, PendingWindowInDays=7)
    assert waiting["KeyState"] == "PendingReplicaDeletion" and "DeletionDate" not in waiting
    far.cancel_key_deletion(KeyId=one)


for step in (life_cycle, encryption, signatures, imports, rotation, names, access, regions, identities):
    step()
    print(step.__name__, "passed")
print("operations", len(called))
