#if NIO
internal import NIOCore
internal import SystemCalls

/// Runs tasks on an event loop, so that a short one costs no change of threads.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        run(job, on: self) { loop.execute($0) }
    }
}
#endif
