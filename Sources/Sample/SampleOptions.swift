/// How a sample's granules are stored.
public enum SampleFormat: String, CaseIterable, Codable, Sendable {
    /// A folder of cloud-optimised GeoTIFF bands with a STAC item, as Earth Search offers them.
    case cog
    /// A SAFE folder with JPEG 2000 bands, as ESA ships products.
    case safe
}

/// What `arbutus sample` writes.
public struct SampleOptions: Hashable, Sendable {
    /// Width and height of a granule in pixels of 10 m: even, 64 to 10980 (a whole Sentinel-2 tile).
    public var size: Int
    /// Acquisitions, five days apart, of two neighbouring tiles in turn; 1 to 12.
    public var granules: Int
    /// Another seed is another land with other weather.
    public var seed: UInt32
    public var format: SampleFormat
    /// Puts the second tile into the next UTM zone, so that a mosaic of the two must warp one.
    public var warp: Bool
    public var outputFolder: String
    /// Whether a sample that already lies in the output folder is replaced.
    public var force: Bool

    public init(
        outputFolder: String, size: Int = 1098, granules: Int = 2, seed: UInt32 = 1,
        format: SampleFormat = .cog,
        warp: Bool = false, force: Bool = false
    ) {
        self.outputFolder = outputFolder
        self.size = size
        self.granules = granules
        self.seed = seed
        self.format = format
        self.warp = warp
        self.force = force
    }

    /// Looks whether such granules can be.
    ///
    /// - Throws: `SampleError` for a size or a count that no sample can have.
    public func check() throws {
        guard (64...10_980).contains(size), size.isMultiple(of: 2) else {
            throw SampleError(
                "cannot make granules of \(size) px: a size is an even number from 64 to 10980 (10 m pixels)")
        }
        guard (1...12).contains(granules) else {
            throw SampleError("cannot make \(granules) granules: ask for 1 to 12")
        }
    }
}

/// A sample that cannot be made, as a sentence: what failed, why, what to do.
public struct SampleError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
