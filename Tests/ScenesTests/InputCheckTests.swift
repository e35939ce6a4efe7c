import Foundation
import Testing

@testable import Scenes

/// Checksums against the values of their standards, and manifests against files.
@Suite struct ManifestTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func sum(_ kind: ChecksumKind, _ bytes: [UInt8]) throws -> String {
        let path = try folder.place("bytes")
        try Data(bytes).write(to: URL(filePath: path))
        return try kind.ofFile(path)
    }

    /// RFC 1321, appendix A.5.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func md5(text: String, digest: String) throws { #expect(try sum(.md5, Array(text.utf8)) == digest) }

    /// NIST's examples for FIPS 202: no bits, "abc", and 1600 bits of 0xA3.
    @Test(
        arguments: [
            ([], "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
            (Array("abc".utf8), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
            (
                [UInt8](repeating: 0xa3, count: 200),
                "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787"
            ),
        ] as [([UInt8], String)])
    func sha3(bytes: [UInt8], digest: String) throws { #expect(try sum(.sha3, bytes) == digest) }

    /// Lengths around a block and around a piece of the reader; the digests are Python hashlib's over bytes
    /// i · 7 mod 256.
    @Test(arguments: LongDigest.all)
    func lengthsAroundBlocks(_ long: LongDigest) throws {
        let bytes = (0..<long.length).map { UInt8($0 * 7 % 256) }
        #expect(try sum(.md5, bytes) == long.md5)
        #expect(try sum(.sha3, bytes) == long.sha3)
    }

    private static let band = "GRANULE/G/IMG_DATA/R10m/B04.jp2"

    /// A product with one file that says "abc" and a manifest with this `byteStream`.
    private func product(_ stream: String) throws -> String {
        try folder.write("abc", to: "P.SAFE/\(Self.band)")
        try folder.write(
            """
            <xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"><dataObjectSection><dataObject ID="B04">\(stream)
            </dataObject></dataObjectSection></xfdu:XFDU>
            """, to: "P.SAFE/manifest.safe")
        return "\(folder.path)/P.SAFE/\(Self.band)"
    }

    private func verdict(_ size: Int, _ name: String, _ digits: String, href: String = "./\(band)") throws
        -> ProductManifest.Verdict?
    {
        let file = try product(
            """
            <byteStream mimeType="application/octet-stream" size="\(size)"><fileLocation locatorType="URL" \
            href="\(href)"/><checksum checksumName="\(name)">\(digits)</checksum></byteStream>
            """)
        return try ProductManifest(around: file)?.verify(file)
    }

    @Test func aSoundFileIsFoundSound() throws {
        #expect(try verdict(3, "MD5", "900150983CD24FB0D6963F7D28E17F72") == .sound)
        let sha3 = "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
        #expect(try verdict(3, "SHA3-256", sha3, href: Self.band) == .sound)
    }

    @Test func aDamagedFileIsNamed() throws {
        let size = sentence { try verdict(4, "MD5", "900150983cd24fb0d6963f7d28e17f72") }
        #expect(
            size.hasPrefix(
                "\(folder.path)/P.SAFE/\(Self.band) is damaged: it has 3 bytes, and its product's "))
        #expect(size.hasSuffix("says 4; download the product again, or drop the scene from the job"))
        let changed = sentence { try verdict(3, "MD5", "900150983cd24fb0d6963f7d28e17f73") }
        #expect(
            changed.contains(
                "its MD5 is 900150983cd24fb0d6963f7d28e17f72, and its product's manifest.safe says 9"))
    }

    @Test func whatCannotBeComparedIsSaid() throws {
        guard case .unknown(let kind) = try verdict(3, "CRC-77", "00") else {
            Issue.record("an unknown checksum vouches for nothing")
            return
        }
        #expect(kind.hasSuffix("is of the unknown kind 'CRC-77'"))
        guard case .unknown(let other) = try verdict(3, "MD5", "00", href: "./other.jp2") else {
            Issue.record("a file that is not listed is not vouched for")
            return
        }
        #expect(other.hasSuffix("does not list it"))
        try folder.write("abc", to: "plain/B04.tif")
        #expect(try ProductManifest(around: "\(folder.path)/plain/B04.tif") == nil)
        try folder.write("no xml", to: "plain/manifest.safe")
        #expect(
            sentence { try ProductManifest(around: "\(folder.path)/plain/B04.tif") }.contains(
                "the XML has no element"))
    }
}

struct LongDigest: Sendable {
    var length: Int
    var md5: String
    var sha3: String

    static let all = [
        LongDigest(
            length: 55, md5: "8d24280288a696559fd8d5aa1b6d8c6e",
            sha3: "c79ccc8d856e2e88c9ba16bd4fd618024125829f173e8915e534092d0975aab9"),
        LongDigest(
            length: 56, md5: "ef2c72b7254c92459e498eddd4ace573",
            sha3: "d1d253ddbf3a5d6b1295486aac76cfbbfc7725262daf6d2554fe8413998c4426"),
        LongDigest(
            length: 63, md5: "c4c8c6d513f4e1604eb18508a1769364",
            sha3: "22842c4d54f20a049311e35383b5187f3236f181333a0802509ba7d29fee3592"),
        LongDigest(
            length: 64, md5: "a2fcb39a253b9b785b1f97518fa37683",
            sha3: "bbb1faebbf20afc712206acb8915fd938c087a02485c9e01df1b13bf6918dce8"),
        LongDigest(
            length: 65, md5: "e49fe82d0bb12967a196c85de313e446",
            sha3: "f80742c61048cf843bb74e2b71c3f4ca1e47a0294240844ceb0444f33f7e8610"),
        LongDigest(
            length: 135, md5: "7849a293902d2c18ab22dca31d5cc248",
            sha3: "2f6d0ed38ad614af2b245d79dba7a473731762188697602e4da5c39125c8a9a6"),
        LongDigest(
            length: 136, md5: "6bb731020fba306bd1bd4d74050da863",
            sha3: "1c33504292f84699c382b4e53645f483c6cc5cf0fdb78ff87a1c4d12c26915a7"),
        LongDigest(
            length: 137, md5: "ab0a4d1032307260d3188ab34e0d170c",
            sha3: "328e173469e331b025dda12fbccbe0d076084af1a7b1d0bb1bad27ad738b6677"),
        LongDigest(
            length: 1_048_575, md5: "95214a927bbe9dac0b0230da00cb4316",
            sha3: "5865c4380bdc08bd6e1c1f5dd3e6fd76e7902e6990f8a2f1b1ccc7a0a4b56abc"),
        LongDigest(
            length: 1_048_576, md5: "cb73508b7cc9600ca4c6f3b3aaf32496",
            sha3: "68688e2ce0a03f3edd3ce3f665d284a9fd4405820629e310e17c2994e2779c3a"),
        LongDigest(
            length: 1_048_676, md5: "33e2ba631a92ea53436e0a5e3f285948",
            sha3: "6d7e6eee94b393107c0a57a23cc4cf31334f6bfe16cf48d9585b693f0bc729f3"),
        LongDigest(
            length: 3_145_745, md5: "16518bb5e6d2a565282528e164f3bdd4",
            sha3: "7247750f9d95f55d59dd81a96cb4ba901a5ae5139b6b2844278f818eca396975"),
    ]
}
