/// Runs a job of a task later, on an executor whose threads are somebody else's.
///
/// - Parameter schedule: takes what runs the job, and calls it once.
package func run(
    _ job: consuming ExecutorJob, on executor: some TaskExecutor, by schedule: (@escaping @Sendable () -> Void) -> Void
) {
    let job = UnownedJob(job)
    // Unsafe where a job is run twice or never: that it is run once is what `schedule` promises.
    schedule { unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
}
