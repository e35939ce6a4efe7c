import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// The web UI's files, read once when the server starts: a request only ever looks into this table, so that
/// no path can lead out of it.
final class WebFiles: Sendable {
    /// A file as it is sent.
    struct File: Sendable {
        let type: String
        let bytes: ByteBuffer
        /// Compressed, when the system's package brings it so.
        let compressed: ByteBuffer?
        let tag: String
        let isFixed: Bool
    }

    private let files: [String: File]

    /// Where Debian's libjs-leaflet lies.
    static let leaflet = "/usr/share/javascript/leaflet"

    init(logger: Logger) {
        var files: [String: File] = [:]
        if let folder = Bundle.module.resourceURL?.appending(path: "Resources").path,
            let names = FileManager.default.subpaths(atPath: folder)
        {
            for name in names { files[name] = Self.file("\(folder)/\(name)", isFixed: false) }
        }
        if files["index.html"] == nil {
            logger.warning("the files of the web UI are not beside the program; install it again")
        }
        let parts = [
            "leaflet.css": "leaflet.css", "leaflet.min.js": "leaflet.js",
            "images/marker-icon.png": "images/marker-icon.png",
        ]
        for (source, name) in parts {
            files["leaflet/\(name)"] = Self.file("\(Self.leaflet)/\(source)", isFixed: true)
        }
        if files["leaflet/leaflet.js"] == nil {
            logger.warning("the web UI has no maps: install Debian's libjs-leaflet, or run scripts/setup")
        }
        self.files = files
    }

    /// A file by its name below the root.
    subscript(name: String) -> File? { files[name] }

    private static func file(_ path: String, isFixed: Bool) -> File? {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        let compressed = FileManager.default.contents(atPath: path + ".gz")
        return File(
            type: type(of: path), bytes: ByteBuffer(bytes: bytes),
            compressed: compressed.map { ByteBuffer(bytes: $0) },
            tag: "\"\(String(sum(bytes), radix: 16))\"", isFixed: isFixed)
    }

    /// FNV-1a, 64 bits: tells one version of a file from another.
    private static func sum(_ bytes: Data) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private static func type(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "json": "application/json"
        case "webmanifest": "application/manifest+json"
        default: "application/octet-stream"
        }
    }

    func addRoutes(to router: Router<BasicRequestContext>) {
        router.get("/") { request, _ in try self.answer("index.html", request) }
        for name in files.keys.sorted() where name != "index.html" {
            router.get(RouterPath(name)) { request, _ in try self.answer(name, request) }
        }
    }

    private func answer(_ name: String, _ request: Request) throws -> Response {
        guard let file = files[name] else {
            throw Problem(
                .notFound, "there is no page \(name); the web UI's files are not beside the program")
        }
        var headers: HTTPFields = [.contentType: file.type, .eTag: file.tag]
        headers[.cacheControl] = file.isFixed ? "max-age=86400" : "no-cache"
        if request.headers[.ifNoneMatch] == file.tag {
            return Response(status: .notModified, headers: headers)
        }
        if let compressed = file.compressed, request.headers[.acceptEncoding]?.contains("gzip") == true {
            headers[.contentEncoding] = "gzip"
            headers[.vary] = "Accept-Encoding"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: compressed))
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.bytes))
    }
}
