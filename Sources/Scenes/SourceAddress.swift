import Foundation
import Mosaic
import Raster

/// Addresses as users and items write them, in the form that GDAL opens.
enum SourceAddress {
    /// `https://…` → `/vsicurl/https://…`, `s3://bucket/key` → `/vsis3/bucket/key`, `x.zip` →
    /// `/vsizip/x.zip`; paths and GDAL's own virtual paths as they are, without trailing slashes.
    ///
    /// - Throws: `SceneError` for an empty address, one with control characters, and an unknown scheme.
    static func virtualPath(_ address: String) throws -> String {
        guard !address.isEmpty, !address.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else {
            throw SceneError(
                "cannot read the scene \(address.quoted): an address is a path or a URL of visible "
                    + "characters; correct it")
        }
        var path = address
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard let match = path.firstMatch(of: /^([A-Za-z][A-Za-z0-9+.\-]*):\/\/(.+)$/) else { return path }
        switch match.1.lowercased() {
        case "http", "https": path = "/vsicurl/\(path)"
        case "s3": path = "/vsis3/\(match.2)"
        case "gs": path = "/vsigs/\(match.2)"
        case "file":
            guard match.2.hasPrefix("/"), let plain = String(match.2).removingPercentEncoding else {
                throw SceneError(
                    "cannot read \(address.quoted): a file URL begins with file:///; correct the address")
            }
            path = plain
        default:
            throw SceneError(
                "cannot read \(address.quoted): unknown scheme \(match.1); give a path, https://, s3:// or "
                    + "a GDAL virtual path (/vsi…)")
        }
        return path
    }

    /// Whether the address is on a disk, of this machine or of another node (a zip on it counts): what is
    /// found in a scene must not depend on which node looks.
    static func isLocal(_ path: String) -> Bool { PeerAddress.isOnDisk(path) }

    /// An address from an item, taken from the folder that holds the item.
    ///
    /// - Throws: `SceneError` when it is no address that a scene may name: GDAL's special files, unknown
    ///   schemes.
    static func resolve(_ href: String, in folder: String) throws -> String {
        let path = try virtualPath(href)
        if path.hasPrefix("/vsi") {
            let allowed = ["/vsicurl/", "/vsis3/", "/vsigs/", "/vsiaz/", "/vsizip/", PeerFileSystem.prefix]
            guard allowed.contains(where: path.hasPrefix) else {
                throw SceneError(
                    "the item names \(href.quoted), which no item may; give the file's path or URL")
            }
            return beside(folder, path)
        }
        return path.hasPrefix("/")
            ? beside(folder, path) : join(folder, path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// A path that an item in `folder` names: the item of another node speaks of that node's disk.
    private static func beside(_ folder: String, _ path: String) -> String {
        PeerAddress.holder(folder).flatMap { PeerAddress.reaching(path, on: $0) } ?? path
    }

    /// A path below `folder` that metadata names; nil when it would leave it.
    static func inside(_ folder: String, _ relative: String) -> String? {
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            !relative.contains("\\"),
            !relative.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else { return nil }
        return join(folder, relative)
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last part of an address, without the query of a URL.
    static func name(of path: String) -> String {
        let bare = path.contains("/vsicurl/") ? path.prefix { $0 != "?" && $0 != "#" } : Substring(path)
        return bare.split(separator: "/").last.map { String($0) } ?? path
    }
}
