import Cryptography
import Foundation
import StrongroomTestSupport
import Synchronization

/// AWS's own SDK (PyPI aws-encryption-sdk) in a process of its own, which seals and opens as it is told.
///
/// Keys are the caller's, as hexadecimal digits and PEM; each task and answer is a line of JSON.
final class EncryptionSDK: Sendable {
    struct Task: Encodable {
        var mode = "seal"
        var suite = "0478"
        var frame = 4096
        /// One of the script's keyrings, or several, of which the first makes the data key.
        var keyrings: [String] = []
        var keys: [String: String] = [:]
        var context: [String: String] = [:]
        /// Names that the required-context manager holds out.
        var required: [String] = []
        var isCaching = false
        var data = ""
    }

    struct Refusal: Error, CustomStringConvertible { let description: String }

    static let isInstalled: Bool =
        (try? Subprocess.run("python3", ["-c", "import aws_encryption_sdk, aws_cryptographic_material_providers"]))?
        .status == 0

    private let peer: LinePeer

    private init() throws { peer = try LinePeer("python3", ["-c", EncryptionSDK.script]) }

    /// The one process of this run: it takes seconds to start.
    static let shared = Result { try EncryptionSDK() }

    func run(_ task: Task, _ data: [UInt8]) throws -> [UInt8] {
        var task = task
        task.data = Data(data).base64EncodedString()
        let line = String(decoding: try JSONEncoder().encode(task), as: UTF8.self)
        let answer = try peer.ask(line)
        guard let bytes = Data(base64Encoded: answer), !answer.hasPrefix("error") else {
            throw Refusal(description: answer)
        }
        return Array(bytes)
    }

    private static let script = """
        import base64, json, sys
        from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
        from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
        from aws_cryptographic_material_providers.mpl.models import *
        import aws_encryption_sdk
        from aws_encryption_sdk import CommitmentPolicy
        from aws_encryption_sdk.identifiers import AlgorithmSuite
        from aws_cryptography_primitives.smithygenerated.aws_cryptography_primitives.models import ECDHCurveSpec

        mpl = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        clients = {policy: aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy) for policy in (
            CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)}
        PADDINGS = {"pkcs1": PaddingScheme.PKCS1, "sha1": PaddingScheme.OAEP_SHA1_MGF1,
            "sha256": PaddingScheme.OAEP_SHA256_MGF1, "sha384": PaddingScheme.OAEP_SHA384_MGF1,
            "sha512": PaddingScheme.OAEP_SHA512_MGF1}
        CURVES = {"P-256": ECDHCurveSpec.ECC_NIST_P256, "P-384": ECDHCurveSpec.ECC_NIST_P384,
            "P-521": ECDHCurveSpec.ECC_NIST_P521}
        AES = {16: AesWrappingAlg.ALG_AES128_GCM_IV12_TAG16, 24: AesWrappingAlg.ALG_AES192_GCM_IV12_TAG16,
            32: AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16}

        def keyring(name, keys):
            kind, _, rest = name.partition(" ")
            if kind == "aes":
                key = bytes.fromhex(keys[name])
                return mpl.create_raw_aes_keyring(CreateRawAesKeyringInput(key_namespace="strongroom tests",
                    key_name=name, wrapping_key=key, wrapping_alg=AES[len(key)]))
            if kind == "rsa":
                return mpl.create_raw_rsa_keyring(CreateRawRsaKeyringInput(key_namespace="strongroom tests",
                    key_name=name, padding_scheme=PADDINGS[rest], public_key=keys["rsa public"].encode(),
                    private_key=keys["rsa private"].encode()))
            curve, _, schema = rest.partition(" ")
            der = lambda name: base64.b64decode(keys[name])
            if schema == "static":
                agreement = RawEcdhStaticConfigurationsRawPrivateKeyToStaticPublicKey(RawPrivateKeyToStaticPublicKeyInput(
                    sender_static_private_key=keys["own " + curve].encode(), recipient_public_key=der("peer " + curve)))
            elif schema == "ephemeral":
                agreement = RawEcdhStaticConfigurationsEphemeralPrivateKeyToStaticPublicKey(
                    EphemeralPrivateKeyToStaticPublicKeyInput(recipient_public_key=der("peer " + curve)))
            else:
                agreement = RawEcdhStaticConfigurationsPublicKeyDiscovery(PublicKeyDiscoveryInput(
                    recipient_static_private_key=keys["own " + curve].encode()))
            return mpl.create_raw_ecdh_keyring(CreateRawEcdhKeyringInput(
                key_agreement_scheme=agreement, curve_spec=CURVES[curve]))

        def run(task):
            data = base64.b64decode(task["data"])
            suite = int(task["suite"], 16)
            made = [keyring(name, task["keys"]) for name in task["keyrings"]]
            ring = made[0] if len(made) == 1 else mpl.create_multi_keyring(CreateMultiKeyringInput(
                generator=made[0], child_keyrings=made[1:]))
            client = clients[CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT if suite in (0x478, 0x578)
                else CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT]
            source = {"keyring": ring}
            if task["required"]:
                source = {"materials_manager": mpl.create_required_encryption_context_cmm(
                    CreateRequiredEncryptionContextCMMInput(required_encryption_context_keys=task["required"],
                        underlying_cmm=mpl.create_default_cryptographic_materials_manager(
                            CreateDefaultCryptographicMaterialsManagerInput(keyring=ring))))}
            if task["isCaching"]:
                from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider
                from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
                from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
                key = bytes.fromhex(task["keys"][task["keyrings"][0]])
                class Provider(RawMasterKeyProvider):
                    provider_id = "strongroom tests"
                    def _get_raw_key(self, key_id):
                        return WrappingKey(wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
                            wrapping_key=key, wrapping_key_type=EncryptionKeyType.SYMMETRIC)
                if task["keyrings"][0] not in caches:
                    provider = Provider()
                    provider.add_master_key(task["keyrings"][0])
                    caches[task["keyrings"][0]] = aws_encryption_sdk.CachingCryptoMaterialsManager(
                        master_key_provider=provider, cache=aws_encryption_sdk.LocalCryptoMaterialsCache(100),
                        max_age=600.0, max_messages_encrypted=100)
                source = {"materials_manager": caches[task["keyrings"][0]]}
            if task["mode"] == "seal":
                out, _ = client.encrypt(source=data, encryption_context=task["context"],
                    algorithm=AlgorithmSuite.get_by_id(suite), frame_length=task["frame"], **source)
            else:
                if not task["isCaching"]: source["encryption_context"] = task["context"]
                out, header = client.decrypt(source=data, **source)
                assert header.algorithm.algorithm_id == suite, header
            return base64.b64encode(out).decode()

        caches = {}
        for line in sys.stdin:
            try: print(run(json.loads(line)), flush=True)
            except Exception as error: print("error " + repr(error).replace("\\n", " ")[:600], flush=True)
        """
}
