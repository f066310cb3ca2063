package import Foundation

/// Finds published test vectors.
///
/// A name that starts with "nist/" is looked up in PyPI's `cryptography-vectors` (STRONGROOM_NIST_VECTORS, or wherever
/// python3 has it), any other in the folder that STRONGROOM_VECTORS names.
package enum Vectors {
    package struct Missing: Error, CustomStringConvertible {
        let name: String
        package var description: String { "required test vectors are missing: \(name)" }
    }

    package static func url(_ name: String) -> URL? {
        let root = name.hasPrefix("nist/") ? nistRoot : suiteRoot
        let path = name.hasPrefix("nist/") ? String(name.dropFirst(5)) : name
        guard let url = root?.appendingPathComponent(path), FileManager.default.fileExists(atPath: url.path) else {
            return nil
        }
        return url
    }

    package static func data(_ name: String) throws -> Data {
        guard let url = url(name) else { throw Missing(name: name) }
        return try Data(contentsOf: url)
    }

    /// Says on standard output how many vectors a file has. A file that is read as empty is read wrong.
    package static func report(_ name: String, _ count: Int) throws {
        guard count > 0 else { throw Missing(name: name) }
        print("vectors: \(name): \(count)")
    }

    private static let suiteRoot = ProcessInfo.processInfo.environment["STRONGROOM_VECTORS"].map {
        URL(fileURLWithPath: $0)
    }

    private static let nistRoot: URL? = {
        if let path = ProcessInfo.processInfo.environment["STRONGROOM_NIST_VECTORS"] {
            return URL(fileURLWithPath: path)
        }
        let script = "import cryptography_vectors as v, os; print(os.path.dirname(v.__file__))"
        return (try? Subprocess.run("python3", ["-c", script]))
            .flatMap {
                $0.status == 0 ? URL(fileURLWithPath: $0.text.trimmingCharacters(in: .whitespacesAndNewlines)) : nil
            }
    }()
}
