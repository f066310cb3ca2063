import Foundation

/// Debian's age: a process for each file, whose CPU time is counted.
final class Age {
    let folder: URL
    let plaintext: String
    private let recipient: String

    /// Makes a file and a key; nil where age is missing.
    init?(byteCount: Int) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("age-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        plaintext = folder.appendingPathComponent("plaintext").path
        try Data(repeating: 1, count: byteCount).write(to: URL(fileURLWithPath: plaintext))
        let key = Process()
        let output = Pipe()
        key.executableURL = URL(fileURLWithPath: "/usr/bin/age-keygen")
        key.arguments = ["-o", folder.appendingPathComponent("key").path]
        key.standardError = output
        guard (try? key.run()) != nil else { return nil }
        key.waitUntilExit()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        guard let found = text.split(separator: " ").last else { return nil }
        recipient = found.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try run(["-r", recipient, "-o", path("sealed.age"), plaintext])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Nanoseconds of CPU for one file.
    func encrypt() throws -> Double { try run(["-r", recipient, "-o", "/dev/null", plaintext]) }

    /// Nanoseconds of CPU for one file.
    func decrypt() throws -> Double { try run(["-d", "-i", path("key"), "-o", "/dev/null", path("sealed.age")]) }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func run(_ arguments: [String]) throws -> Double {
        let before = childTime()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/age")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        return childTime() - before
    }

    /// CPU time of the processes that have ended.
    private func childTime() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        return times.reduce(0) { $0 + Double($1.tv_sec) * 1e9 + Double($1.tv_usec) * 1e3 }
    }
}
