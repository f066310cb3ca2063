"""boto3 on a bad day: what it is told where the world around the service is not as it should be.

    kms_bad_day.py ADDRESS

Says on its output what the world is to be like, and waits for a line until it is.
"""
import sys

import boto3
from botocore.config import Config
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from refusals import refused

kms = boto3.client("kms", endpoint_url=sys.argv[1], config=Config(retries={"total_max_attempts": 1}))
CLUSTER = {"CustomKeyStoreName": "hsm", "CloudHsmClusterId": "cluster-2345abcdefg", "KeyStorePassword": "the password",
           "TrustAnchorCertificate": "an anchor"}


def world(what):
    print(what, flush=True)
    assert sys.stdin.readline() == "done\n", what


def expired_token():
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256",
                                               WrappingKeySpec="RSA_2048")
    public = serialization.load_der_public_key(parameters["PublicKey"])
    wrapped = public.encrypt(b"m" * 32, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    material = {"KeyId": key, "ImportToken": parameters["ImportToken"], "EncryptedKeyMaterial": wrapped,
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    world("advance 86399")
    kms.import_key_material(**material)
    world("advance 2")
    refused("ExpiredImportTokenException", kms.import_key_material, **material)


def rotation_ahead():
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    world(f"advance {90 * 86400 - 1201}")
    kms.rotate_key_on_demand(KeyId=key)
    world("advance 2")
    refused("ConflictException", kms.rotate_key_on_demand, KeyId=key)
    kms.disable_key_rotation(KeyId=key)
    kms.rotate_key_on_demand(KeyId=key)


def cluster():
    world("cluster inactive")
    refused("CloudHsmClusterNotActiveException", kms.create_custom_key_store, **CLUSTER)
    refused("IncorrectTrustAnchorException", kms.create_custom_key_store, **{**CLUSTER, "TrustAnchorCertificate": "x"})
    world("cluster misconfigured")
    refused("CloudHsmClusterInvalidConfigurationException", kms.create_custom_key_store, **CLUSTER)
    world("cluster active")
    store = kms.create_custom_key_store(**CLUSTER)["CustomKeyStoreId"]
    for state, code in [("inactive", "CloudHsmClusterNotActiveException"),
                        ("misconfigured", "CloudHsmClusterInvalidConfigurationException")]:
        world(f"cluster {state}")
        refused(code, kms.connect_custom_key_store, CustomKeyStoreId=store)
    world("cluster active")
    kms.connect_custom_key_store(CustomKeyStoreId=store)
    key = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    world("hsm disconnected")
    refused("KeyUnavailableException", kms.decrypt, status=500, CiphertextBlob=sealed)
    world("hsm fine")
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def store():
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    world("store disconnected")
    refused("KMSInternalException", kms.create_key, status=500)
    refused("KMSInternalException", kms.disable_key, status=500, KeyId=key)
    world("store locked")
    refused("DependencyTimeoutException", kms.create_key, status=503)
    refused("DependencyTimeoutException", kms.disable_key, status=503, KeyId=key)
    world("store fine")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]


expired_token()
rotation_ahead()
cluster()
store()
print("passed")
