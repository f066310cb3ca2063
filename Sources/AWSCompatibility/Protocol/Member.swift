/// What a member of a request must be: one table for all operations, since one name means one thing (AWS KMS API Reference).
struct Member: Sendable {
    enum Kind: Sendable {
        case text
        case blob
        case number
        case flag
        case time
        case texts
        case pairs
        case tags
        case structure
    }

    let kind: Kind
    /// The length of a text or a blob in characters or bytes, the value of a number, or how many a list has.
    var range: ClosedRange<Int>?
    /// The only texts that it may be.
    var choices: [String]?
    /// What its texts are made of.
    var isAllowed: (@Sendable (Unicode.Scalar) -> Bool)?

    static func text(_ range: ClosedRange<Int>, _ isAllowed: (@Sendable (Unicode.Scalar) -> Bool)? = nil) -> Member {
        Member(kind: .text, range: range, isAllowed: isAllowed)
    }
    static func choice(_ choices: [String]) -> Member { Member(kind: .text, choices: choices) }
    static func blob(_ range: ClosedRange<Int>) -> Member { Member(kind: .blob, range: range) }
    static func number(_ range: ClosedRange<Int>) -> Member { Member(kind: .number, range: range) }
    static let flag = Member(kind: .flag)
    static let keyID = Member.text(1...2048)
    static let name = Member.text(1...256) { isWord($0) || ":/-".unicodeScalars.contains($0) }
    static let principal = Member.text(1...256) { isWord($0) || "+=,.@:/-".unicodeScalars.contains($0) }
    static let host = Member.text(1...128) { isWord($0) && $0 != "_" || "-.".unicodeScalars.contains($0) }
    static let context = Member(kind: .pairs)

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_")
    }

    static let encryptionAlgorithms = ["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"]
    static let keySpecs = [
        "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
        "SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65",
        "ML_DSA_87", "ECC_NIST_EDWARDS25519", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024",
    ]

    /// By name.
    static let all: [String: Member] = [
        "AliasName": .name, "BypassPolicyLockoutSafetyCheck": .flag, "CiphertextBlob": .blob(1...6144),
        "Constraints": Member(kind: .structure), "CustomKeyStoreId": .text(1...64),
        "CustomKeyStoreName": .text(1...256), "CustomerMasterKeySpec": .choice(keySpecs),
        "Description": .text(0...8192),
        "DestinationEncryptionAlgorithm": .choice(encryptionAlgorithms), "DestinationEncryptionContext": .context,
        "DestinationKeyId": .keyID, "DryRun": .flag,
        "DryRunModifiers": Member(kind: .texts, choices: ["IGNORE_CIPHERTEXT"]),
        "EncryptedKeyMaterial": .blob(1...6144),
        "EncryptionAlgorithm": .choice(encryptionAlgorithms), "EncryptionContext": .context,
        "ExpirationModel": .choice(["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"]), "GrantId": .text(1...128),
        "GrantToken": .text(1...8192), "GrantTokens": Member(kind: .texts, range: 0...10),
        "GranteePrincipal": .principal, "GranteeServicePrincipal": .host, "ImportToken": .blob(1...6144),
        "ImportType": .choice(["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]),
        "IncludeKeyMaterial": .choice(["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]),
        "KeyAgreementAlgorithm": .choice(["ECDH"]), "KeyId": .keyID,
        "KeyMaterialDescription": .text(0...256) { isWord($0) || ":/.- \t\n".unicodeScalars.contains($0) },
        "KeyMaterialId": .text(64...64) { ("0"..."9").contains($0) || ("a"..."f").contains($0) },
        "KeyPairSpec": .choice([
            "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
            "SM2", "ECC_NIST_EDWARDS25519", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024",
        ]), "KeySpec": .text(0...64),
        "KeyUsage": .choice([
            "SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE",
        ]), "Limit": .number(1...1000), "Mac": .blob(1...6144),
        "MacAlgorithm": .choice(["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"]),
        "Marker": .text(1...1024) { (0x20...0xFF).contains($0.value) }, "Message": .blob(1...4096),
        "MessageType": .choice(["RAW", "DIGEST", "EXTERNAL_MU"]), "MultiRegion": .flag, "Name": .name,
        "NumberOfBytes": .number(1...1024),
        "Operations": Member(
            kind: .texts, choices: GrantOperation.allCases.map(\.rawValue) + ["Encapsulate", "Decapsulate"]),
        "Origin": .choice(["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
        "PendingWindowInDays": .number(1...365), "Plaintext": .blob(1...4096),
        "Policy": .text(1...131_072) { (0x20...0xFF).contains($0.value) || [9, 10, 13].contains($0.value) },
        "PolicyName": .text(1...128, isWord), "PublicKey": .blob(1...8192), "Recipient": Member(kind: .structure),
        "ResourceOwners": Member(kind: .texts, range: 1...2, choices: ["SELF", "OTHER_ACCOUNTS_VIA_RAM"]),
        "RetiringPrincipal": .principal, "RetiringServicePrincipal": .host, "RotationPeriodInDays": .number(90...2560),
        "Signature": .blob(1...6144),
        "SigningAlgorithm": .choice([
            "RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256",
            "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512", "ECDSA_SHA_256", "ECDSA_SHA_384",
            "ECDSA_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256", "ED25519_SHA_512", "ED25519_PH_SHA_512",
        ]), "SourceEncryptionAlgorithm": .choice(encryptionAlgorithms), "SourceEncryptionContext": .context,
        "SourceKeyId": .keyID, "TagKeys": Member(kind: .texts), "Tags": Member(kind: .tags), "TargetKeyId": .keyID,
        "ValidTo": Member(kind: .time),
        "WrappingAlgorithm": .choice([
            "RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1",
            "RSA_AES_KEY_WRAP_SHA_256", "SM2PKE",
        ]), "WrappingKeySpec": .choice(["RSA_2048", "RSA_3072", "RSA_4096", "SM2"]),
        "EncapsulationAlgorithm": .choice(["ML_KEM"]), "SharedSecretCiphertextBlob": .blob(1...6144),
        "ReplicaRegion": .text(1...32), "PrimaryRegion": .text(1...32),
        "CloudHsmClusterId": .text(19...24) { isWord($0) || $0 == "-" },
        "CustomKeyStoreType": .choice(["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]), "KeyStorePassword": .text(7...32),
        "NewCustomKeyStoreName": .text(1...256), "TrustAnchorCertificate": .text(1...5000),
        "XksProxyAuthenticationCredential": Member(kind: .structure),
        "XksProxyConnectivity": .choice(["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"]),
        "XksProxyUriEndpoint": .text(10...128), "XksProxyUriPath": .text(10...128),
        "XksProxyVpcEndpointServiceName": .text(20...64), "XksProxyVpcEndpointServiceOwner": .text(12...12),
        "XksKeyId": .text(1...128) { isWord($0) || "-.".unicodeScalars.contains($0) },
    ]

    /// How a value breaks the member's rules; nil where it keeps them.
    func violation(_ value: Input.Value, _ name: String) -> String? {
        let name = name.prefix(1).lowercased() + name.dropFirst()
        func failed(_ shown: String, _ rule: String) -> String {
            "Value \(shown)at '\(name)' failed to satisfy constraint: Member must \(rule)"
        }
        func out(_ count: Int, _ shown: String, _ what: String) -> String? {
            guard let range, !range.contains(count) else { return nil }
            return count < range.lowerBound
                ? failed(shown, "have \(what) greater than or equal to \(range.lowerBound)")
                : failed(shown, "have \(what) less than or equal to \(range.upperBound)")
        }
        switch value {
        case .text(let text):
            // Other characters may be the same to Swift, and are not to policies.
            if let choices, !(text.utf8.allSatisfy { $0 < 128 } && choices.contains(text)) {
                return failed("'\(text)' ", "satisfy enum value set: [\(choices.joined(separator: ", "))]")
            }
            if let problem = out(text.unicodeScalars.count, "'\(text)' ", "length") { return problem }
            guard let isAllowed, !text.unicodeScalars.allSatisfy(isAllowed) else { return nil }
            return failed("'\(text)' ", "satisfy regular expression pattern")
        case .blob(let bytes): return out(bytes.count, "", "length")
        case .number(let number): return out(number, "'\(number)' ", "value")
        case .texts(let texts):
            if let problem = out(texts.count, "'\(texts)' ", "length") { return problem }
            guard let choices,
                let other = texts.first(where: { !($0.utf8.allSatisfy { $0 < 128 } && choices.contains($0)) })
            else { return nil }
            return failed(
                "'[\(other)]' ",
                "satisfy constraint: [Member must satisfy enum value set: [\(choices.joined(separator: ", "))]]")
        default: return nil
        }
    }
}
