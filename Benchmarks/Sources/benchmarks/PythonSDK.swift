import Foundation

/// AWS's Encryption SDK for Python in a process of its own, which encrypts once for each line it is sent and answers with
/// the CPU time that took.
final class PythonSDK {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    /// Starts the process; nil where Python or the SDK is missing.
    init?(frameByteCount: Int, messageByteCount: Int, isStreaming: Bool) {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", PythonSDK.script, String(frameByteCount), String(messageByteCount),
            isStreaming ? "stream" : "memory",
        ]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil, line() == "ready" else { return nil }
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Has one message encrypted.
    ///
    /// - Returns: nanoseconds of CPU.
    func encrypt() throws -> Double {
        try input.fileHandleForWriting.write(contentsOf: Data("go\n".utf8))
        guard let text = line(), let time = Double(text) else { throw CocoaError(.fileReadUnknown) }
        return time
    }

    private func line() -> String? {
        var bytes = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            if byte[byte.startIndex] == 0x0A { return String(decoding: bytes, as: UTF8.self) }
            bytes += byte
        }
        return nil
    }

    private static let script = """
        import io, sys, time
        import aws_encryption_sdk
        from aws_encryption_sdk import CommitmentPolicy
        from aws_encryption_sdk.identifiers import AlgorithmSuite
        from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
        from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
        from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
        frame, size = int(sys.argv[1]), int(sys.argv[2])
        client = aws_encryption_sdk.EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
        keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_raw_aes_keyring(
            input=CreateRawAesKeyringInput(key_namespace="b", key_name="k", wrapping_key=bytes(32),
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16))
        data = bytes(size)
        print("ready", flush=True)
        for _ in sys.stdin:
            start = time.process_time_ns()
            options = dict(keyring=keyring, encryption_context={}, frame_length=frame,
                algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY)
            if sys.argv[3] == "memory":
                client.encrypt(source=data, **options)
            else:
                with client.stream(mode="e", source=io.BytesIO(data), **options) as stream:
                    for chunk in stream: pass
            print(time.process_time_ns() - start, flush=True)
        """
}
