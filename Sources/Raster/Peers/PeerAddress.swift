import Foundation

// A path on some node's disk has two forms: as the user wrote it, which is what keys and outputs are made of,
// and the one by which another node reaches it. Here one becomes the other.

/// Paths on nodes' disks, plain (`/data/B04.jp2`, `/vsizip//data/x.zip/B04.jp2`) and as a peer reaches them
/// (`/vsipeer/5f1c…/data/B04.jp2`, `/vsizip//vsipeer/5f1c…/data/x.zip/B04.jp2`).
public enum PeerAddress {
    /// Whether it names a file on a disk, of this machine or of a peer (one in a zip on it counts), and not
    /// one that a server gives.
    public static func isOnDisk(_ address: String) -> Bool {
        let rest = unzipped(address).rest
        return !rest.hasPrefix("/vsi") || rest.hasPrefix(PeerFileSystem.prefix)
    }

    /// The form in which others reach a plain path on this node's disk; nil for an address that is none, or
    /// is not absolute.
    ///
    /// - Parameter node: its id, and perhaps the number of the source to ask (`PeerFileSystem.begin`).
    public static func reaching(_ address: String, on node: String) -> String? {
        let (zip, rest) = unzipped(address)
        guard rest.hasPrefix("/"), !rest.hasPrefix("/vsi") else { return nil }
        return zip + PeerFileSystem.prefix + node + rest
    }

    /// The node and the plain path; nil for an address that names no peer.
    public static func split(_ address: String) -> (node: String, plain: String)? {
        let (zip, rest) = unzipped(address)
        guard rest.hasPrefix(PeerFileSystem.prefix) else { return nil }
        let place = rest.dropFirst(PeerFileSystem.prefix.count)
        guard let slash = place.firstIndex(of: "/"), slash > place.startIndex else { return nil }
        return (PeerFileSystem.node(place[..<slash]), zip + place[slash...])
    }

    /// The first part of a peer's path as it stands, source's number and all; nil for other addresses.
    public static func holder(_ address: String) -> String? {
        let rest = unzipped(address).rest
        guard rest.hasPrefix(PeerFileSystem.prefix) else { return nil }
        return String(rest.dropFirst(PeerFileSystem.prefix.count).prefix { $0 != "/" })
    }

    /// The file on the disk itself: the archive, for a file in one; nil for what lies on no disk of this
    /// machine, and for relative paths.
    public static func file(_ address: String) -> String? {
        let (zip, rest) = unzipped(address)
        guard rest.hasPrefix("/"), !rest.hasPrefix("/vsi") else { return nil }
        guard !zip.isEmpty, let end = rest.range(of: ".zip", options: .caseInsensitive)?.upperBound else {
            return String(rest)
        }
        return String(rest[..<end])
    }

    private static func unzipped(_ address: String) -> (zip: String, rest: Substring) {
        var rest = address[...]
        while rest.hasPrefix("/vsizip/") { rest = rest.dropFirst("/vsizip/".count) }
        return (String(address[..<rest.startIndex]), rest)
    }
}
