internal import FoundationEssentials
package import RecordStorage

/// JSON as records hold it: names sorted, so that equal values are equal bytes.
package enum StoredJSON {
    /// A value as JSON.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array(try encoder.encode(value))
    }

    /// Reads the value of a record.
    ///
    /// - Throws: `tampered` where it is none: it was authentic, or should have been.
    package static func decode<T: Decodable>(
        _ type: T.Type, _ bytes: [UInt8], _ name: RecordName
    ) throws(RecordIntegrityError) -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw RecordIntegrityError(.tampered, "record \(name) cannot be read")
        }
    }
}
