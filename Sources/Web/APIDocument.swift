import Foundation
import Mosaic
import NIOCore

/// The description of the API, OpenAPI 3.1.
enum APIDocument {
    /// The description that lies beside the pages, with the request as this program reads it.
    ///
    /// - Throws: when the file is no JSON.
    static func whole(_ file: ByteBuffer) throws -> JSONValue {
        let decoder = JSONDecoder()
        let document = try decoder.decode(JSONValue.self, from: Data(buffer: file))
        let request = try decoder.decode(JSONValue.self, from: Data(RequestSchema.text.utf8))
        return document.setting(["components", "schemas", "MosaicRequest"], to: request)
    }
}

extension JSONValue {
    /// The same with another value at the end of a path of fields; without it where the path leads nowhere.
    fileprivate func setting(_ path: some Collection<String>, to value: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        guard case .object(var fields) = self, let inner = fields[name] else { return self }
        fields[name] = inner.setting(path.dropFirst(), to: value)
        return .object(fields)
    }
}
