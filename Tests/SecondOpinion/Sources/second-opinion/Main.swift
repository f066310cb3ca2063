import Foundation
import PKIX

@main struct SecondOpinion {
    static func main() async throws {
        let wanted = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 2000
        var chains = try Chains()
        var judged = 0
        var explained: [Chains.Defect: Int] = [:]
        var valid = 0
        while judged < wanted {
            for defect in Chains.Defect.allCases {
                let chain = try await chains.make(defect)
                let ours = isValid(chain)
                let theirs = await Peer.isValid(chain, for: Chains.host, at: Chains.now)
                judged += 1
                valid += ours ? 1 : 0
                guard ours != theirs else { continue }
                guard defect.explanation != nil else {
                    print(
                        "\(defect.rawValue), \(chain.count) certificates: we say \(ours), swift-certificates \(theirs)")
                    print(reason(chain))
                    for certificate in chain { print(Data(certificate).base64EncodedString()) }
                    exit(1)
                }
                explained[defect, default: 0] += 1
            }
        }
        print("\(judged) chains, of which \(valid) valid: the same verdict of swift-certificates, except for")
        for (defect, count) in explained.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            print("  \(defect.rawValue): \(count). \(defect.explanation ?? "")")
        }
    }

    private static func validate(_ chain: [[UInt8]]) throws -> PathValidation {
        let read = try chain.map { try Certificate(derEncoded: $0) }
        return PathValidator(trusting: [read[read.count - 1]])
            .validate(read[0], with: read.dropFirst().dropLast(), for: .server(Chains.host, at: Chains.now))
    }

    private static func isValid(_ chain: [[UInt8]]) -> Bool { (try? validate(chain).path) != nil }

    private static func reason(_ chain: [[UInt8]]) -> String {
        do { return "\(try validate(chain))" } catch { return "\(error)" }
    }
}
