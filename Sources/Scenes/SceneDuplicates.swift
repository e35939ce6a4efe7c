import Raster

/// Which of several processings of one acquisition to keep (RASTER.md, Selection).
enum SceneDuplicates {
    /// Keeps, of each tile, datatake, level and data strip, the processing of the highest baseline, the later
    /// one of two with the same. Pieces of a datatake in different data strips complete each other and all
    /// stay; where a strip is unknown, only the highest baseline of the datatake stays. The order is kept.
    static func dropped(_ drafts: [SceneDraft]) -> [SceneDraft] {
        var best: [[String]: Int] = [:]
        var highest: [[String]: Double] = [:]
        for (index, draft) in drafts.enumerated() {
            guard let key = key(draft) else { continue }
            let rank = draft.baseline ?? 0
            highest[key] = max(highest[key] ?? 0, rank)
            let strip = key + [draft.strip ?? ""]
            if let other = best[strip], !isBetter(draft, than: drafts[other]) { continue }
            best[strip] = index
        }
        let hasUnknownStrip = Set(drafts.filter { $0.strip == nil }.compactMap(key))
        var kept: [SceneDraft] = []
        for (index, draft) in drafts.enumerated() {
            guard let key = key(draft) else {
                if !kept.contains(where: { $0.address == draft.address && $0.id == draft.id }) {
                    kept.append(draft)
                }
                continue
            }
            guard best[key + [draft.strip ?? ""]] == index else { continue }
            if hasUnknownStrip.contains(key), (draft.baseline ?? 0) < highest[key]! { continue }
            kept.append(draft)
        }
        return note(drafts, kept)
    }

    private static func key(_ draft: SceneDraft) -> [String]? {
        guard let tile = draft.tile, let datatake = draft.datatake else { return nil }
        return [tile, datatake, draft.level ?? ""]
    }

    private static func isBetter(_ a: SceneDraft, than b: SceneDraft) -> Bool {
        if a.baseline ?? 0 != b.baseline ?? 0 { return a.baseline ?? 0 > b.baseline ?? 0 }
        return a.generated ?? "" > b.generated ?? ""
    }

    /// Tells the scenes that stay which ones they stand for.
    private static func note(_ all: [SceneDraft], _ kept: [SceneDraft]) -> [SceneDraft] {
        kept.map { draft in
            guard let key = key(draft) else { return draft }
            var noted = draft
            let gone = all.filter {
                self.key($0) == key && !kept.contains($0) && ($0.strip == draft.strip || $0.strip == nil)
            }
            for other in gone {
                noted.warnings.append(
                    "\(other.id.onOneLine) is left out: the same tile and datatake, "
                        + (other.baseline ?? 0 < draft.baseline ?? 0
                            ? "an older baseline" : "another processing"))
            }
            return noted
        }
    }
}
