package import Foundation

/// Runs a program to its end.
package enum Subprocess {
    package struct Result: Sendable {
        package let status: Int32
        package let output: Data
        package let errors: Data
        package var text: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    /// Ours, with changes. Peers keep the system's libraries where we are tried with others.
    package static func environment(_ changes: [String: String] = [:]) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.merging(changes) { $1 }
        environment["LD_LIBRARY_PATH"] = nil
        return environment
    }

    /// The same without holding up the tasks of this process, which may have to serve the program.
    package static func runBeside(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Swift.Result { try run(program, arguments, environment: environment) })
            }
        }
    }

    package static func run(
        _ program: String, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:],
        folder: URL? = nil
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = Subprocess.environment(environment)
        process.currentDirectoryURL = folder
        // Files, not pipes: a pipe that nobody drains stops its writer.
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let (inputFile, outputFile, errorFile) = (
            scratch.appendingPathComponent("in"), scratch.appendingPathComponent("out"),
            scratch.appendingPathComponent("err")
        )
        try input.write(to: inputFile)
        try Data().write(to: outputFile)
        try Data().write(to: errorFile)
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: try Data(contentsOf: outputFile),
            errors: try Data(contentsOf: errorFile))
    }
}
