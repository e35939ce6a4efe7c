import Foundation
import Testing

@testable import arbutus

/// Defaults < file < environment < flags, and a sentence for whatever is wrong.
@Suite struct NodeSettingsTests {
    private func settings(
        _ yaml: String = "", environment: [String: String] = [:], flags: [String: [String]] = [:]
    ) throws -> NodeSettings {
        var table = SettingsTable(known: NodeSettings.known)
        try table.lay(yaml: yaml, from: "node.yaml")
        try table.lay(environment: environment)
        for (key, texts) in flags { try table.set(key, texts, from: "--flag") }
        return try NodeSettings(
            table, hostName: "vm 1", home: "/home/u", cores: 3, installed: 10_000_000_000)
    }

    private func refusal(_ yaml: String, environment: [String: String] = [:]) -> String {
        do {
            return "taken: \(try settings(yaml, environment: environment))"
        } catch {
            return "\(error)"
        }
    }

    @Test func everythingHasADefault() throws {
        let settings = try settings()
        #expect(settings.name == "vm1")
        #expect(settings.data == "/home/u/.local/share/arbutus")
        #expect(settings.listen == HostPort(host: "127.0.0.1", port: 7480))
        #expect(settings.advertise == nil)
        #expect(settings.seeds == [])
        #expect(settings.web == HostPort(host: "127.0.0.1", port: 8480))
        #expect(settings.slots == 3)
        #expect(settings.memory == 6_000_000_000)
        #expect(settings.sceneRoots == [])
        #expect(settings.outputs == "/home/u/.local/share/arbutus/mosaics")
    }

    @Test func readsTheWholeExample() throws {
        let settings = try settings(
            """
            node:    { name: vm1, data: /var/lib/arbutus }
            cluster: { listen: "0.0.0.0:7480", advertise: "vm1:7480", seeds: ["vm1:7480", "[fe80::1]:7481"],
                       key_file: /etc/arbutus/cluster.key }
            web:     { listen: "127.0.0.1:8480", token_file: /etc/arbutus/web.token,
                       origins: ["https://maps.example.org"] }
            work:    { slots: 2, memory: 50%, scene_roots: ["/data/sentinel"] }
            outputs: { store: "/var/lib/arbutus/mosaics" }
            """)
        #expect(settings.name == "vm1")
        #expect(settings.listen == HostPort(host: "0.0.0.0", port: 7480))
        #expect(settings.seeds == [HostPort(host: "vm1", port: 7480), HostPort(host: "fe80::1", port: 7481)])
        #expect(settings.keyFile == "/etc/arbutus/cluster.key")
        #expect(settings.origins == ["https://maps.example.org"])
        #expect(settings.slots == 2)
        #expect(settings.memory == 5_000_000_000)
        #expect(settings.sceneRoots == ["/data/sentinel"])
    }

    @Test func laterLayersHideEarlierOnes() throws {
        let yaml = "node: { name: a }\nwork: { slots: 1 }"
        #expect(try settings(yaml).name == "a")
        let environment = [
            "ARBUTUS_NODE_NAME": "b", "ARBUTUS_CLUSTER_SEEDS": "x:1, y:2", "ARBUTUS_NODES": "z",
        ]
        let second = try settings(yaml, environment: environment)
        #expect(second.name == "b")
        #expect(second.slots == 1)
        #expect(second.seeds == [HostPort(host: "x", port: 1), HostPort(host: "y", port: 2)])
        #expect(try settings(yaml, environment: environment, flags: ["node.name": ["c"]]).name == "c")
    }

    @Test(arguments: [
        ("node: { nome: a }", ["node.nome", "node.name", "node.yaml"]),
        ("claster: { listen: x }", ["\"claster\"", "cluster"]),
        ("node: [1]", ["node", "section"]),
        ("node: { name: [a, b] }", ["node.name", "at most 64"]),
        ("node: { name: { a: b } }", ["node.name", "no value"]),
        ("node: { name: ä }", ["node.name", "ä"]),
        ("cluster: { listen: \"0.0.0.0:7480\" }", ["cluster.listen", "cluster.key_file", "arbutus key new"]),
        ("cluster: { seeds: [vm1] }", ["cluster.seeds", "vm1", "addresses with ports"]),
        ("cluster: { listen: \"127.0.0.1:99999\" }", ["cluster.listen", "99999"]),
        (
            "cluster: { advertise: \"\(String(repeating: "a", count: 250)):7480\" }", ["cluster.advertise"]
        ),
        ("outputs: { store: \"/vsis3/mosaics\" }", ["outputs.store", "/vsis3/mosaics", "folders"]),
        ("web: { origins: [maps.example.org] }", ["web.origins", "maps.example.org", "https://"]),
        ("work: { slots: 0 }", ["work.slots", "1 to 1024"]),
        ("work: { memory: 99TB }", ["work.memory", "10.0 GB"]),
        ("work: { memory: much }", ["work.memory", "60%"]),
        ("work: { scene_roots: [data] }", ["work.scene_roots", "absolute"]),
        ("work: { scene_roots: [\"/data/../etc\"] }", ["work.scene_roots", "/data/../etc"]),
        ("node: {", ["node.yaml", "no YAML"]),
        ("- a", ["node.yaml", "sections"]),
    ]) func saysWhatIsWrong(_ yaml: String, _ words: [String]) {
        let text = refusal(yaml)
        for word in words { #expect(text.contains(word), "\(text)") }
        #expect(!text.hasPrefix("taken"))
    }

    @Test func saysWhichVariableIsWrong() {
        #expect(refusal("", environment: ["ARBUTUS_WORK_SLOTS": "many"]).contains("ARBUTUS_WORK_SLOTS"))
    }

    @Test(arguments: ["vm1", ":1", "a:0", "a b:1", "::1:80", "[a]:1", "a:b", ""])
    func refusesWhatIsNoAddress(_ text: String) { #expect(HostPort(text) == nil) }

    /// The commented examples of cluster-configs are taken as they stand.
    @Test(arguments: ["local-3/vm1", "local-3/vm2", "local-3/vm3", "lan/node"])
    func theExamplesAreTaken(name: String) throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = repository.appending(path: "cluster-configs/\(name).yaml")
        let settings = try settings(String(contentsOf: file, encoding: .utf8))
        #expect(settings.seeds.count == 2)
        #expect((settings.keyFile == nil) == settings.listen.isLoopback)
    }
}
