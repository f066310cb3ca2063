internal import KeyManagement

extension KMSOperation {
    /// Bringing material.
    static let imports: [String: KMSOperation] = [
        "GetParametersForImport": KMSOperation("KeyId", "WrappingAlgorithm", "WrappingKeySpec") { call in
            let specification = call.required("WrappingKeySpec")
            guard let wrapping = ImportWrapping(rawValue: call.required("WrappingAlgorithm")),
                let size = RSAKeySize(rawValue: specification) ?? (wrapping == .sm2PKE ? .bits3072 : nil),
                (wrapping == .sm2PKE) == (specification == "SM2")
            else {
                throw KeyManagementError(
                    .unsupportedOperation,
                    "\(call.required("WrappingAlgorithm")) under \(specification) is not supported.")
            }
            let parameters = try await call.client.importParameters(for: call.key, wrapping: wrapping, keySize: size)
            call.output.field("KeyId", call.usedKey)
            call.write("ImportToken", parameters.token.bytes)
            call.write("PublicKey", parameters.wrappingKey)
            call.write("ParametersValidTo", parameters.validTo)
        },
        "ImportKeyMaterial": KMSOperation("KeyId", "ImportToken", "EncryptedKeyMaterial") { call in
            let material = try await call.client.importKeyMaterial(
                call.input.blob("EncryptedKeyMaterial") ?? [], ImportToken(call.input.blob("ImportToken") ?? []),
                into: call.key, expiring: call.expiry(),
                isNew: call.input.text("ImportType").map { $0 == "NEW_KEY_MATERIAL" },
                material: call.input.text("KeyMaterialId"), description: call.input.text("KeyMaterialDescription"))
            call.output.field("KeyId", call.usedKey)
            call.output.field("KeyMaterialId", material)
        },
        "DeleteImportedKeyMaterial": KMSOperation("KeyId") { call in
            let material = try await call.client.deleteImportedKeyMaterial(
                of: call.key, material: call.input.text("KeyMaterialId"))
            call.output.field("KeyId", call.usedKey)
            if let material { call.output.field("KeyMaterialId", material) }
        },
    ]
}

extension KMSCall {
    fileprivate func expiry() throws(KeyManagementError) -> MaterialExpiry {
        let date = input.time("ValidTo")
        guard input.text("ExpirationModel") != "KEY_MATERIAL_DOES_NOT_EXPIRE" else {
            guard date == nil else {
                throw KeyManagementError(.validation, "ValidTo does not go with KEY_MATERIAL_DOES_NOT_EXPIRE.")
            }
            return .never
        }
        guard let date else {
            throw KeyManagementError(
                .validation, "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
        }
        return .at(date)
    }
}
