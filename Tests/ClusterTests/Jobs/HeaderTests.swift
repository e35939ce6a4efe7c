import Testing

@testable import Cluster

@Suite struct HeaderTests {
    let low = Term(counter: 1, node: node(1), start: 1)
    let high = Term(counter: 2, node: node(2), start: 1)

    func header(_ term: Term, _ manifest: Manifest, run: UInt32 = 1, author: Term? = nil) -> JobHeader {
        var reign = Reign(term: term)
        reign.phase = .running
        return JobHeader(
            id: job(1), title: "t", request: digest(1), reign: reign,
            state: RunState(run: RunID(run), manifest: manifest, author: author ?? term))
    }

    @Test func termsAreComparedWhole() {
        #expect(Term(counter: 1, node: node(9), start: 9) < Term(counter: 2, node: node(1), start: 1))
        #expect(Term(counter: 2, node: node(1), start: 9) < Term(counter: 2, node: node(2), start: 1))
        #expect(Term(counter: 2, node: node(2), start: 1) < Term(counter: 2, node: node(2), start: 2))
    }

    @Test func manifestsRiseFromRunningToComplete() {
        let ladder: [RunState] = [
            RunState(run: RunID(1), manifest: .running, author: low),
            RunState(run: RunID(1), manifest: .running, author: high),
            RunState(run: RunID(1), manifest: .cancelled, author: low),
            RunState(run: RunID(1), manifest: .partial(done: 3, outputs: nil), author: high),
            RunState(run: RunID(1), manifest: .partial(done: 4, outputs: digest(1)), author: low),
            RunState(run: RunID(1), manifest: .partial(done: 4, outputs: digest(1)), author: high),
            RunState(run: RunID(1), manifest: .complete(outputs: digest(1)), author: low),
            RunState(run: RunID(2), manifest: .running, author: low),
        ]
        for (a, b) in zip(ladder, ladder.dropFirst()) {
            #expect(a < b)
            #expect(!(b < a))
        }
    }

    @Test func theTermDecidesWhoCoordinatesAndTheManifestTheState() {
        let done = header(low, .complete(outputs: digest(5)))
        let running = header(high, .running)
        let merged = done.merged(with: running)
        #expect(merged == running.merged(with: done))
        #expect(merged.term == high)
        #expect(merged.state == done.state)
        #expect(merged.merged(with: done) == merged)
    }

    @Test func aPartialOfALowerTermDoesNotStopARunningHigherTerm() {
        let merged = header(high, .running).merged(with: header(low, .partial(done: 2, outputs: digest(5))))
        #expect(merged.state.manifest == .partial(done: 2, outputs: digest(5)))
        #expect(merged.isLive)
        #expect(!header(low, .partial(done: 2, outputs: digest(5))).isLive)
        #expect(!header(high, .running).merged(with: header(low, .cancelled)).isLive)
    }

    @Test func mergingIsCommutativeAssociativeAndIdempotent() {
        var dice = TestGenerator(7)
        let manifests: [Manifest] = [
            .running, .cancelled, .partial(done: 1, outputs: nil), .partial(done: 2, outputs: digest(3)),
            .complete(outputs: digest(4)),
        ]
        func random() -> JobHeader {
            let terms = [low, high, Term(counter: 2, node: node(1), start: 3)]
            let term = terms[Int(dice.next() % 3)]
            var header = header(
                term, manifests[Int(dice.next() % 5)], run: UInt32(1 + dice.next() % 2),
                author: terms[Int(dice.next() % 3)])
            header.outputHolders = header.state.manifest.outputs == nil ? [] : [node(1 + dice.next() % 6)]
            return header
        }
        for _ in 0..<500 {
            let (a, b, c) = (random(), random(), random())
            #expect(a.merged(with: b) == b.merged(with: a))
            #expect(a.merged(with: b).merged(with: c) == a.merged(with: b.merged(with: c)))
            #expect(a.merged(with: b).merged(with: b) == a.merged(with: b))
        }
    }

    @Test func hostileHeadersAreRefused() {
        var book = JobBook()
        var long = header(low, .running)
        long = JobHeader(
            id: long.id, title: String(repeating: "x", count: 5000), request: long.request, reign: long.reign,
            state: long.state)
        let absurd = header(Term(counter: .max, node: node(1), start: 1), .running)
        for (bad, why) in [(long, "job title over 256 bytes"), (absurd, "a term that cannot be")] {
            let aged = AgedHeader(header: bad, finishedFor: .zero)
            #expect(book.received(aged, from: node(2), now: at(0)) == [.drop(node(2), reason: why)])
        }
        #expect(header(low, .running).encodedSize <= 400)
    }
}

@Suite struct JobBookTests {
    func header(_ n: UInt64, _ manifest: Manifest = .running) -> JobHeader {
        let term = Term(counter: 1, node: node(1), start: 1)
        return JobHeader(
            id: job(n), title: "", request: digest(n), reign: Reign(term: term),
            state: RunState(run: .first, manifest: manifest, author: term))
    }

    @Test func aRumourPullsTheHeaderOnce() {
        var (a, b) = (JobBook(), JobBook())
        let new = header(1)
        #expect(a.update(new, now: at(0)) == [.changed(new), .rumour(new.rumour)])
        #expect(b.heard(new.rumour, from: node(1)) == [.send(.want([job(1)]), to: node(1))])
        let answer = a.received(.want([job(1)]), from: node(2), now: at(1))
        let aged = AgedHeader(header: new, finishedFor: .zero)
        #expect(answer == [.send(.headers([aged]), to: node(2))])
        #expect(
            b.received(.headers([aged]), from: node(1), now: at(1)) == [.changed(new), .rumour(new.rumour)])
        #expect(b.received(.headers([aged]), from: node(1), now: at(1)) == [])
        #expect(b.heard(new.rumour, from: node(1)) == [])
    }

    @Test func theExchangeMakesTwoBooksEqual() {
        var (a, b) = (JobBook(), JobBook())
        for n in 0..<300 { _ = a.update(header(UInt64(n)), now: at(0)) }
        for n in 200..<500 { _ = b.update(header(UInt64(n)), now: at(0)) }
        var post = a.compare(with: node(2)).map { (node(1), $0) }
        while let (from, action) = post.first {
            post.removeFirst()
            guard case .send(let message, let to) = action else { continue }
            let answers =
                to == node(2)
                ? b.received(message, from: from, now: at(1)) : a.received(message, from: from, now: at(1))
            post += answers.map { (to, $0) }
        }
        #expect(a.all == b.all)
        #expect(a.count == 500)
        guard case .send(let root, _)? = a.compare(with: node(2)).first else { return }
        #expect(b.received(root, from: node(1), now: at(2)) == [])
    }

    @Test func aFinishedJobIsFoldedAfterNinetyDaysEverywhereAndStaysSo() {
        var (a, b) = (JobBook(), JobBook())
        let over = header(1, .complete(outputs: digest(1)))
        _ = a.update(over, now: at(0))
        let day = 24.0 * 3600
        guard
            case .send(.headers(let aged), _)? = a.received(.want([job(1)]), from: node(2), now: at(89 * day))
                .first
        else { return }
        #expect(aged[0].finishedFor == .seconds(89 * day))
        _ = b.received(aged[0], from: node(1), now: at(5))
        #expect(b.advance(now: at(5 + day)) == [.folded(job(1))])
        #expect(a.advance(now: at(90 * day)) == [.folded(job(1))])
        let late = AgedHeader(header: over, finishedFor: .seconds(90 * day))
        #expect(b.received(late, from: node(1), now: at(6 + day)) == [])
        #expect(b.nextDeadline == nil)
    }

    @Test func tooManyFinishedJobsFoldTheOldest() {
        var book = JobBook()
        for n in 0..<10_000 { _ = book.update(header(UInt64(n), .cancelled), now: at(Double(n))) }
        let last = header(99_999, .cancelled)
        let actions = book.update(last, now: at(20_000))
        #expect(actions == [.changed(last), .rumour(last.rumour), .folded(job(0))])
        #expect(book.count == 10_000)
    }

    @Test func malformedExchangesDropThePeer() {
        var book = JobBook()
        let many = (0..<201).map { job(UInt64($0)) }
        #expect(
            book.received(.want(many), from: node(3), now: at(0))
                == [.drop(node(3), reason: "asks for 201 headers at once")])
        #expect(
            book.received(.buckets([1], answer: true), from: node(3), now: at(0))
                == [.drop(node(3), reason: "1 buckets instead of 256")])
    }
}
