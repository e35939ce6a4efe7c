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
            let rank = draft.about.baseline ?? 0
            highest[key] = max(highest[key] ?? 0, rank)
            let strip = key + [draft.about.strip ?? ""]
            if let other = best[strip], !isBetter(draft, than: drafts[other]) { continue }
            best[strip] = index
        }
        let hasUnknownStrip = Set(drafts.filter { $0.about.strip == nil }.compactMap(key))
        var kept: [SceneDraft] = []
        for (index, draft) in drafts.enumerated() {
            guard let key = key(draft) else {
                if !kept.contains(where: { $0.address == draft.address && $0.about.id == draft.about.id }) {
                    kept.append(draft)
                }
                continue
            }
            guard best[key + [draft.about.strip ?? ""]] == index else { continue }
            if hasUnknownStrip.contains(key), (draft.about.baseline ?? 0) < highest[key]! { continue }
            kept.append(draft)
        }
        return note(drafts, kept)
    }

    private static func key(_ draft: SceneDraft) -> [String]? {
        guard let tile = draft.about.tile, let datatake = draft.about.datatake else { return nil }
        return [tile, datatake, draft.about.level ?? ""]
    }

    private static func isBetter(_ a: SceneDraft, than b: SceneDraft) -> Bool {
        if a.about.baseline ?? 0 != b.about.baseline ?? 0 {
            return a.about.baseline ?? 0 > b.about.baseline ?? 0
        }
        return a.about.generated ?? 0 > b.about.generated ?? 0
    }

    /// Tells the scenes that stay which ones they stand for: of their own strip, else of their datatake.
    private static func note(_ all: [SceneDraft], _ kept: [SceneDraft]) -> [SceneDraft] {
        var noted = kept
        for gone in all where !kept.contains(gone) {
            let same = kept.indices.filter { key(gone) != nil && key(kept[$0]) == key(gone) }
            guard let index = same.first(where: { kept[$0].about.strip == gone.about.strip }) ?? same.first
            else {
                continue
            }
            let isOlder = gone.about.baseline ?? 0 < kept[index].about.baseline ?? 0
            noted[index].warnings.append(
                "\(gone.about.id.onOneLine) is left out: the same tile and datatake, "
                    + (isOlder ? "an older baseline" : "another processing"))
        }
        return noted
    }
}
