import Foundation
import Mosaic
import Yams

/// A request in a JSON or YAML file, as `--request FILE` reads it and `--print-request` writes it.
enum RequestFile {
    /// Requests are small; what is larger is some other file.
    static let maximumBytes = 16 << 20

    /// Reads a file, or stdin for `-`.
    ///
    /// - Throws: `RequestError` that names the file and what is wrong with it.
    static func read(_ path: String) throws -> MosaicRequest {
        let shown = path == "-" ? "request on stdin" : "request \(RequestError.quoted(path))"
        let bytes = try content(path, shown)
        guard bytes.count <= maximumBytes else {
            throw RequestError("cannot read \(shown): it is larger than 16 MB, so it is no request")
        }
        do {
            return try decode(bytes)
        } catch let error as RequestError {
            throw RequestError("cannot read \(shown): \(error)")
        }
    }

    private static func content(_ path: String, _ shown: String) throws -> Data {
        let remedy = "give --request a file in JSON or YAML"
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw RequestError("cannot read \(shown): \(String(cString: strerror(errno))); \(remedy)")
        }
        defer { close(descriptor) }
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= maximumBytes {
            let found = Foundation.read(descriptor, &buffer, buffer.count)
            if found < 0, errno == EINTR { continue }
            guard found >= 0 else {
                throw RequestError("cannot read \(shown): \(String(cString: strerror(errno))); \(remedy)")
            }
            if found == 0 { break }
            bytes.append(contentsOf: buffer[..<found])
        }
        return bytes
    }

    /// Reads JSON when the first character is a brace, YAML otherwise.
    ///
    /// - Throws: `RequestError`.
    static func decode(_ bytes: Data) throws -> MosaicRequest {
        guard let text = String(bytes: bytes, encoding: .utf8) else {
            throw RequestError("it is not UTF-8 text; write JSON or YAML")
        }
        guard let first = text.first(where: { !$0.isWhitespace }) else {
            throw RequestError("it is empty; write at least {}")
        }
        do {
            return try first == "{" ? decode(json: bytes) : YAMLDecoder().decode(from: text)
        } catch {
            throw RequestError(sentence(error))
        }
    }

    /// Foundation's decoder names neither the place of a syntax error nor a number of the wrong kind, so
    /// others are asked about them.
    private static func decode(json bytes: Data) throws -> MosaicRequest {
        _ = try JSONSerialization.jsonObject(with: bytes)
        do {
            return try JSONDecoder().decode(MosaicRequest.self, from: bytes)
        } catch DecodingError.dataCorrupted {
            return try YAMLDecoder().decode(from: bytes)
        }
    }

    private static func sentence(_ error: any Error) -> String {
        guard let decoding = error as? DecodingError else {
            if error is RequestError { return "\(error)" }
            return "it is neither JSON nor YAML: " + Terminal.printable((error as NSError).shownReason)
        }
        switch decoding {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "\(place(context)) should be \(noun(type))"
        case .keyNotFound(let key, let context):
            return "\(place(context)) lacks \(key.stringValue)"
        case .dataCorrupted(let context):
            guard let reason = context.underlyingError else {
                return "\(place(context)): \(Terminal.printable(context.debugDescription))"
            }
            if reason is RequestError { return "\(reason)" }
            let text = (reason as? YamlError).map(sentence) ?? (reason as NSError).shownReason
            return "it is neither JSON nor YAML: " + Terminal.printable(text)
        @unknown default: return "it is no request"
        }
    }

    /// Yams' own words without the lines of the file that it adds to them.
    private static func sentence(_ error: YamlError) -> String {
        let lines = "\(error)".split(separator: "\n")
        let end = lines.firstIndex { $0.hasSuffix(":") } ?? 0
        let words = lines.prefix(end + 1).joined(separator: ", ").prefix(200)
        return String(words.hasSuffix(":") ? words.dropLast() : words)
    }

    /// `expressions[0].name`
    private static func place(_ context: DecodingError.Context) -> String {
        var text = ""
        for key in context.codingPath {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return text.isEmpty ? "the request" : Terminal.printable(text)
    }

    private static func noun(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Double.Type: "a number"
        case is Int.Type: "a whole number"
        case is Bool.Type: "true or false"
        case is Node.Scalar.Type: "a single value"
        case is Node.Sequence.Type: "a list"
        default: "\(type)".hasPrefix("Array") ? "a list" : "a table of keys and values"
        }
    }
}

extension NSError {
    /// What Foundation's JSON reader says, with the place.
    fileprivate var shownReason: String {
        userInfo[NSDebugDescriptionErrorKey] as? String ?? localizedDescription
    }
}
