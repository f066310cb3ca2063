import AccessPolicy
import StrongroomPropertyTesting
import Testing

/// The engine against a slow evaluator that reads the rules off one by one.
@Suite struct AuthorizationProperties {
    private static let accounts = ["111122223333", "444455556666"]
    private static let actions = ["kms:Encrypt", "kms:Decrypt", "kms:CreateKey"]

    /// A statement in few choices, so that statements and requests meet.
    struct Piece: Sendable {
        let isDeny: Bool
        let subject: Int
        let action: Int
        let resource: Int
        let condition: Int

        static let subjects = [
            "*", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/r",
            "arn:aws:sts::111122223333:assumed-role/r/s", "arn:aws:iam::444455556666:user/u", "444455556666",
        ]
        static let actionPatterns = ["*", "kms:Encrypt", "kms:*crypt", "kms:?ecrypt"]
        static let resources = ["*", "arn:aws:kms:*:*:key/1", "arn:aws:kms:*:444455556666:*"]
        static let conditions = [
            "", #","Condition":{"StringEquals":{"k":"a"}}"#, #","Condition":{"StringNotEquals":{"k":"a"}}"#,
            #","Condition":{"Null":{"k":"true"}}"#, #","Condition":{"ForAllValues:StringEquals":{"k":["a","b"]}}"#,
        ]

        func text(isResourcePolicy: Bool) -> String {
            let who = isResourcePolicy ? #","Principal":{"AWS":"\#(Piece.subjects[subject])"}"# : ""
            return #"{"Effect":"\#(isDeny ? "Deny" : "Allow")"\#(who),"Action":"\#(Piece.actionPatterns[action])","#
                + #""Resource":"\#(Piece.resources[resource])"\#(Piece.conditions[condition])}"#
        }

        func covers(_ question: Question) -> Bool {
            let isAction =
                switch action {
                case 0: true
                case 1: question.action == "kms:Encrypt"
                case 2: question.action.hasSuffix("crypt")
                default: question.action == "kms:Decrypt"
                }
            let isResource = resource == 0 || (resource == 1 ? question.key == "1" : question.owner == "444455556666")
            let isMet =
                switch condition {
                case 1: question.values.contains("a")
                case 2: question.values.isEmpty || question.values.contains { $0 != "a" }
                case 3: question.values.isEmpty
                case 4: question.values.allSatisfy { $0 == "a" || $0 == "b" }
                default: true
                }
            return isAction && isResource && isMet
        }

        /// Whether it names the principal: itself, its role, its account, or anybody.
        func names(_ who: Int) -> (itself: Bool, role: Bool, account: Bool, anybody: Bool) {
            let own = ["arn:aws:sts::111122223333:assumed-role/r/s", "arn:aws:iam::444455556666:user/u", "root"][who]
            let account = who == 1 ? "444455556666" : "111122223333"
            let name = Piece.subjects[subject]
            return (
                name == own, who == 0 && name == "arn:aws:iam::111122223333:role/r",
                name == account || name == "arn:aws:iam::\(account):root", name == "*"
            )
        }
    }

    struct Question: Sendable {
        let who: Int
        let action: String
        let key: String
        let owner: String
        let values: [String]

        var principal: Principal {
            switch who {
            case 0: .role("r", session: "s", account: "111122223333")
            case 1: .user("u", account: "444455556666")
            default: .root(account: "111122223333")
            }
        }
    }

    struct Policies: Sendable {
        let resource: [Piece]
        let identity: [Piece]
        let session: [Piece]

        /// AWS's rules, one after the other.
        func allows(_ question: Question) -> Bool {
            let resource = resource.filter { piece in
                let name = piece.names(question.who)
                return piece.covers(question) && (name.itself || name.role || name.account || name.anybody)
            }
            let isRoot = question.who == 2
            let identity = isRoot ? [] : identity.filter { $0.covers(question) }
            let session = question.who == 0 ? self.session : []
            let inSession = session.filter { $0.covers(question) }
            if (resource + identity + inSession).contains(where: \.isDeny) { return false }
            let isNarrowed = !session.isEmpty && inSession.isEmpty
            let mayItself = (isRoot || !identity.isEmpty) && !isNarrowed
            let isDirect = resource.contains { piece in
                let name = piece.names(question.who)
                return name.itself || (isRoot && name.account) || ((name.role || name.anybody) && !isNarrowed)
            }
            let isDelegated = resource.contains { $0.names(question.who).account }
            let account = question.who == 1 ? "444455556666" : "111122223333"
            if account == question.owner { return isDirect || (isDelegated && mayItself) }
            return (isDirect || isDelegated) && mayItself
        }
    }

    private static func pieces(upTo limit: Int) -> Generator<[Piece]> {
        let five = Generator.zip(
            Generator.zip(Generator.int(in: 0...3), Generator.int(in: 0...5)),
            Generator.zip(Generator.int(in: 0...3), Generator.zip(Generator.int(in: 0...2), Generator.int(in: 0...4))))
        return five.map { head, tail in
            Piece(
                isDeny: head.0 == 3, subject: head.1, action: tail.0, resource: tail.1.0, condition: tail.1.1)
        }.array(upTo: limit)
    }

    @Test func `the engine decides as a slow evaluator does`() async throws {
        let policies = Generator.zip(Self.pieces(upTo: 4), Generator.zip(Self.pieces(upTo: 3), Self.pieces(upTo: 2)))
            .map { Policies(resource: $0, identity: $1.0, session: $1.1) }
        let values = [[], ["a"], ["b"], ["a", "b"], ["c"]]
        let question = Generator.zip(
            Generator.zip(Generator.int(in: 0...2), Generator.int(in: 0...2)),
            Generator.zip(Generator.int(in: 0...3), Generator.int(in: 0...4))
        ).map { head, tail in
            Question(
                who: head.0, action: Self.actions[head.1], key: String(1 + tail.0 / 2),
                owner: Self.accounts[tail.0 % 2],
                values: values[tail.1])
        }
        await forAll(Generator.zip(policies, question), count: 4000) { policies, question in
            func document(_ pieces: [Piece], isResourcePolicy: Bool = false) throws -> PolicyDocument? {
                guard !pieces.isEmpty else { return nil }
                let statements = pieces.map { $0.text(isResourcePolicy: isResourcePolicy) }.joined(separator: ",")
                return try PolicyDocument(#"{"Version":"2012-10-17","Statement":[\#(statements)]}"#)
            }
            let nobody = try PolicyDocument(
                #"{"Statement":{"Effect":"Deny","Principal":{"AWS":"999999999999"},"Action":"*","Resource":"*"}}"#)
            let session = question.who == 0 ? try document(policies.session) : nil
            let request = AccessRequest(
                principal: question.principal, action: question.action,
                resource: "arn:aws:kms:us-east-1:\(question.owner):key/\(question.key)",
                resourceAccount: question.owner,
                sessionPolicies: session.map { [IdentityPolicy("session", $0)] } ?? [],
                context: { $0 == "k" ? question.values : [] })
            let decision = PolicyEngine.decide(
                request, resourcePolicy: try document(policies.resource, isResourcePolicy: true) ?? nobody,
                identityPolicies: try document(policies.identity).map { [IdentityPolicy("own", $0)] } ?? [])
            try require(decision.isAllowed == policies.allows(question), "decided \(decision)")
        }
    }
}
