import Cluster
import Foundation
import HTTPTypes
import Hummingbird
import NodeRuntime

// For those who watch over nodes: /readyz and /metrics.

extension WebServer {
    func addMetricsRoutes(to router: Router<BasicRequestContext>) {
        router.get("readyz") { [node] _, _ in
            let figures = await node.figures()
            guard figures.isReady else {
                throw Problem(
                    .serviceUnavailable,
                    figures.isLeaving
                        ? "the node hands its work on and leaves" : "the node has not tried each seed yet")
            }
            return Response(
                status: .ok, headers: [.contentType: "text/plain"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "ready\n")))
        }
        router.get("metrics") { [node] _, _ in
            let text = Metrics.text(await node.figures(), ProcessFigures())
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }
}

/// A node's figures as Prometheus reads them.
enum Metrics {
    static func text(_ node: NodeFigures, _ process: ProcessFigures) -> String {
        var page = PrometheusText()
        page.add(
            "arbutus_build_info", .gauge, "Version and engine fingerprint.",
            [([("version", node.version), ("engine", node.engine)], 1)])
        page.add(
            "arbutus_ready", .gauge, "1 when the node answers for the cluster and takes work.",
            node.isReady ? 1 : 0)
        page.add(
            "arbutus_members", .gauge, "Members in this node's view, itself included.", by: "state",
            ["alive": 0, "suspect": 0, "dead": 0, "left": 0].merging(node.members) { $1 })
        addWork(node, to: &page)
        addTraffic(node, to: &page)
        page.add("arbutus_store_bytes", .gauge, "Bytes of the tile store.", Double(node.store.bytes))
        page.add("arbutus_store_blobs", .gauge, "Blobs in the tile store.", Double(node.store.blobs))
        page.add(
            "arbutus_store_limit_bytes", .gauge, "The bound of the tile store, pinned blobs apart.",
            Double(node.store.limit))
        addProcess(process, to: &page)
        return page.text
    }

    private static func addWork(_ node: NodeFigures, to page: inout PrometheusText) {
        page.add(
            "arbutus_jobs", .gauge, "Jobs that this node knows of.", by: "state",
            ["running": 0, "complete": 0, "partial": 0, "failed": 0, "cancelled": 0].merging(node.jobs) { $1 }
        )
        page.add(
            "arbutus_jobs_by_role", .gauge, "Live jobs in which this node has a role.", by: "role",
            ["coordinator": node.coordinates, "keeper": node.keeps])
        page.add("arbutus_slots", .gauge, "Tasks that this node runs at a time.", Double(node.slots))
        page.add(
            "arbutus_tasks_at_work", .gauge, "Tasks that run or are about to on this node.",
            Double(node.tasksAtWork))
        page.add(
            "arbutus_tasks_total", .counter, "Tasks that ended on this node, and results copied to it.",
            by: "outcome", ["finished": 0, "failed": 0, "copied": 0].merging(node.tasks) { $1 })
        page.add(
            "arbutus_assemblies_total", .counter, "Outputs assembled on this node.", Double(node.assemblies))
        page.add(
            "arbutus_grants_total", .counter, "Ranges that this node was granted.", Double(node.work.grants))
        page.add(
            histogram: "arbutus_grant_wait_seconds",
            "From running dry beside a running job to the next grant of tasks.",
            bounds: WorkTally.waitBounds.map(\.seconds), counts: node.work.waits,
            sum: node.work.waited.seconds)
        page.add(
            "arbutus_steals_total", .counter,
            "Ranges stolen by this node (in), and from it in jobs that others coordinate (out).",
            by: "direction", ["in": node.work.steals, "out": node.stealsOut])
    }

    private static func addTraffic(_ node: NodeFigures, to page: inout PrometheusText) {
        let both = [
            ("sent", node.sent + [node.datagramsSent]),
            ("received", node.received + [node.datagramsReceived]),
        ]
        for (direction, traffic) in both {
            page.add(
                "arbutus_\(direction)_bytes_total", .counter,
                "Bytes \(direction), by kind: gossip is datagrams, the rest frames and items on links.",
                traffic.map { ([("kind", $0.kind)], Double($0.bytes)) })
            page.add(
                "arbutus_\(direction)_messages_total", .counter, "Messages and items \(direction), by kind.",
                traffic.map { ([("kind", $0.kind)], Double($0.messages)) })
        }
        page.add(
            "arbutus_datagrams_dropped_total", .counter, "Datagrams that were not used.", by: "reason",
            node.datagramsDropped)
        page.add(
            "arbutus_handshakes_failed_total", .counter, "Handshakes that led to no link.",
            Double(node.handshakesFailed))
        page.add(
            "arbutus_connections_turned_away_total", .counter,
            "Connections refused because too many handshakes were unfinished.",
            Double(node.connectionsTurnedAway))
        page.add(
            "arbutus_inputs_dropped_total", .counter,
            "Inputs of the protocol dropped because too many waited.", Double(node.inputsDropped))
        page.add(
            "arbutus_uplink_full", .gauge,
            "1 while bytes for two peers or more wait for the network; then thieves get nothing here.",
            node.isUplinkFull ? 1 : 0)
    }

    private static func addProcess(_ process: ProcessFigures, to page: inout PrometheusText) {
        page.add(
            "process_resident_memory_bytes", .gauge, "Resident memory.", Double(process.residentBytes))
        page.add("process_cpu_seconds_total", .counter, "User and system time.", process.cpuSeconds)
        page.add("process_threads", .gauge, "Threads.", Double(process.threads))
        page.add("process_open_fds", .gauge, "Open file descriptors.", Double(process.openFiles))
        page.add(
            "process_start_time_seconds", .gauge, "Start of the process since 1970.", process.startTime)
    }
}

/// What Linux says of this process (proc(5)); zeros where it does not.
struct ProcessFigures {
    private(set) var residentBytes = 0
    private(set) var cpuSeconds = 0.0
    private(set) var threads = 0
    private(set) var openFiles = 0
    private(set) var startTime = 0.0

    init() {
        // The name, in parentheses, may hold blanks: fields are counted from behind it.
        if let bytes = FileManager.default.contents(atPath: "/proc/self/stat"),
            let name = String(decoding: bytes, as: UTF8.self).split(separator: ")").last
        {
            let fields = name.split(separator: " ").map { Double($0) ?? 0 }
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            if fields.count > 21 {
                cpuSeconds = (fields[11] + fields[12]) / ticks
                threads = Int(fields[17])
                startTime = Self.bootTime + fields[19] / ticks
                residentBytes = Int(fields[21]) * sysconf(Int32(_SC_PAGESIZE))
            }
        }
        if case .success(let files) = Result(catching: {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        }) {
            openFiles = files.count
        }
    }

    /// Seconds since 1970 at which the machine started.
    private static let bootTime: Double = {
        let bytes = FileManager.default.contents(atPath: "/proc/stat") ?? Data()
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("btime ")
        }
        return line.flatMap { Double($0.dropFirst(6)) } ?? 0
    }()
}
