import Cluster
import Foundation

/// The documents of a STAC API (https://github.com/radiantearth/stac-api-spec, v1.0.0).
enum StacDocument {
    static let conformance: [JSONValue] = [
        "https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/collections",
        "https://api.stacspec.org/v1.0.0/ogcapi-features", "https://api.stacspec.org/v1.0.0/item-search",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    ].map { .text($0) }

    static func object(_ fields: [String: JSONValue]) -> JSONValue { .object(fields) }

    static func link(
        _ relation: String, _ address: String, _ type: String = "application/json", method: String? = nil
    ) -> JSONValue {
        var fields: [String: JSONValue] = [
            "rel": .text(relation), "href": .text(address), "type": .text(type),
        ]
        if let method { fields["method"] = .text(method) }
        return .object(fields)
    }

    static func landing(_ origin: String) -> JSONValue {
        let root = "\(origin)/stac"
        let geo = "application/geo+json"
        return .object([
            "type": .text("Catalog"), "stac_version": .text("1.0.0"), "id": .text("arbutus"),
            "title": .text("Arbutus"), "description": .text("The mosaics that this cluster has made."),
            "conformsTo": .list(conformance),
            "links": .list([
                link("self", root), link("root", root), link("conformance", "\(root)/conformance"),
                link("data", "\(root)/collections"),
                link("child", "\(root)/collections/\(WebServer.collection)"),
                link("search", "\(root)/search", geo, method: "GET"),
                link("search", "\(root)/search", geo, method: "POST"),
                link("service-desc", "\(origin)/api", "application/vnd.oai.openapi+json;version=3.1"),
                link("service-doc", "\(origin)/", "text/html"),
            ]),
        ])
    }

    /// The one collection; its extent is that of its items.
    static func collection(_ origin: String, _ items: [JSONValue]) -> JSONValue {
        let boxes = items.compactMap { $0["bbox"]?.numbers }.filter { $0.count == 4 }
        let box = boxes.reduce(into: boxes.first ?? [-180, -90, 180, 90]) { all, box in
            all = [min(all[0], box[0]), min(all[1], box[1]), max(all[2], box[2]), max(all[3], box[3])]
        }
        func times(_ name: String) -> [String] {
            items.compactMap { $0["properties"]?[name]?.text ?? $0["properties"]?["datetime"]?.text }
        }
        let from = times("start_datetime").min().map { JSONValue.text($0) } ?? .none
        let to = times("end_datetime").max().map { JSONValue.text($0) } ?? .none
        let own = "\(origin)/stac/collections/\(WebServer.collection)"
        return .object([
            "type": .text("Collection"), "stac_version": .text("1.0.0"), "id": .text(WebServer.collection),
            "title": .text("Mosaics"), "description": .text("Mosaics that this cluster has made."),
            "license": .text("proprietary"),
            "extent": .object([
                "spatial": .object(["bbox": .list([.list(box.map { .number($0) })])]),
                "temporal": .object(["interval": .list([.list([from, to])])]),
            ]),
            "links": .list([
                link("self", own), link("root", "\(origin)/stac"), link("parent", "\(origin)/stac"),
                link("items", "\(own)/items", "application/geo+json"),
            ]),
        ])
    }

    /// The item of a job, with addresses of this server.
    static func item(_ item: JSONValue, _ header: JobHeader, _ origin: String) -> JSONValue {
        guard case .object(var fields) = item else { return item }
        let collection = "\(origin)/stac/collections/\(WebServer.collection)"
        fields["id"] = .text("\(header.id)")
        fields["collection"] = .text(WebServer.collection)
        if case .object(var properties)? = fields["properties"] {
            properties["title"] = properties["title"] ?? .text(header.title)
            properties["arbutus:job"] = .text("\(header.id)")
            properties["arbutus:state"] = .text(header.stateName)
            fields["properties"] = .object(properties)
        }
        if case .object(let assets)? = fields["assets"] {
            fields["assets"] = .object(
                assets.mapValues { asset in
                    guard case .object(var asset) = asset, let name = asset["href"]?.text else {
                        return asset
                    }
                    let file = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
                    asset["href"] = .text("\(origin)/artifacts/\(header.id)/\(file)")
                    return .object(asset)
                })
        }
        let kept = fields["links"]?.list ?? []
        fields["links"] = .list(
            [
                link("self", "\(collection)/items/\(header.id)", "application/geo+json"),
                link("collection", collection), link("parent", collection), link("root", "\(origin)/stac"),
                link("tilejson", "\(origin)/jobs/\(header.id)/tilejson.json"),
            ] + kept)
        return .object(fields)
    }
}

/// What a STAC search asks for.
struct StacQuery: Decodable {
    var bbox: [Double]?
    var datetime: String?
    var ids: [String]?
    var collections: [String]?
    /// Longitudes and latitudes of a GeoJSON geometry: its box is looked at.
    var intersects: JSONValue?
    var limit = 10
    var start = 0

    private static let mostItems = 1000

    private enum CodingKeys: String, CodingKey {
        case bbox, datetime, ids, collections, intersects, limit, token
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        bbox = try fields.decodeIfPresent([Double].self, forKey: .bbox)
        datetime = try fields.decodeIfPresent(String.self, forKey: .datetime)
        ids = try fields.decodeIfPresent([String].self, forKey: .ids)
        collections = try fields.decodeIfPresent([String].self, forKey: .collections)
        intersects = try fields.decodeIfPresent(JSONValue.self, forKey: .intersects)
        limit = try fields.decodeIfPresent(Int.self, forKey: .limit) ?? 10
        start = Int(try fields.decodeIfPresent(String.self, forKey: .token) ?? "0") ?? 0
        try check()
    }

    init(_ parameters: some Collection<(key: Substring, value: Substring)>) throws {
        for (key, value) in parameters {
            let parts = value.split(separator: ",").map(String.init)
            switch key {
            case "bbox":
                bbox = try parts.map { part in
                    guard let number = Double(part) else {
                        throw Problem(.badRequest, "bbox=\(value.prefix(80)) has no four numbers")
                    }
                    return number
                }
            case "datetime": datetime = String(value)
            case "ids": ids = parts
            case "collections": collections = parts
            case "limit":
                guard let number = Int(value) else {
                    throw Problem(.badRequest, "limit=\(value.prefix(20)) is no number")
                }
                limit = number
            case "intersects":
                // Forms write spaces as plus signs.
                let text = String(value).replacingOccurrences(of: "+", with: " ")
                do { intersects = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) } catch {
                    throw Problem(.badRequest, "intersects is no GeoJSON geometry: \(error)")
                }
            case "token": start = Int(value) ?? 0
            default: break
            }
        }
        try check()
    }

    private mutating func check() throws {
        if let bbox {
            guard bbox.count == 4 || bbox.count == 6, bbox.allSatisfy(\.isFinite) else {
                throw Problem(.badRequest, "bbox has \(bbox.count) numbers; give west,south,east,north")
            }
            let flat = bbox.count == 6 ? [bbox[0], bbox[1], bbox[3], bbox[4]] : bbox
            guard flat[1] <= flat[3] else { throw Problem(.badRequest, "bbox has its south above its north") }
            self.bbox = flat
        }
        if bbox != nil, intersects != nil {
            throw Problem(.badRequest, "a search has bbox or intersects, not both")
        }
        guard limit >= 1 else { throw Problem(.badRequest, "limit is \(limit); give 1 or more") }
        (limit, start) = (min(limit, Self.mostItems), max(0, start))
        if let datetime { _ = try interval(datetime) }
    }

    func matches(_ item: JSONValue, in collection: String) -> Bool {
        if let collections, !collections.isEmpty, !collections.contains(collection) { return false }
        if let ids, !ids.isEmpty, !ids.contains(item["id"]?.text ?? "") { return false }
        if let box = bbox ?? intersects.flatMap(Self.box), let own = item["bbox"]?.numbers, own.count == 4 {
            // A box whose west lies beyond its east goes across the 180° meridian.
            let turns = [0.0, 360, -360]
            let east = box[2] < box[0] ? box[2] + 360 : box[2]
            let ownEast = own[2] < own[0] ? own[2] + 360 : own[2]
            let meets = turns.contains { own[0] + $0 <= east && ownEast + $0 >= box[0] }
            if !meets || own[1] > box[3] || own[3] < box[1] { return false }
        }
        guard let datetime, case .success(let wanted) = Result(catching: { try interval(datetime) }) else {
            return true
        }
        let properties = item["properties"]
        let from = properties?["start_datetime"]?.text ?? properties?["datetime"]?.text ?? ""
        let to = properties?["end_datetime"]?.text ?? properties?["datetime"]?.text ?? ""
        guard let begin = Self.time(from), let end = Self.time(to) else { return false }
        return begin <= wanted.upperBound && end >= wanted.lowerBound
    }

    /// RFC 3339 times: one, or from/to with `..` or nothing for an open end.
    private func interval(_ text: String) throws -> ClosedRange<Date> {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        func end(_ part: String, _ open: Date) throws -> Date {
            if part.isEmpty || part == ".." { return open }
            guard let time = Self.time(part) else {
                throw Problem(
                    .badRequest, "datetime \(text.prefix(80)) is no time; give 2024-07-01T00:00:00Z/..")
            }
            return time
        }
        let isOpen = { (part: String) in part.isEmpty || part == ".." }
        guard (1...2).contains(parts.count), !(parts.count == 1 && isOpen(parts[0])),
            !(parts.count == 2 && isOpen(parts[0]) && isOpen(parts[1]))
        else {
            throw Problem(.badRequest, "datetime \(text.prefix(80)) is no time; give 2024-07-01T00:00:00Z/..")
        }
        let from = try end(parts[0], .distantPast)
        let to = parts.count == 1 ? from : try end(parts[1], .distantFuture)
        guard from <= to else {
            throw Problem(.badRequest, "datetime \(text.prefix(80)) ends before it begins")
        }
        return from...to
    }

    /// RFC 3339, section 5.6, and nothing that only looks like it.
    private static func time(_ text: String) -> Date? {
        let upper = text.uppercased()
        let form = /\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)/
        guard let parts = upper.wholeMatch(of: form)?.output, let month = Int(parts.1),
            let day = Int(parts.2),
            let hour = Int(parts.3), let minute = Int(parts.4), let second = Int(parts.5),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        for style in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            if case .success(let date) = Result(catching: { try style.parse(upper) }) { return date }
        }
        return nil
    }

    /// The box around a geometry.
    private static func box(_ geometry: JSONValue) -> [Double]? {
        var found: [[Double]] = []
        func walk(_ value: JSONValue) {
            guard let list = value.list else { return }
            if let numbers = value.numbers, numbers.count >= 2, numbers.count == list.count {
                found.append(numbers)
            } else {
                list.forEach(walk)
            }
        }
        for part in [geometry] + (geometry["geometries"]?.list ?? []) {
            if let coordinates = part["coordinates"] { walk(coordinates) }
        }
        guard let first = found.first else { return nil }
        return found.reduce([first[0], first[1], first[0], first[1]]) { box, place in
            [min(box[0], place[0]), min(box[1], place[1]), max(box[2], place[0]), max(box[3], place[1])]
        }
    }

    /// The link to the rest.
    func next(after start: Int, _ address: String, isPost: Bool) -> JSONValue {
        var parts = ["limit=\(limit)", "token=\(start)"]
        var body: [String: JSONValue] = ["limit": .number(Double(limit)), "token": .text("\(start)")]
        func add(_ name: String, _ text: String, _ value: JSONValue) {
            parts.append("\(name)=\(text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")")
            body[name] = value
        }
        if let bbox {
            add("bbox", bbox.map { "\($0)" }.joined(separator: ","), .list(bbox.map { .number($0) }))
        }
        if let datetime { add("datetime", datetime, .text(datetime)) }
        if let ids { add("ids", ids.joined(separator: ","), .list(ids.map { .text($0) })) }
        if let collections {
            add("collections", collections.joined(separator: ","), .list(collections.map { .text($0) }))
        }
        let geo = JSONValue.text("application/geo+json")
        guard isPost else {
            return .object([
                "rel": .text("next"), "type": geo, "method": .text("GET"),
                "href": .text("\(address)?\(parts.joined(separator: "&"))"),
            ])
        }
        if let intersects { body["intersects"] = intersects }
        return .object([
            "rel": .text("next"), "type": geo, "method": .text("POST"), "href": .text(address),
            "body": .object(body),
        ])
    }
}
