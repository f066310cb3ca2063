internal import Cryptography
internal import Synchronization

/// Works on runs of frames on several cores, and gives them back in the order in which they were started.
struct FramePipeline {
    private let limit: Int
    private var tasks: [Task<FrameRun, any Error>] = []
    private var spare: [FrameRun] = []

    /// Keeps twice as many runs at work as there are cores, so that none waits while the runs' owner is busy.
    init(cores: Int) { limit = 2 * cores }

    var isEmpty: Bool { tasks.isEmpty }
    var isFull: Bool { tasks.count >= limit }

    /// A run that nobody works on, to be filled.
    mutating func idle() -> FrameRun { spare.popLast() ?? FrameRun() }

    /// Begins to work on a run.
    mutating func start(_ run: FrameRun, _ work: @escaping @Sendable ([UInt8], inout [UInt8]) throws -> Void) {
        tasks.append(
            Task {
                try run.work(work)
                return run
            })
    }

    /// The next run whose work is done. Where it has failed, the others are cancelled and waited for.
    mutating func next() async throws -> FrameRun {
        do {
            return try await tasks.removeFirst().value
        } catch {
            for task in tasks { _ = await task.result }
            tasks = []
            throw error
        }
    }

    /// Takes a run back for another use.
    mutating func recycle(_ run: FrameRun) { spare.append(run) }
}

/// The bytes of a run of frames, and what becomes of them. Its memory is used again and again, and erased at the end.
final class FrameRun: Sendable {
    private struct Content {
        var input: [UInt8] = []
        var output: [UInt8] = []
    }

    private let content = Mutex(Content())

    /// A mebibyte: enough to make handing over cheap, little enough to stay in a core's cache.
    static let byteCount = 1 << 20

    deinit {
        content.withLock { content in
            content.input.cleanse()
            content.output.cleanse()
        }
    }

    /// Makes the output of the input.
    func work(_ body: ([UInt8], inout [UInt8]) throws -> Void) throws {
        try content.withLock { content in
            var output: [UInt8] = []
            swap(&output, &content.output)
            defer { swap(&output, &content.output) }
            output.removeAll(keepingCapacity: true)
            try body(content.input, &output)
        }
    }

    /// Fills the input from a source, after a byte that was held back.
    ///
    /// - Returns: how many bytes there are, that one included; less than `count` means the end.
    func fill<Source: ByteSource & ~Copyable>(
        _ count: Int, after held: UInt8?, from source: inout Source
    ) throws -> Int {
        try content.withLock { content in
            if content.input.count != count { content.input = [UInt8](repeating: 0, count: count) }
            if let held { content.input[0] = held }
            let start = held == nil ? 0 : 1
            return start + (try Envelope.read(&source, into: &content.input, from: start))
        }
    }

    var lastByte: UInt8? { content.withLock { $0.input.last } }

    func withInput<R: Sendable>(_ body: ([UInt8]) throws -> R) throws -> R {
        try content.withLock { content in try body(content.input) }
    }

    func withOutput(_ body: ([UInt8]) throws -> Void) throws {
        try content.withLock { content in try body(content.output) }
    }

    func withBoth(_ body: ([UInt8], [UInt8]) throws -> Void) throws {
        try content.withLock { content in try body(content.input, content.output) }
    }
}
