internal import Auditing
internal import KeyManagement

extension KMSOperation {
    /// New material from time to time.
    static let rotation: [String: KMSOperation] = [
        "EnableKeyRotation": KMSOperation("KeyId") { call in
            try await call.client.enableRotation(
                of: call.key, everyDays: call.input.number("RotationPeriodInDays") ?? 365)
        },
        "DisableKeyRotation": KMSOperation("KeyId") { call in try await call.client.disableRotation(of: call.key) },
        "GetKeyRotationStatus": KMSOperation("KeyId") { call in
            let schedule = try await call.client.rotationSchedule(of: call.key)
            call.write("KeyRotationEnabled", schedule != nil)
            call.output.field("KeyId", call.usedKey)
            if let schedule {
                call.write("RotationPeriodInDays", schedule.periodInDays)
                call.write("NextRotationDate", schedule.nextRotation)
            }
        },
        "RotateKeyOnDemand": KMSOperation("KeyId") { call in
            try await call.client.rotate(call.key)
            call.output.field("KeyId", call.usedKey)
        },
        "ListKeyRotations": KMSOperation("KeyId") { call in
            let all = try await call.client.rotations(of: call.key)
            let isWhole = call.input.text("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
            let key = call.usedKey
            let shown = all.enumerated().filter { isWhole || $0.element.kind != nil }
            // Numbers of one width, so that they sort as texts: materials do not go away.
            let marker = { (item: (offset: Int, element: KeyRotation)) in String(item.offset + 100_000) }
            try call.page("Rotations", shown.map { (offset: $0.offset, element: $0.element) }, marker: marker) {
                writer, item in
                KMSCall.write(item.element, key, isWhole, &writer)
            }
        },
    ]
}

extension KMSCall {
    fileprivate static func write(_ rotation: KeyRotation, _ key: String, _ isWhole: Bool, _ writer: inout JSONWriter) {
        writer.field("KeyId", key.split(separator: "/").last.map(String.init) ?? key)
        writer.field("KeyMaterialId", rotation.material)
        if isWhole {
            writer.field("KeyMaterialState", (rotation.state == .retired ? .nonCurrent : rotation.state).rawValue)
        }
        if let imported = rotation.imported {
            writer.field("ImportState", imported.isPresent ? "IMPORTED" : "PENDING_IMPORT")
            if let text = imported.description { writer.field("KeyMaterialDescription", text) }
            writer.field(
                "ExpirationModel", imported.validTo == nil ? "KEY_MATERIAL_DOES_NOT_EXPIRE" : "KEY_MATERIAL_EXPIRES")
            if let date = imported.validTo { writer.date("ValidTo", date) }
        }
        if let kind = rotation.kind {
            writer.date("RotationDate", rotation.date)
            writer.field("RotationType", kind.rawValue)
        }
    }
}
