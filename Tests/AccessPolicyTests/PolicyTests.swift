import Testing

@testable import AccessPolicy

@Suite struct PolicyTests {
    let alice = Principal.user("alice", account: "111122223333")

    func decide(_ policy: String, _ action: String = "kms:Encrypt", context: [String: [String]] = [:]) throws
        -> AccessDecision
    {
        let request = AccessRequest(
            principal: alice, action: action, resource: "arn:aws:kms:us-east-1:111122223333:key/1",
            resourceAccount: "111122223333", context: { context[$0] ?? [] })
        return PolicyEngine { _ in [] }.decide(request, resourcePolicy: try PolicyDocument(policy))
    }

    func allows(_ condition: String, _ context: [String: [String]]) throws -> Bool {
        try decide(
            #"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":\#(condition)}}"#,
            context: context
        ).isAllowed
    }

    @Test(arguments: [
        ("*", "", true), ("a*", "abc", true), ("a*c", "abc", true), ("a*c", "abd", false), ("a?c", "abc", true),
        ("a?c", "ac", false), ("*a*b*", "xxaybzz", true), ("*a*b*", "xxbyazz", false), ("a**b", "ab", true),
        ("", "", true),
        ("", "a", false), ("a*b*c*d*e", "abcde", true), ("kms:*", "kms:Encrypt", true),
    ]) func `wildcards match`(_ pattern: String, _ text: String, _ isMatch: Bool) {
        #expect(Pattern(pattern).matches(text) == isMatch)
    }

    @Test func `a pattern of many stars takes no exponential time`() {
        let pattern = Pattern(String(repeating: "a*", count: 60) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }

    @Test func `operators decide`() throws {
        let cases: [(String, [String: [String]], Bool)] = [
            (#"{"StringEquals":{"K":["x","y"]}}"#, ["k": ["y"]], true), (#"{"StringEquals":{"k":"x"}}"#, [:], false),
            (#"{"StringEquals":{"k":"*"}}"#, ["k": ["x"]], false), (#"{"StringLike":{"k":"*"}}"#, ["k": ["x"]], true),
            (#"{"StringNotEquals":{"k":"x"}}"#, ["k": ["y"]], true), (#"{"StringNotEquals":{"k":"x"}}"#, [:], true),
            (#"{"StringEqualsIfExists":{"k":"x"}}"#, [:], true),
            (#"{"StringEqualsIgnoreCase":{"k":"X"}}"#, ["k": ["x"]], true),
            (#"{"NumericLessThan":{"n":5}}"#, ["n": ["4"]], true),
            (#"{"NumericLessThan":{"n":5}}"#, ["n": ["5"]], false),
            (#"{"Bool":{"b":true}}"#, ["b": ["true"]], true), (#"{"Bool":{"b":"false"}}"#, ["b": ["true"]], false),
            (#"{"Null":{"k":"true"}}"#, [:], true), (#"{"Null":{"k":false}}"#, ["k": ["x"]], true),
            (
                #"{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}"#, ["aws:currenttime": ["1790000000"]],
                true
            ),
            (#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#, ["k": ["a", "b"]], true),
            (#"{"ForAllValues:StringEquals":{"k":["a"]}}"#, ["k": ["a", "b"]], false),
            (#"{"ForAnyValue:StringEquals":{"k":["a"]}}"#, ["k": ["a", "b"]], true),
            (#"{"ForAnyValue:StringEquals":{"k":["a"]}}"#, [:], false),
        ]
        for (condition, context, isAllowed) in cases {
            #expect(try allows(condition, context) == isAllowed, "\(condition) \(context)")
        }
    }

    @Test func `a deny names its statement and beats every allow`() throws {
        let policy = #"""
            {"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"},
                          {"Sid":"No","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},
                           "NotAction":"kms:Decrypt","Resource":"*"}]}
            """#
        #expect(try decide(policy) == .deniedExplicitly(by: DecidingStatement(policy: "key policy", statement: "No")))
        #expect(
            try decide(policy, "kms:Decrypt")
                == .allowed(by: DecidingStatement(policy: "key policy", statement: "statement 1")))
        #expect(try decide(policy, "KMS:DECRYPT").isAllowed)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"Statement":[]}"#, #"{"Version":"2020-01-01","Statement":{"Effect":"Allow"}}"#,
        #"{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"x","Resource":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","Principal":"alice","Action":"*","Resource":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"alice"},"Action":"*","Resource":"*"}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringSounds":{"k":"x"}}}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"k":"x"}}}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Conditions":{}}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"},"statement":[]}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllvalues:StringEquals":{"k":"x"}}}}"#,
        #"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NotBool":{"k":"true"}}}}"#,
        #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::root"},"Action":"*","Resource":"*"}}"#,
    ]) func `what is not understood is refused`(_ text: String) {
        #expect(throws: PolicyError.self) { _ = try PolicyDocument(text) }
    }
}
