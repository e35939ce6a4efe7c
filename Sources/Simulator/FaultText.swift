import Cluster

// Faults as words, for the command that repeats a run: a name and its numbers with strokes between them;
// spans in milliseconds. `crash/3` silences machine 3; `stall/0/1500` stops its process for 1.5 s.

extension ScheduledFault {
    /// The moment in milliseconds, a stroke, the fault.
    var text: String { "\(Int((at.seconds * 1000).rounded()))/\(fault.text)" }

    /// Nil for what `text` never gives.
    init?(text: String) {
        let words = text.split(separator: "/").map(String.init)
        guard words.count >= 2, let at = Int(words[0]), (0...1_000_000_000).contains(at),
            let fault = Fault(words: Array(words[1...]))
        else { return nil }
        self.init(at: .milliseconds(at), fault)
    }
}

extension Span {
    fileprivate var text: String { "\(Int((seconds * 1000).rounded()))" }
}

extension Fault {
    /// The name and the numbers.
    var text: String { words.joined(separator: "/") }

    private var words: [String] {
        switch self {
        case .network(let c):
            ["network", c.latency.text, c.jitter.text, "\(c.loss)", "\(c.duplicates)", "\(c.reordered)"]
                + ["\(c.replayed)"]
        case .crash(let index): ["crash", "\(index)"]
        case .kill(let index): ["kill", "\(index)"]
        case .killAfterEffects(let index, let count): ["killAfterEffects", "\(index)", "\(count)"]
        case .start(let index): ["start", "\(index)"]
        case .farewell(let index, let farewell): ["farewell", "\(index)", farewell == .left ? "1" : "0"]
        case .stall(let index, let span): ["stall", "\(index)", span.text]
        case .partition(let groups): ["partition"] + groups.map { "\($0)" }
        case .oneWay(let index, let mute, let deaf):
            ["oneWay", "\(index)", mute ? "1" : "0", deaf ? "1" : "0"]
        case .block(let index, let udp, let tcp): ["block", "\(index)", udp ? "1" : "0", tcp ? "1" : "0"]
        case .clone(let index): ["clone", "\(index)"]
        case .move(let index): ["move", "\(index)"]
        case .newKey(let index): ["newKey", "\(index)"]
        case .takeImage(let index): ["takeImage", "\(index)"]
        case .rollBack(let index): ["rollBack", "\(index)"]
        case .diskFull(let index, let full): ["diskFull", "\(index)", full ? "1" : "0"]
        case .drift(let index, let share): ["drift", "\(index)", "\(share)"]
        case .keys(let index, .install(let key, _)): ["install", "\(index)", "\(key.bits)"]
        case .keys(let index, .use(let key)): ["use", "\(index)", "\(key.bits)"]
        case .keys(let index, .retire(let key, let forced)):
            ["retire", "\(index)", "\(key.bits)", forced ? "1" : "0"]
        case .keys(let index, .deny): ["deny", "\(index)", "\(index)", "0"]
        case .deny(let index, let by, let key): ["deny", "\(index)", "\(by)", "\(key.bits)"]
        case .hostile(let index, let seed): ["hostile", "\(index)", "\(seed)"]
        default: workWords
        }
    }

    private var workWords: [String] {
        switch self {
        case .hostileJobs(let index, let seed): ["hostileJobs", "\(index)", "\(seed)"]
        case .flood(let index, let seed): ["flood", "\(index)", "\(seed)"]
        case .suspend(let index, let span): ["suspend", "\(index)", span.text]
        case .clock(let index, let ahead): ["clock", "\(index)", ahead.text]
        case .slow(let index, let factor): ["slow", "\(index)", "\(factor)"]
        case .engine(let index, let engine): ["engine", "\(index)", "\(engine)"]
        case .release(let index, let release): ["release", "\(index)", "\(release)"]
        case .spoil(let kind, let spoiling): ["spoil", kind.rawValue, spoiling?.rawValue ?? "healed"]
        case .trouble(let job, let task, let trouble): ["trouble", "\(job)", "\(task)"] + trouble.words
        case .endBearer(let job, let bearer, let crash, let back):
            ["endBearer", "\(job)", bearer.rawValue, crash ? "1" : "0", back.text]
        case .endHolders(let job, let pick, let gap, let back):
            ["endHolders", "\(job)", "\(pick)", gap.text, back.text]
        case .ask(let job, let index, let kind): ["ask", "\(job)", "\(index)", "\(kind.rawValue)"]
        case .ambush(let job, let index, let kind, let after):
            ["ambush", "\(job)", "\(index)", "\(kind.rawValue)", after.text]
        case .submitAgain(let job, let index): ["submitAgain", "\(job)", "\(index)"]
        default: preconditionFailure("\(self) has no words")
        }
    }

    init?(words: [String]) {
        guard let name = words.first, words.count <= 5001 else { return nil }
        let numbers = words.dropFirst().map { Int($0) ?? -9 }
        if name == "partition" {
            self = .partition(numbers)
            return
        }
        let reading = Reading(name: name, words: Array(words.dropFirst()))
        guard let fault = reading.process ?? reading.machine ?? reading.work else { return nil }
        self = fault
    }
}

/// Reads the words of one fault.
private struct Reading {
    let name: String
    let words: [String]

    private func number(_ at: Int) -> Int? { at < words.count ? Int(words[at]) : nil }
    private func real(_ at: Int) -> Double? { at < words.count ? Double(words[at]) : nil }
    private func bits(_ at: Int) -> UInt64? { at < words.count ? UInt64(words[at]) : nil }
    private func flag(_ at: Int) -> Bool { number(at) == 1 }
    private func span(_ at: Int) -> Span? { number(at).map { .milliseconds(min(max(0, $0), 1_000_000_000)) } }
    private func key(_ at: Int) -> KeyID { KeyID(bits: UInt32(truncatingIfNeeded: number(at) ?? 0)) }
    private func secret(_ key: KeyID) -> [UInt8] { [UInt8(truncatingIfNeeded: key.bits)] }

    /// About one machine, by its index alone or with one more number.
    var process: Fault? {
        guard let index = number(0), index >= 0 else { return nil }
        switch name {
        case "crash": return .crash(index)
        case "kill": return .kill(index)
        case "killAfterEffects": return number(1).map { .killAfterEffects(index, $0) }
        case "start": return .start(index)
        case "farewell": return .farewell(index, flag(1) ? .left : .restarting)
        case "stall": return span(1).map { .stall(index, $0) }
        case "clone": return .clone(index)
        case "move": return .move(index)
        case "newKey": return .newKey(index)
        case "takeImage": return .takeImage(index)
        case "rollBack": return .rollBack(index)
        case "suspend": return span(1).map { .suspend(index, $0) }
        case "clock": return span(1).map { .clock(index, $0) }
        case "slow": return real(1).map { .slow(index, $0) }
        case "engine": return number(1).map { .engine(index, $0) }
        case "release": return number(1).map { .release(index, $0) }
        default: return nil
        }
    }

    /// About a machine's network, disk, clock, keys and enemies.
    var machine: Fault? {
        if name == "network", words.count == 6, let latency = span(0), let jitter = span(1),
            let loss = real(2),
            let duplicates = real(3), let reordered = real(4), let replayed = real(5)
        {
            var conditions = NetworkConditions()
            (conditions.latency, conditions.jitter, conditions.loss) = (latency, jitter, loss)
            conditions.duplicates = duplicates
            conditions.reordered = reordered
            conditions.replayed = replayed
            return .network(conditions)
        }
        guard let index = number(0), index >= 0 else { return nil }
        switch name {
        case "oneWay": return .oneWay(index, mute: flag(1), deaf: flag(2))
        case "block": return .block(index, udp: flag(1), tcp: flag(2))
        case "diskFull": return .diskFull(index, flag(1))
        case "drift": return real(1).map { .drift(index, $0) }
        case "install": return .keys(index, .install(key(1), secret: secret(key(1))))
        case "use": return .keys(index, .use(key(1)))
        case "retire": return .keys(index, .retire(key(1), forced: flag(2)))
        case "deny": return number(1).map { .deny(index, by: $0, key(2)) }
        case "hostile": return bits(1).map { .hostile(index, seed: $0) }
        case "hostileJobs": return bits(1).map { .hostileJobs(index, seed: $0) }
        case "flood": return bits(1).map { .flood(index, seed: $0) }
        default: return nil
        }
    }

    /// About jobs and messages.
    var work: Fault? {
        if name == "spoil", words.count == 2, let kind = MessageKind(rawValue: words[0]) {
            return .spoil(kind, Spoiling(rawValue: words[1]))
        }
        guard let job = number(0) else { return nil }
        let request = number(2).flatMap { UserRequest(rawValue: UInt8(truncatingIfNeeded: $0)) }
        switch name {
        case "trouble":
            guard let task = number(1), words.count == 4, let count = number(3) else { return nil }
            return TaskTrouble(name: words[2], count).map { .trouble(job: job, task: task, $0) }
        case "endBearer":
            guard words.count == 4, let bearer = Bearer(rawValue: words[1]), let back = span(3) else {
                return nil
            }
            return .endBearer(job: job, bearer, crash: flag(2), back: back)
        case "endHolders":
            guard let pick = bits(1), let gap = span(2), let back = span(3) else { return nil }
            return .endHolders(job: job, pick: pick, gap: gap, back: back)
        case "ask":
            guard let index = number(1), let request else { return nil }
            return .ask(job: job, index, request)
        case "ambush":
            guard let index = number(1), let request, let after = span(3) else { return nil }
            return .ambush(job: job, index, request, after: after)
        case "submitAgain": return number(1).map { .submitAgain(job: job, $0) }
        default: return nil
        }
    }
}

extension TaskTrouble {
    fileprivate var words: [String] {
        switch self {
        case .hangs(let times): ["hangs", "\(times)"]
        case .isPoison: ["isPoison", "0"]
        case .failsOn(let index): ["failsOn", "\(index)"]
        case .crashes(let times): ["crashes", "\(times)"]
        case .rots(let times): ["rots", "\(times)"]
        case .lacksInput(let until): ["lacksInput", until.text]
        }
    }

    fileprivate init?(name: String, _ count: Int) {
        switch name {
        case "hangs": self = .hangs(count)
        case "isPoison": self = .isPoison
        case "failsOn": self = .failsOn(count)
        case "crashes": self = .crashes(count)
        case "rots": self = .rots(count)
        case "lacksInput": self = .lacksInput(until: .milliseconds(count))
        default: return nil
        }
    }
}

extension Fault {
    /// The highest index of a machine that it names; -1 for none.
    var highestMachine: Int {
        switch self {
        case .crash(let index), .kill(let index), .killAfterEffects(let index, _), .start(let index),
            .farewell(let index, _), .stall(let index, _), .oneWay(let index, _, _), .block(let index, _, _),
            .clone(let index), .move(let index), .newKey(let index), .takeImage(let index),
            .rollBack(let index), .diskFull(let index, _), .drift(let index, _), .keys(let index, _),
            .hostile(let index, _), .hostileJobs(let index, _), .flood(let index, _), .suspend(let index, _),
            .clock(let index, _), .slow(let index, _), .engine(let index, _), .release(let index, _),
            .ask(_, let index, _), .ambush(_, let index, _, _), .submitAgain(_, let index):
            index
        case .deny(let index, let by, _): max(index, by)
        case .network, .partition, .spoil, .trouble, .endBearer, .endHolders: -1
        }
    }
}
