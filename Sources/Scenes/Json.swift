import Foundation
import Raster

/// A JSON value from a file that nobody vouches for: every access names the type it wants and gets nil
/// otherwise.
struct Json {
    private let value: Any

    /// The most bytes that an item may have.
    static let sizeLimit = 64 << 20

    /// - Throws: `SceneError` when the bytes are no JSON (nesting is bounded by Foundation at 512).
    init(parsing bytes: [UInt8], called name: String) throws {
        do {
            value = try JSONSerialization.jsonObject(with: Data(bytes))
        } catch {
            let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? "malformed"
            throw SceneError("cannot read \(name.onOneLine): no JSON (\(reason.onOneLine)); restore the file")
        }
    }

    private init(_ value: Any) { self.value = value }

    subscript(_ key: String) -> Json? { (value as? [String: Any])?[key].map(Json.init) }

    /// The first of several members that is there and not null.
    subscript(first keys: String...) -> Json? {
        for key in keys {
            if let found = self[key], !(found.value is NSNull) { return found }
        }
        return nil
    }

    var string: String? { value as? String }

    /// A finite number; no boolean, no text.
    var number: Double? {
        guard let number = value as? NSNumber, String(cString: number.objCType) != "c" else { return nil }
        return number.doubleValue.isFinite ? number.doubleValue : nil
    }

    var bool: Bool? {
        guard let number = value as? NSNumber, String(cString: number.objCType) == "c" else { return nil }
        return number.boolValue
    }

    var array: [Json]? { (value as? [Any])?.map(Json.init) }

    /// Members in order of their names.
    var members: [(key: String, value: Json)]? {
        (value as? [String: Any])?.sorted { $0.key < $1.key }.map { ($0.key, Json($0.value)) }
    }
}
