import AtRest
import Foundation
import StrongroomTestSupport
import Testing

/// AWS's own SDK (PyPI aws-encryption-sdk) opens what we seal, and we open what it seals.
@Suite struct EncryptionSDKTests {
    static let key = [UInt8](0..<32)

    /// Seals or opens standard input with a raw AES keyring, and writes the result to standard output.
    static let script = """
        import sys
        import aws_encryption_sdk
        from aws_encryption_sdk import CommitmentPolicy
        from aws_encryption_sdk.identifiers import AlgorithmSuite
        from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
        from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
        from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput

        mode, suite, frame = sys.argv[1], int(sys.argv[2], 16), int(sys.argv[3])
        client = aws_encryption_sdk.EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
        providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        keyring = providers.create_raw_aes_keyring(input=CreateRawAesKeyringInput(
            key_namespace="strongroom tests", key_name="interop", wrapping_key=bytes(range(32)),
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16))
        data = sys.stdin.buffer.read()
        context = {"purpose": "interoperability", "\\u00fc": "\\u20ac"}
        if mode == "seal":
            out, _ = client.encrypt(source=data, keyring=keyring, encryption_context=context,
                algorithm=AlgorithmSuite.get_by_id(suite), frame_length=frame)
        else:
            out, header = client.decrypt(source=data, keyring=keyring, encryption_context=context)
            assert header.algorithm.algorithm_id == suite
        sys.stdout.buffer.write(out)
        """

    static let isInstalled: Bool =
        (try? Subprocess.run("python3", ["-c", "import aws_encryption_sdk, aws_cryptographic_material_providers"]))?
        .status == 0

    @Test(
        .enabled(
            if: isInstalled || Requirement.peers.isMandatory,
            "pip install aws-encryption-sdk aws-cryptographic-material-providers"),
        arguments: [AlgorithmSuite.committing, .committingSigned])
    func `the Python SDK and we read each other`(_ suite: AlgorithmSuite) async throws {
        let keyring = try RawAESKeyring(
            namespace: "strongroom tests", name: "interop", key: SecretBytes(copying: Self.key))
        let context: EncryptionContext = ["purpose": "interoperability", "ü": "€"]
        for (count, frame) in [(0, 4096), (1, 4096), (8192, 4096), (3_500_000, 65536)] {
            let plaintext = try SystemRandom().bytes(count: count)
            let envelope = Envelope(keyring: keyring, suite: suite, framing: .frames(of: frame))
            let ours = try await envelope.encrypt(plaintext, context: context)
            let opened = try Subprocess.run(
                "python3", ["-c", Self.script, "open", suite.description, String(frame)], input: Data(ours))
            #expect(opened.status == 0, "\(opened.errorText.suffix(400))")
            #expect(Array(opened.output) == plaintext, "\(count) bytes, sealed by us")
            let theirs = try Subprocess.run(
                "python3", ["-c", Self.script, "seal", suite.description, String(frame)], input: Data(plaintext))
            #expect(theirs.status == 0, "\(theirs.errorText.suffix(400))")
            let message = try await envelope.decrypt(Array(theirs.output), expecting: context)
            #expect(message.plaintext.revealed == plaintext, "\(count) bytes, sealed by them")
            #expect(message.suite == suite)
        }
    }
}
