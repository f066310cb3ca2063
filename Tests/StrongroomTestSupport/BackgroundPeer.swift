package import Foundation

/// A program that runs until its owner is gone.
package final class BackgroundPeer: @unchecked Sendable {
    // Safe to send: it is only started and stopped.
    private let process = Process()
    private let log: URL

    package init(_ program: String, _ arguments: [String], folder: URL) throws {
        log = folder.appendingPathComponent("\(UUID().uuidString).log")
        try Data().write(to: log)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = Subprocess.environment()
        process.currentDirectoryURL = folder
        // An input that never ends: some servers stop with it.
        process.standardInput = Pipe()
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    deinit {
        // Some let a polite end wait.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// What it has said.
    package var text: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
}
