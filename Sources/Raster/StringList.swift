import CGDAL

/// A list of strings as GDAL takes options and hands back metadata.
final class StringList {
    /// Valid while the list lives.
    private(set) var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?

    init(_ strings: [String]) {
        for string in strings { pointer = CSLAddString(pointer, string) }
    }

    /// The same for those functions that take the list as constant.
    var constant: UnsafePointer<UnsafePointer<CChar>?>? {
        pointer.map { UnsafeRawPointer($0).assumingMemoryBound(to: UnsafePointer<CChar>?.self) }
    }

    deinit { CSLDestroy(pointer) }

    /// Copies a list that GDAL owns.
    static func strings(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
        guard let list else { return [] }
        return (0..<Int(CSLCount(list))).compactMap { list[$0].map { String(cString: $0) } }
    }

    /// Copies a list of `KEY=value` that GDAL owns; a key given twice keeps its last value.
    static func dictionary(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String: String] {
        var result: [String: String] = [:]
        for entry in strings(list) {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            result[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        return result
    }
}
