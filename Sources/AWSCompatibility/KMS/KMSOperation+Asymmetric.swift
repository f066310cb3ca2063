internal import KeyManagement

extension KMSOperation {
    /// Signatures, authentication codes and agreements.
    static let asymmetric: [String: KMSOperation] = [
        "Sign": KMSOperation("KeyId", "Message", "SigningAlgorithm") { call in
            let (key, algorithm) = (NamedKey<Signing>(call.key), try call.signatureAlgorithm())
            let message = call.input.blob("Message") ?? []
            let signature: [UInt8]
            switch try call.messageType(algorithm) {
            case .raw: signature = try await call.client.sign(message, with: key, using: algorithm)
            case .digest:
                let digest = try call.digest(algorithm)
                signature = try await call.client.sign(digest: digest, with: key, using: algorithm)
            case .representative: signature = try await call.client.sign(representative: message, with: key)
            }
            call.output.field("KeyId", call.usedKey)
            call.write("Signature", signature)
            call.output.field("SigningAlgorithm", call.required("SigningAlgorithm"))
        },
        "Verify": KMSOperation("KeyId", "Message", "Signature", "SigningAlgorithm") { call in
            let (key, algorithm) = (NamedKey<Signing>(call.key), try call.signatureAlgorithm())
            let (message, signature) = (call.input.blob("Message") ?? [], call.input.blob("Signature") ?? [])
            switch try call.messageType(algorithm) {
            case .raw: try await call.client.verify(signature, for: message, with: key, using: algorithm)
            case .digest:
                let digest = try call.digest(algorithm)
                try await call.client.verify(signature, forDigest: digest, with: key, using: algorithm)
            case .representative:
                try await call.client.verify(signature, forRepresentative: message, with: key)
            }
            call.output.field("KeyId", call.usedKey)
            call.write("SignatureValid", true)
            call.output.field("SigningAlgorithm", call.required("SigningAlgorithm"))
        },
        "GenerateMac": KMSOperation("Message", "KeyId", "MacAlgorithm") { call in
            let code = try await call.client.generateMAC(
                for: call.input.blob("Message") ?? [], with: NamedKey(call.key), using: call.macKeySize)
            call.write("Mac", code)
            call.output.field("MacAlgorithm", call.required("MacAlgorithm"))
            call.output.field("KeyId", call.usedKey)
        },
        "VerifyMac": KMSOperation("Message", "KeyId", "MacAlgorithm", "Mac") { call in
            try await call.client.verifyMAC(
                call.input.blob("Mac") ?? [], for: call.input.blob("Message") ?? [], with: NamedKey(call.key),
                using: call.macKeySize)
            call.output.field("KeyId", call.usedKey)
            call.write("MacValid", true)
            call.output.field("MacAlgorithm", call.required("MacAlgorithm"))
        },
        "DeriveSharedSecret": KMSOperation("KeyId", "KeyAgreementAlgorithm", "PublicKey") { call in
            let (key, peer) = (NamedKey<Agreement>(call.key), call.input.blob("PublicKey") ?? [])
            if let recipient = try call.recipient() {
                call.write(try await call.client.deriveSharedSecret(with: key, peer: peer, for: recipient))
            } else {
                call.write("SharedSecret", try await call.client.deriveSharedSecret(with: key, peer: peer))
            }
            call.output.field("KeyId", call.usedKey)
            call.output.field("KeyAgreementAlgorithm", "ECDH")
            call.output.field("KeyOrigin", call.report.origin)
        },
        "GetPublicKey": KMSOperation("KeyId") { call in
            let key = try await call.client.publicKey(of: call.key)
            call.output.field("KeyId", key.keyARN.description)
            call.write("PublicKey", key.subjectPublicKeyInfo)
            call.output.field("CustomerMasterKeySpec", key.specification)
            call.output.field("KeySpec", key.specification)
            call.output.field("KeyUsage", key.usage)
            call.write(KMSCall.algorithmsMember(key.usage), key.algorithms)
        },
    ]
}

extension KMSCall {
    private static let signatureAlgorithms: [String: SignatureAlgorithm] = [
        "ECDSA_SHA_256": .ecdsaSHA256, "ECDSA_SHA_384": .ecdsaSHA384, "ECDSA_SHA_512": .ecdsaSHA512,
        "ED25519_SHA_512": .ed25519, "ED25519_PH_SHA_512": .ed25519ph, "ML_DSA_SHAKE_256": .mlDSA,
        "SM2DSA": .sm2DSA,
        "RSASSA_PSS_SHA_256": .rsaPSSSHA256, "RSASSA_PSS_SHA_384": .rsaPSSSHA384,
        "RSASSA_PSS_SHA_512": .rsaPSSSHA512, "RSASSA_PKCS1_V1_5_SHA_256": .rsaPKCS1v15SHA256,
        "RSASSA_PKCS1_V1_5_SHA_384": .rsaPKCS1v15SHA384, "RSASSA_PKCS1_V1_5_SHA_512": .rsaPKCS1v15SHA512,
    ]

    /// The key that goes with the algorithm that is named.
    fileprivate var macKeySize: HMACKeySize? {
        HMACKeySize(rawValue: "HMAC_\(required("MacAlgorithm").dropFirst("HMAC_SHA_".count))")
    }

    fileprivate func signatureAlgorithm() throws(KeyManagementError) -> SignatureAlgorithm {
        let name = required("SigningAlgorithm")
        guard let algorithm = KMSCall.signatureAlgorithms[name] else {
            throw KeyManagementError(.invalidKeyUsage, "Algorithm \(name) is not supported.")
        }
        return algorithm
    }

    /// What the message is.
    fileprivate enum MessageType { case raw, digest, representative }

    fileprivate func messageType(_ algorithm: SignatureAlgorithm) throws(KeyManagementError) -> MessageType {
        switch input.text("MessageType") ?? "RAW" {
        case "RAW" where algorithm != .ed25519ph: return .raw
        case "DIGEST" where algorithm.digestFunction != nil: return .digest
        case "EXTERNAL_MU" where algorithm == .mlDSA: return .representative
        default:
            throw KeyManagementError(
                .validation, "Algorithm \(required("SigningAlgorithm")) does not take this message type.")
        }
    }

    fileprivate func digest(_ algorithm: SignatureAlgorithm) throws(KeyManagementError) -> Digest {
        let message = input.blob("Message") ?? []
        guard message.count == algorithm.digestFunction?.digestByteCount, let digest = try? Digest(message.span) else {
            throw KeyManagementError(
                .validation, "Digest is invalid length for algorithm \(required("SigningAlgorithm")).")
        }
        return digest
    }
}
