// The written form of a request (JSON, YAML, jsonb). Missing keys take their defaults, unknown ones are
// errors: a misspelt key would otherwise change a mosaic in silence.

extension MosaicRequest {
    /// The keys of a written request; `RequestSchema` describes the same ones.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case title, indices, expressions, scenes, bands
        case area = "bbox"
        case clip, select, mask
        case maskBuffer = "mask_buffer"
        case offset, clamp, resampling, crs, resolution, colormap, range, png, overlay, provenance
        case onError = "on_error"
    }

    /// - Throws: `RequestError` for an unknown key or choice, `DecodingError` for a value of another type.
    public init(from decoder: any Decoder) throws {
        try refuseUnknownKeys(decoder, allowed: CodingKeys.allCases, of: "the request")
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        title = try keys.decodeIfPresent(String.self, forKey: .title)
        indices = try keys.decodeIfPresent([String].self, forKey: .indices) ?? indices
        expressions = try keys.decodeIfPresent([NamedExpression].self, forKey: .expressions) ?? expressions
        scenes = try keys.decodeIfPresent([String].self, forKey: .scenes) ?? scenes
        bands = try keys.decodeIfPresent([String: Int].self, forKey: .bands) ?? bands
        area = try keys.decodeIfPresent(Area.self, forKey: .area)
        clip = try keys.decodeIfPresent(String.self, forKey: .clip)
        select = try keys.choice(.select) ?? select
        mask = try keys.decodeIfPresent(MaskRule.self, forKey: .mask) ?? mask
        maskBuffer = try keys.decodeIfPresent(Double.self, forKey: .maskBuffer) ?? maskBuffer
        offset = try keys.decodeIfPresent(Double.self, forKey: .offset)
        clamp = try keys.choice(.clamp) ?? clamp
        resampling = try keys.choice(.resampling) ?? resampling
        crs = try keys.decodeIfPresent(String.self, forKey: .crs)
        resolution = try keys.decodeIfPresent(Double.self, forKey: .resolution)
        colormap = try keys.choice(.colormap)
        range = try keys.decodeIfPresent(ValueRange.self, forKey: .range)
        png = try keys.decodeIfPresent(Bool.self, forKey: .png) ?? png
        overlay = try keys.decodeIfPresent(Bool.self, forKey: .overlay) ?? overlay
        provenance = try keys.decodeIfPresent(Bool.self, forKey: .provenance) ?? provenance
        onError = try keys.choice(.onError) ?? onError
    }
}

extension NamedExpression {
    enum CodingKeys: String, CodingKey, CaseIterable { case name, formula }

    /// - Throws: `RequestError` for an unknown key, `DecodingError` for a missing one.
    public init(from decoder: any Decoder) throws {
        try refuseUnknownKeys(decoder, allowed: CodingKeys.allCases, of: "an expression")
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        name = try keys.decode(String.self, forKey: .name)
        formula = try keys.decode(String.self, forKey: .formula)
    }
}

extension Area {
    /// Reads `[west, south, east, north]`, as GeoJSON writes a `bbox` (RFC 7946, section 5).
    public init(from decoder: any Decoder) throws {
        let numbers = try [Double](from: decoder)
        guard numbers.count == 4 else {
            throw RequestError("bbox has \(numbers.count) numbers; give four: [west, south, east, north]")
        }
        self.init(west: numbers[0], south: numbers[1], east: numbers[2], north: numbers[3])
    }

    public func encode(to encoder: any Encoder) throws {
        try [west, south, east, north].encode(to: encoder)
    }
}

extension ValueRange {
    /// Reads `[low, high]`.
    public init(from decoder: any Decoder) throws {
        let numbers = try [Double](from: decoder)
        guard numbers.count == 2 else {
            throw RequestError("range has \(numbers.count) numbers; give two: [low, high]")
        }
        self.init(low: numbers[0], high: numbers[1])
    }

    public func encode(to encoder: any Encoder) throws {
        try [low, high].encode(to: encoder)
    }
}

extension MaskRule {
    /// Reads `auto`, `none`, or SCL classes with commas between: `0,1,3`.
    ///
    /// - Throws: `RequestError` for anything else.
    public init(_ text: String) throws {
        switch text.lowercased() {
        case "auto": self = .automatic
        case "none": self = .none
        default:
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let classes = parts.compactMap { part in Int(part.filter { $0 != " " }) }
            guard classes.count == parts.count else {
                throw RequestError(
                    "mask \(RequestError.quoted(text)) is not understood; write auto, none, or SCL classes "
                        + "with commas between, for example 3,8,9,10")
            }
            try Self.check(classes)
            self = .classes(classes)
        }
    }

    /// Reads `"auto"`, `"none"`, `"0,1,3"` or `[0, 1, 3]`.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do {
            self = .classes(try value.decode([Int].self))
        } catch is DecodingError {
            try self.init(value.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .automatic: try value.encode("auto")
        case .none: try value.encode("none")
        case .classes(let classes): try value.encode(classes)
        }
    }
}

/// Any key that stands in a file.
private struct WrittenKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }
}

private func refuseUnknownKeys(_ decoder: any Decoder, allowed: [some CodingKey], of owner: String) throws {
    let known = allowed.map(\.stringValue)
    let written = try decoder.container(keyedBy: WrittenKey.self).allKeys.map(\.stringValue)
    guard let unknown = written.filter({ !known.contains($0) }).min() else { return }
    throw RequestError(
        "\(owner) has an unknown key \(RequestError.quoted(unknown)); allowed are "
            + known.joined(separator: ", "))
}

extension KeyedDecodingContainer {
    /// One of the words of an enumeration; nil when the key is absent.
    fileprivate func choice<Choice>(_ key: Key) throws -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let word = try decodeIfPresent(String.self, forKey: key) else { return nil }
        guard let choice = Choice(rawValue: word) else {
            throw RequestError(
                "\(key.stringValue) cannot be \(RequestError.quoted(word)); it is one of "
                    + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}
