import Foundation

/// Network namespaces of this test alone, one a node, joined by a bridge in one more; rules of nftables make
/// them lossy or cut them.
final class TestNetwork: Sendable {
    static let isPossible: Bool =
        geteuid() == 0
        && ["/usr/sbin/ip", "/usr/sbin/nft", "/usr/sbin/tc", "/usr/bin/curl"].allSatisfy(
            FileManager.default.isExecutableFile(atPath:))
        && canMakeNamespaces()
    static let reason = "network namespaces need root, ip, tc, nft and curl, and a kernel that has them"

    let names: [String]
    private let hub: String

    init(_ count: Int) throws {
        let tag = String(UInt16.random(in: 0 ... .max), radix: 36)
        hub = "arb\(tag)h"
        names = (0..<count).map { "arb\(tag)n\($0)" }
        try ip("netns", "add", hub)
        try ip("-n", hub, "link", "add", "bridge0", "type", "bridge")
        try ip("-n", hub, "link", "set", "bridge0", "up")
        for (index, name) in names.enumerated() {
            let port = "p\(index)"
            try ip("netns", "add", name)
            try ip(
                "link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", port, "netns", hub)
            try ip("-n", hub, "link", "set", port, "master", "bridge0", "up")
            try ip("-n", name, "addr", "add", Self.address(index) + "/24", "dev", "eth0")
            for device in ["lo", "eth0"] { try ip("-n", name, "link", "set", device, "up") }
        }
    }

    deinit {
        for name in names + [hub] {
            do { try ip("netns", "del", name) } catch { print("left behind: namespace \(name): \(error)") }
        }
    }

    static func address(_ index: Int) -> String { "10.77.0.\(index + 1)" }

    /// Words in front of a program that runs in the namespace of node `index`.
    func prefix(_ index: Int) -> [String] { ["/usr/sbin/ip", "netns", "exec", names[index]] }

    /// What node `index` does not get: rules of nftables behind `ip saddr …` or alone.
    func drop(at index: Int, _ matches: [String]) throws {
        let rules = matches.map { "add rule inet test in \($0) drop" }
        try nft(
            at: index,
            ["add table inet test", "flush table inet test"]
                + ["add chain inet test in { type filter hook input priority 0; }"] + rules)
    }

    /// Nobody's packets are dropped at node `index` any more.
    func heal(at index: Int) throws { try drop(at: index, []) }

    /// Node `index` sends no more than so many megabits a second, of all kinds.
    func limit(at index: Int, megabits: Int) throws {
        try ip(
            "netns", "exec", names[index], "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate",
            "\(megabits)mbit", "burst", "64kb", "latency", "400ms")
    }

    private func nft(at index: Int, _ lines: [String]) throws {
        try Program.run(
            ["netns", "exec", names[index], "nft", lines.joined(separator: "; ")],
            executable: "/usr/sbin/ip")
    }

    private func ip(_ words: String...) throws { try Program.run(words, executable: "/usr/sbin/ip") }

    private static func canMakeNamespaces() -> Bool {
        let name = "arbtry\(UInt16.random(in: 0 ... .max))"
        do {
            try Program.run(["netns", "add", name], executable: "/usr/sbin/ip")
            try Program.run(["netns", "del", name], executable: "/usr/sbin/ip")
            return true
        } catch {
            return false
        }
    }
}
