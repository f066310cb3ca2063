import PKIX
import StrongroomPropertyTesting
import Testing

@Suite struct NameTests {
    @Test func `names are read and written as RFC 4514 says`() throws {
        let name: DistinguishedName = "CN=Steve Kille,O=Isode Limited,C=GB"
        #expect(
            name.relativeNames == [
                [.init(.country, "GB")], [.init(.organization, "Isode Limited")], [.init(.commonName, "Steve Kille")],
            ])
        #expect(name.description == "CN=Steve Kille,O=Isode Limited,C=GB")
        for (text, written) in [
            ("OU=Sales+CN=J.  Smith,DC=example,DC=net", "OU=Sales+CN=J.  Smith,DC=example,DC=net"),
            (##"CN=James \"Jim\" Smith\2C III,DC=example"##, ##"CN=James \"Jim\" Smith\, III,DC=example"##),
            (#"CN=Lu\C4\8Di\C4\87"#, "CN=Lu\u{10D}i\u{107}"), (" cn = a , o=b ", "CN=a,O=b"),
            (#"CN=\ a\ "#, #"CN=\ a\ "#),
            ("1.2.3.4=x", "1.2.3.4=x"), ("CN=#a", ##"CN=\#a"##),
            ("emailAddress=a@b.example", "emailAddress=a@b.example"),
        ] {
            let name = try DistinguishedName(text: text)
            // A set has its attributes in DER's order.
            #expect(
                Set(name.description.split(separator: ",").map { Set($0.split(separator: "+")) })
                    == Set(written.split(separator: ",").map { Set($0.split(separator: "+")) }), "\(text)")
            #expect(try DistinguishedName(text: name.description) == name)
            #expect(try DistinguishedName(derEncoded: name.derEncoded).derEncoded == name.derEncoded)
        }
        for text in [
            "CN", "CN=", "=a", "XY=a", "C=Germany", "CN=a,", "CN=a,,O=b", ##"CN=\"##, ##"CN=\q"##, "C=ÄÖ", "CN=a+",
        ] {
            #expect(DistinguishedName(text) == nil, "\(text)")
        }
        #expect(DistinguishedName("").isEmpty && DistinguishedName.empty.isEmpty)
    }

    @Test func `case and surplus spaces make no difference, everything else does`() throws {
        let name: DistinguishedName = "CN=Example  Root, O=Example"
        #expect(name == "CN=example root,O=EXAMPLE")
        #expect(Set([name, "CN=EXAMPLE ROOT, O=example"]).count == 1)
        for other: DistinguishedName in ["CN=Example Root", "O=Example, CN=Example Root", "CN=ExampleRoot, O=Example"] {
            #expect(name != other)
        }
    }

    @Test func `any text is a name that comes back, or none`() async {
        await forAll(Generator<[UInt8]>.bytes(.length(upTo: 64)), count: 3000) { bytes in
            let text = String(decoding: bytes.map { $0 & 0x7F }, as: UTF8.self)
            guard let name = try? DistinguishedName(text: "CN=" + text) else { return }
            try require(try DistinguishedName(text: name.description).derEncoded == name.derEncoded, name.description)
        }
    }

    @Test func `identifiers are read strictly`() {
        for text in ["2.5.29.19", "1.2.840.113549.1.1.1", "0.0", "2.999", "1.39", "2.18446744073709551"] {
            #expect(ObjectIdentifier(text)?.description == text)
        }
        for text in [
            "", "1", "3.1", "1.40", "+1.2", "1.02", "1..2", "1.2.", ".1.2", "1.-2", "1.2.18446744073709551616", "a.b",
        ] {
            #expect(ObjectIdentifier(text) == nil, "\(text)")
        }
    }

    @Test func `addresses are read strictly`() {
        for (text, bytes) in [
            ("192.0.2.1", [192, 0, 2, 1]), ("::", [UInt8](repeating: 0, count: 16)),
            ("2001:db8::1", [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]),
            ("::ffff:192.0.2.1", [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 1]),
            ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
        ] as [(String, [UInt8])] {
            #expect(IPAddress(text)?.bytes == bytes, "\(text)")
            #expect(IPAddress(text).flatMap { IPAddress($0.description) }?.bytes == bytes)
        }
        for text in [
            "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.-4", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9", "::1.2.3", "1.2.3.4::", "g::", "+1::", "1:2:3:4:5:6:7::8",
        ] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }
}
