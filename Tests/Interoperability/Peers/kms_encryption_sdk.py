"""AWS's Encryption SDK with its KMS keyrings, whose key service is ours (AWS_ENDPOINT_URL_KMS).

    kms_encryption_sdk.py KEY-ARN ALIAS FOLDER        opens FOLDER/ours, writes FOLDER/theirs
"""
import pathlib
import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsDiscoveryKeyringInput, CreateAwsKmsKeyringInput, CreateAwsKmsMultiKeyringInput, DiscoveryFilter)
from aws_encryption_sdk import StrictAwsKmsMasterKeyProvider

arn, other, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
kms = boto3.client("kms")
mpl = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
client = aws_encryption_sdk.EncryptionSDKClient()
context = {"purpose": "interoperability"}
plaintext = bytes(range(256)) * 40

strict = mpl.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=kms))
several = mpl.create_aws_kms_multi_keyring(CreateAwsKmsMultiKeyringInput(generator=arn, kms_key_ids=[other]))
discovery = mpl.create_aws_kms_discovery_keyring(CreateAwsKmsDiscoveryKeyringInput(
    kms_client=kms, discovery_filter=DiscoveryFilter(account_ids=["111122223333"], partition="aws")))
provider = StrictAwsKmsMasterKeyProvider(key_ids=[arn, other])


def opened(message, **how):
    found, header = client.decrypt(source=message, **how)
    assert found == plaintext and header.encryption_context["purpose"] == "interoperability"


for sealing in [{"keyring": strict}, {"keyring": several}, {"key_provider": provider}]:
    message, _ = client.encrypt(source=plaintext, encryption_context=context, **sealing)
    for opening in [{"keyring": strict}, {"keyring": discovery}, {"key_provider": provider}]:
        opened(message, **opening)
(folder / "theirs").write_bytes(message)
ours = (folder / "ours").read_bytes()
opened(ours, keyring=strict)
opened(ours, keyring=discovery)
kms.disable_key(KeyId=arn)
for opening in [{"keyring": strict}, {"keyring": discovery}]:
    try:
        opened(ours, **opening)
    except Exception:
        continue
    raise AssertionError("a disabled key opens")
kms.enable_key(KeyId=arn)
print("the SDK passed")
