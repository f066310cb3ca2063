internal import KeyManagement

extension KMSOperation {
    /// Keys for use outside, and random bytes.
    static let dataKeys: [String: KMSOperation] = [
        "GenerateDataKey": KMSOperation("KeyId") { call in
            let (name, count) = (NamedKey<Encryption>(call.key), try call.byteCount())
            let context = call.input.context("EncryptionContext")
            if let recipient = try call.recipient() {
                let key = try await call.client.generateDataKey(
                    under: name, byteCount: count, context: context, for: recipient)
                call.write("CiphertextBlob", key.ciphertext.bytes)
                call.write(key.envelope)
            } else {
                let key = try await call.client.generateDataKey(under: name, byteCount: count, context: context)
                call.write("CiphertextBlob", key.ciphertext.bytes)
                call.write("Plaintext", key.plaintext)
            }
            call.writeKey()
        },
        "GenerateDataKeyWithoutPlaintext": KMSOperation("KeyId") { call in
            let sealed = try await call.client.generateDataKeyWithoutPlaintext(
                under: NamedKey(call.key), byteCount: call.byteCount(), context: call.input.context("EncryptionContext")
            )
            call.write("CiphertextBlob", sealed.bytes)
            call.writeKey()
        },
        "GenerateDataKeyPair": KMSOperation("KeyId", "KeyPairSpec") { call in
            let (name, kind) = (NamedKey<Encryption>(call.key), try call.pairKind())
            let context = call.input.context("EncryptionContext")
            if let recipient = try call.recipient() {
                let pair = try await call.client.generateDataKeyPair(
                    kind, under: name, context: context, for: recipient)
                call.write("PrivateKeyCiphertextBlob", pair.ciphertext.bytes)
                call.write(pair.envelope)
                call.write("PublicKey", pair.publicKey)
            } else {
                let pair = try await call.client.generateDataKeyPair(kind, under: name, context: context)
                call.write("PrivateKeyCiphertextBlob", pair.ciphertext.bytes)
                call.write("PrivateKeyPlaintext", pair.privateKey)
                call.write("PublicKey", pair.publicKey)
            }
            call.output.field("KeyPairSpec", call.required("KeyPairSpec"))
            call.writeKey()
        },
        "GenerateDataKeyPairWithoutPlaintext": KMSOperation("KeyId", "KeyPairSpec") { call in
            let (publicKey, sealed) = try await call.client.generateDataKeyPairWithoutPlaintext(
                call.pairKind(), under: NamedKey(call.key), context: call.input.context("EncryptionContext"))
            call.write("PrivateKeyCiphertextBlob", sealed.bytes)
            call.write("PublicKey", publicKey)
            call.output.field("KeyPairSpec", call.required("KeyPairSpec"))
            call.writeKey()
        },
        "GenerateRandom": KMSOperation { call in
            guard !call.input.has("CustomKeyStoreId") else {
                throw KeyManagementError(.unsupportedOperation, "Key stores give no random bytes.")
            }
            guard let count = call.input.number("NumberOfBytes") else {
                throw KeyManagementError(.validation, "NumberOfBytes is required.")
            }
            if let recipient = try call.recipient() {
                call.write(try await call.client.generateRandom(byteCount: count, for: recipient))
            } else {
                call.write("Plaintext", try await call.client.generateRandom(byteCount: count))
            }
        },
    ]
}

extension KMSCall {
    fileprivate mutating func writeKey() {
        output.field("KeyId", usedKey)
        if let material = report.materials.last { output.field("KeyMaterialId", material) }
    }

    /// AES_128, AES_256 or a number of bytes: one of them.
    fileprivate func byteCount() throws -> Int {
        let number = input.number("NumberOfBytes")
        guard let spec = input.text("KeySpec") else {
            guard let number else {
                throw KeyManagementError(.validation, "Please specify either number of bytes or key spec.")
            }
            return number
        }
        guard ["AES_128", "AES_256"].contains(spec) else {
            throw AWSFailure(violations: [
                "Value '\(spec)' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]"
            ])
        }
        guard number == nil else {
            throw KeyManagementError(.validation, "Please specify either number of bytes or key spec.")
        }
        return spec == "AES_128" ? 16 : 32
    }

    fileprivate func pairKind() throws(KeyManagementError) -> DataKeyPairKind {
        let spec = required("KeyPairSpec")
        guard let kind = DataKeyPairKind(spec) else {
            throw KeyManagementError(.unsupportedOperation, "KeyPairSpec \(spec) is not supported.")
        }
        return kind
    }
}
