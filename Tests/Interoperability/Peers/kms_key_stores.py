"""Key stores by boto3: one on a cluster of HSMs, one with a proxy elsewhere.

    kms_key_stores.py ADDRESS PROXY
"""
import sys

import boto3
from refusals import refused

address, proxy = sys.argv[1:]
kms = boto3.client("kms", endpoint_url=address)
CREDENTIAL = {"AccessKeyId": "STRONGROOM234567ABCDEF",
              "RawSecretAccessKey": "0123456789012345678901234567890123456789abc"}
PATH = "/tenant/kms/xks/v1"


def store(identifier):
    (found,) = kms.describe_custom_key_stores(CustomKeyStoreId=identifier)["CustomKeyStores"]
    return found


def works(key):
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x" * 4096, EncryptionContext={"a": "b"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"] == b"x" * 4096
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed, EncryptionContext={"a": "c"})
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
    refused("UnsupportedOperationException", kms.generate_data_key_pair, KeyId=key, KeyPairSpec="ECC_NIST_P256")
    return sealed


def cluster():
    good = {"CustomKeyStoreName": "hsm", "CloudHsmClusterId": "cluster-2345abcdefg", "KeyStorePassword": "a wrong one",
            "TrustAnchorCertificate": "an anchor"}
    refused("IncorrectTrustAnchorException", kms.create_custom_key_store, **{**good, "TrustAnchorCertificate": "none"})
    refused("CloudHsmClusterNotFoundException", kms.create_custom_key_store,
            **{**good, "CloudHsmClusterId": "cluster-7654abcdefg"})
    identifier = kms.create_custom_key_store(**good)["CustomKeyStoreId"]
    refused("CustomKeyStoreNameInUseException", kms.create_custom_key_store, **good)
    refused("CloudHsmClusterInUseException", kms.create_custom_key_store, **{**good, "CustomKeyStoreName": "second"})
    found = store(identifier)
    assert found["ConnectionState"] == "DISCONNECTED" and found["CustomKeyStoreType"] == "AWS_CLOUDHSM", found
    refused("CustomKeyStoreInvalidStateException", kms.create_key, Origin="AWS_CLOUDHSM", CustomKeyStoreId=identifier)
    kms.connect_custom_key_store(CustomKeyStoreId=identifier)
    assert store(identifier)["ConnectionErrorCode"] == "INVALID_CREDENTIALS"
    refused("CustomKeyStoreInvalidStateException", kms.connect_custom_key_store, CustomKeyStoreId=identifier)
    kms.disconnect_custom_key_store(CustomKeyStoreId=identifier)
    refused("CloudHsmClusterNotRelatedException", kms.update_custom_key_store, CustomKeyStoreId=identifier,
            CloudHsmClusterId="cluster-3456abcdefg")
    kms.update_custom_key_store(CustomKeyStoreId=identifier, KeyStorePassword="the right one")
    kms.connect_custom_key_store(CustomKeyStoreId=identifier)
    assert store(identifier)["ConnectionState"] == "CONNECTED"
    refused("CustomKeyStoreInvalidStateException", kms.update_custom_key_store, CustomKeyStoreId=identifier,
            NewCustomKeyStoreName="other")
    made = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=identifier)["KeyMetadata"]
    assert made["Origin"] == "AWS_CLOUDHSM" and made["CustomKeyStoreId"] == identifier
    sealed = works(made["KeyId"])
    refused("CustomKeyStoreInvalidStateException", kms.delete_custom_key_store, CustomKeyStoreId=identifier)
    kms.disconnect_custom_key_store(CustomKeyStoreId=identifier)
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["KeyState"] == "Unavailable"
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed, EncryptionContext={"a": "b"})
    refused("CustomKeyStoreHasCMKsException", kms.delete_custom_key_store, CustomKeyStoreId=identifier)
    kms.update_custom_key_store(CustomKeyStoreId=identifier, NewCustomKeyStoreName="other")
    kms.connect_custom_key_store(CustomKeyStoreId=identifier)
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"] == b"x" * 4096


def external():
    good = {"CustomKeyStoreName": "elsewhere", "CustomKeyStoreType": "EXTERNAL_KEY_STORE", "XksProxyUriEndpoint": proxy,
            "XksProxyUriPath": PATH, "XksProxyConnectivity": "PUBLIC_ENDPOINT",
            "XksProxyAuthenticationCredential": CREDENTIAL}
    refused("XksProxyIncorrectAuthenticationCredentialException", kms.create_custom_key_store,
            **{**good, "XksProxyAuthenticationCredential": {**CREDENTIAL, "RawSecretAccessKey": "x" * 43}})
    refused("XksProxyInvalidConfigurationException", kms.create_custom_key_store,
            **{**good, "XksProxyUriPath": "/nobody/kms/xks/v1"})
    refused("XksProxyInvalidResponseException", kms.create_custom_key_store,
            **{**good, "XksProxyUriPath": "/broken/kms/xks/v1"})
    refused("XksProxyUriUnreachableException", kms.create_custom_key_store,
            **{**good, "XksProxyUriEndpoint": "https://localhost:1"})
    refused("ValidationException", kms.create_custom_key_store,
            **{**good, "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE"})
    refused("ValidationException", kms.create_custom_key_store, **{**good, "XksProxyUriEndpoint": "https://127.0.0.1"})
    first = kms.create_custom_key_store(**good)["CustomKeyStoreId"]
    assert len(kms.describe_custom_key_stores()["CustomKeyStores"]) == 2
    kms.delete_custom_key_store(CustomKeyStoreId=first)
    refused("CustomKeyStoreNotFoundException", kms.describe_custom_key_stores, CustomKeyStoreId=first)
    identifier = kms.create_custom_key_store(**good)["CustomKeyStoreId"]
    refused("XksProxyUriInUseException", kms.create_custom_key_store,
            **{**good, "CustomKeyStoreName": "third", "XksProxyUriEndpoint": proxy.replace("localhost", "LOCALHOST")})
    kms.connect_custom_key_store(CustomKeyStoreId=identifier)
    found = store(identifier)
    assert found["ConnectionState"] == "CONNECTED", found
    assert found["XksProxyConfiguration"] == {"Connectivity": "PUBLIC_ENDPOINT", "UriEndpoint": proxy, "UriPath": PATH,
                                              "AccessKeyId": CREDENTIAL["AccessKeyId"]}
    made = kms.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=identifier, XksKeyId="kid")["KeyMetadata"]
    assert made["Origin"] == "EXTERNAL_KEY_STORE" and made["XksKeyConfiguration"] == {"Id": "kid"}, made
    refused("XksKeyAlreadyInUseException", kms.create_key, Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=identifier,
            XksKeyId="kid")
    refused("XksKeyNotFoundException", kms.create_key, Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=identifier,
            XksKeyId="nobody")
    refused("XksKeyInvalidConfigurationException", kms.create_key, Origin="EXTERNAL_KEY_STORE",
            CustomKeyStoreId=identifier, XksKeyId="off")
    refused("ValidationException", kms.create_key, Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=identifier)
    sealed = works(made["KeyId"])
    own = kms.create_key()["KeyMetadata"]["KeyId"]
    moved = kms.re_encrypt(CiphertextBlob=sealed, SourceEncryptionContext={"a": "b"}, DestinationKeyId=own)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"x" * 4096
    kms.update_custom_key_store(
        CustomKeyStoreId=identifier, XksProxyAuthenticationCredential=CREDENTIAL, NewCustomKeyStoreName="renamed")
    assert store(identifier)["CustomKeyStoreName"] == "renamed"
    kms.disconnect_custom_key_store(CustomKeyStoreId=identifier)
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed, EncryptionContext={"a": "b"})


def private():
    service = "com.amazonaws.vpce.us-east-1.vpce-svc-one"
    good = {"CustomKeyStoreName": "private", "CustomKeyStoreType": "EXTERNAL_KEY_STORE", "XksProxyUriEndpoint": proxy,
            "XksProxyUriPath": PATH, "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
            "XksProxyVpcEndpointServiceName": service, "XksProxyAuthenticationCredential": CREDENTIAL}
    refused("XksProxyVpcEndpointServiceNotFoundException", kms.create_custom_key_store,
            **{**good, "XksProxyVpcEndpointServiceName": service + "-not"})
    refused("XksProxyVpcEndpointServiceNotFoundException", kms.create_custom_key_store,
            **{**good, "XksProxyVpcEndpointServiceOwner": "444455556666"})
    refused("XksProxyVpcEndpointServiceInvalidConfigurationException", kms.create_custom_key_store,
            **{**good, "XksProxyUriEndpoint": "https://xks.example.com"})
    # The public key store has this endpoint.
    refused("XksProxyUriEndpointInUseException", kms.create_custom_key_store, **good)
    (public,) = kms.describe_custom_key_stores(CustomKeyStoreName="renamed")["CustomKeyStores"]
    kms.update_custom_key_store(
        CustomKeyStoreId=public["CustomKeyStoreId"], XksProxyUriEndpoint=proxy,
        XksProxyConnectivity="VPC_ENDPOINT_SERVICE", XksProxyVpcEndpointServiceName=service)
    refused("XksProxyVpcEndpointServiceInUseException", kms.create_custom_key_store, **good)
    identifier = public["CustomKeyStoreId"]
    kms.connect_custom_key_store(CustomKeyStoreId=identifier)
    found = store(identifier)
    assert found["ConnectionState"] == "CONNECTED", found
    assert found["XksProxyConfiguration"] == {
        "Connectivity": "VPC_ENDPOINT_SERVICE", "UriEndpoint": proxy, "UriPath": PATH,
        "AccessKeyId": CREDENTIAL["AccessKeyId"], "VpcEndpointServiceName": service,
        "VpcEndpointServiceOwner": "111122223333"}, found
    refused("CustomKeyStoreInvalidStateException", kms.update_custom_key_store, CustomKeyStoreId=identifier,
            XksProxyUriEndpoint=proxy, XksProxyConnectivity="PUBLIC_ENDPOINT")
    (key,) = [made["KeyId"] for made in kms.list_keys()["Keys"]
              if kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"].get("CustomKeyStoreId") == identifier]
    works(key)


cluster()
external()
private()
print("key stores passed")
