import Cryptography
import Glibc
import Testing

@Suite struct ForkTests {
    /// Swift hides fork; the C library has it all the same, and so have the programs that embed us.
    @Test func `a forked child cannot use its parent's keys, and makes its own`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            guard let address = unsafe dlsym(nil, "fork") else { exit(9) }
            let fork = unsafe unsafeBitCast(address, to: (@convention(c) () -> Int32).self)
            let cipher = try AESGCM(key: .random(count: 32))
            _ = try cipher.seal([1])
            let before = try SystemRandom().bytes(count: 16)
            let child = fork()
            if child == 0 {
                do {
                    _ = try cipher.seal([1])
                    _exit(2)
                } catch {
                    guard error as? CryptographyError == CryptographyError(.secretOfParentProcess) else { _exit(3) }
                }
                do {
                    _ = try AESGCM(key: .random(count: 32)).seal([2])
                    _exit(try SystemRandom().bytes(count: 16) == before ? 4 : 0)
                } catch {
                    _exit(5)
                }
            }
            // The parent's next bytes are not the child's, and its key goes on working.
            _ = try cipher.seal([1])
            var status: Int32 = 0
            unsafe waitpid(child, &status, 0)
            exit(status == 0 ? 0 : 6)
        }
    }
}
