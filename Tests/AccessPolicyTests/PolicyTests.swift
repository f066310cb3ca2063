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

    @Test(arguments: [
        ("arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", true),
        // A star takes nothing of the next part, but for the last one.
        ("arn:aws:iam::*:role/x", "arn:aws:iam::1:user/a:role/x", false),
        ("arn:aws:iam::1:*", "arn:aws:iam::1:user/a:b", true), ("*", "anything", true),
    ]) func `parts of ARNs match apart`(_ pattern: String, _ text: String, _ isMatch: Bool) throws {
        #expect(try allows(#"{"ArnLike":{"a":"\#(pattern)"}}"#, ["a": [text]]) == isMatch)
        #expect(try allows(#"{"ArnNotEquals":{"a":"\#(pattern)"}}"#, ["a": [text]]) != isMatch)
    }

    @Test func `variables have the request's values, which are no patterns`() throws {
        func allows(_ condition: String, _ context: [String: [String]], version: String = "2012-10-17") throws -> Bool {
            try decide(
                #"{"Version":"\#(version)","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":\#(condition)}}"#,
                context: context
            ).isAllowed
        }
        let home = #"{"StringLike":{"k":"home/${aws:username}/*"}}"#
        #expect(try allows(home, ["k": ["home/a/b"], "aws:username": ["a"]]))
        #expect(try !allows(home, ["k": ["home/b/b"], "aws:username": ["a"]]))
        #expect(try !allows(home, ["k": ["home/b/b"], "aws:username": ["*"]]))
        #expect(try !allows(home, ["k": ["home//b"]]))
        #expect(try !allows(home, ["k": ["home/a/b"], "aws:username": ["a", "b"]]))
        #expect(try !allows(home, ["k": ["home/a/b"], "aws:username": ["a"]], version: "2008-10-17"))
        let otherwise = #"{"StringEquals":{"k":"${aws:PrincipalTag/team, 'none'}"}}"#
        #expect(try allows(otherwise, ["k": ["none"]]))
        #expect(try allows(otherwise, ["k": ["blue"], "aws:principaltag/team": ["blue"]]))
        #expect(try allows(#"{"StringLike":{"k":"a${*}${?}${$}"}}"#, ["k": ["a*?$"]]))
        for wrong in ["${", "${}", "${a}", "${aws:x, y}", "${aws:x"] {
            #expect(throws: PolicyError.self) { try allows(#"{"StringEquals":{"k":"\#(wrong)"}}"#, [:]) }
        }
        let resource =
            #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:kms:*:${aws:PrincipalAccount}:key/*"}}"#
        #expect(try decide(resource, context: ["aws:principalaccount": ["111122223333"]]).isAllowed)
        #expect(try !decide(resource, context: ["aws:principalaccount": ["444455556666"]]).isAllowed)
    }

    @Test func `addresses and binary values are compared as what they are`() throws {
        #expect(try allows(#"{"IpAddress":{"a":["10.0.0.0/8"]}}"#, ["a": ["10.200.0.1"]]))
        #expect(try !allows(#"{"IpAddress":{"a":["10.0.0.0/8"]}}"#, ["a": ["11.0.0.1"]]))
        #expect(try allows(#"{"IpAddress":{"a":["10.0.0.0/8"]}}"#, ["a": ["::ffff:10.0.0.1"]]))
        #expect(try !allows(#"{"IpAddress":{"a":["10.0.0.0/8"]}}"#, ["a": ["::fffe:10.0.0.1"]]))
        #expect(try allows(#"{"NotIpAddress":{"a":"2001:db8::/33"}}"#, ["a": ["2001:db8:8000::1"]]))
        #expect(try allows(#"{"BinaryEquals":{"a":"AQI="}}"#, ["a": ["AQI="]]))
        for wrong in ["10.0.0.0/33", "10.0.0/8", "a", "::/129", "10.0.0.0/+8", "10.0.0.0/"] {
            #expect(throws: PolicyError.self) { try allows(#"{"IpAddress":{"a":"\#(wrong)"}}"#, [:]) }
        }
        #expect(throws: PolicyError.self) { try allows(#"{"ArnLike":{"a":"arn:aws"}}"#, [:]) }
    }

    @Test func `an account in NotPrincipal stands for its root alone`() throws {
        let policy = try PolicyDocument(
            """
            {"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
              {"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:user/bob"]},
               "Action":"*","Resource":"*"}]}
            """)
        let expected: [(Principal, Bool)] = [
            (alice, false), (.user("bob", account: "111122223333"), true), (.root(account: "111122223333"), true),
        ]
        for (principal, isAllowed) in expected {
            let request = AccessRequest(
                principal: principal, action: "kms:Encrypt", resource: "r", resourceAccount: "111122223333")
            #expect(PolicyEngine.decide(request, resourcePolicy: policy, identityPolicies: []).isAllowed == isAllowed)
        }
    }
}
