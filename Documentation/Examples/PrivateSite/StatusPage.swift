internal import Foundation
package import InTransit

/// The page that the site shows: who it is, where its key is, and what that key has done.
package enum StatusPage {
    /// The page for one connection, in HTML.
    package static func html(_ site: PrivateSite, _ session: NegotiatedSession?) -> String {
        let (certificate, counts) = (site.certificate, site.statistics.counts)
        let names = (try? certificate.extensions.value(SubjectAlternativeName.self))?.names ?? []
        let uptime = Int((ContinuousClock.now - site.statistics.start) / .seconds(1))
        let cards = [
            card(
                "This connection",
                [
                    ("Protocol", session.map { "\($0.version)" } ?? "–"),
                    ("Suite", session.map { "\($0.suite)" } ?? "–"),
                    ("Key exchange", session?.group.map { "\($0)" } ?? "–"),
                    ("Resumed", session?.isResumed == true ? "yes" : "no"),
                ]),
            card(
                "Certificate",
                [
                    ("Names", names.map(\.description).joined(separator: ", ")),
                    ("Issuer", certificate.issuer.description),
                    ("Valid until", certificate.validity.notAfter.formatted(.iso8601)),
                    ("Serial", certificate.serialNumber.description),
                ]),
            card(
                "Private key",
                [
                    ("Where", "emulated HSM, partition “\(PrivateSite.partition)”"), ("Label", "tls"),
                    ("Kind", "ECDSA on P-256"), ("Extractable", "never"),
                ]),
        ]
        let numbers = [
            (counts.handshakes, "handshakes"),
            (counts.resumed, "resumed"),
            (counts.signatures, "HSM signatures"),
            (counts.connections, "open connections"),
            (counts.certificates, "certificates issued"),
        ].map { "<div><b>\($0.0)</b><span>\($0.1)</span></div>" }
        return """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Private HTTPS</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>\(style)</style></head><body><main>
            <header><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 10V7a6 6 0 1 1 12 0v3h1v12H5V10h1zm2 0h8V7a4 4 0 1 0-8 \
            0v3zm3 5v3h2v-3h-2z"/></svg><div><h1>Private HTTPS</h1><p>Its key was made in the HSM and has never left it. \
            Up for \(uptime) s.</p></div></header>
            <section class="numbers">\(numbers.joined())</section><section class="cards">\(cards.joined())</section>
            <footer>Strongroom: an HSM’s key signs an authority, the authority issues a certificate, a TLS server uses it.</footer>
            </main></body></html>

            """
    }

    private static func card(_ title: String, _ rows: [(String, String)]) -> String {
        let list = rows.map { "<dt>\(escaped($0.0))</dt><dd>\(escaped($0.1))</dd>" }.joined()
        return "<article><h2>\(escaped(title))</h2><dl>\(list)</dl></article>"
    }

    /// Text as HTML shows it: a name in a certificate may be anything.
    static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }

    private static let style = """
        :root{--back:#f4f6f8;--card:#fff;--ink:#17212b;--soft:#66727f;--line:#e3e8ed;--mark:#0b7a5c}
        @media(prefers-color-scheme:dark){:root{--back:#10161c;--card:#19212a;--ink:#e8edf2;--soft:#93a1af;--line:#2a3540;\
        --mark:#3ecfa1}}
        *{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
        main{max-width:980px;margin:0 auto;padding:48px 24px}header{display:flex;gap:20px;align-items:center}
        svg{width:56px;height:56px;fill:var(--mark);flex:none}h1{margin:0;font-size:30px;letter-spacing:-.02em}
        header p{margin:2px 0 0;color:var(--soft)}
        .numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:16px;margin:36px 0 16px}
        .numbers div,article{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px 22px}
        b{display:block;font-size:32px;line-height:1.1;font-variant-numeric:tabular-nums;color:var(--mark)}
        .numbers span{color:var(--soft);font-size:14px}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:16px}
        h2{margin:0 0 12px;font-size:17px}dl{margin:0}dt{color:var(--soft);font-size:13px}
        dd{margin:0 0 10px;overflow-wrap:anywhere}footer{margin-top:32px;color:var(--soft);font-size:14px}
        """
}
