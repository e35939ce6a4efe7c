import ArgumentParser
import Mosaic

extension SelectionRule: ExpressibleByArgument {}
extension ClampRule: ExpressibleByArgument {}
extension Resampling: ExpressibleByArgument {}
extension Colormap: ExpressibleByArgument {}
extension ErrorRule: ExpressibleByArgument {}

/// REQUEST on the command line: flags, a request file, or both; a flag replaces the file's value.
struct RequestOptions: ParsableArguments {
    @Argument(
        help: "Scenes: SAFE folders or zips, folders of band files, rasters (the same as --scene).",
        completion: .file())
    var scenes: [String] = []

    @Option(
        name: .customLong("scene"), parsing: .upToNextOption,
        help: ArgumentHelp("Scenes in priority order, after those without a flag.", valueName: "path"),
        completion: .file())
    var moreScenes: [String] = []

    @Option(
        name: .customLong("request"),
        help: ArgumentHelp("A request in JSON or YAML; - reads stdin.", valueName: "file"),
        completion: .file())
    var requestFile: String?

    @Flag(help: "Write the request as JSON to stdout and stop.")
    var printRequest = false

    @Flag(help: "Write the JSON Schema of requests to stdout and stop.")
    var printRequestSchema = false

    @Option(help: ArgumentHelp("A title for the mosaic."))
    var title: String?

    @Option(
        name: .customLong("index"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "ndvi (the default), ndsi, ndwi, ndmi, nbr, evi, savi; repeatable.", valueName: "name"),
        completion: .list(SpectralIndex.builtInNames))
    var indices: [String] = []

    @Option(
        name: .customLong("expression"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "An index of your own over band names, with + - * / ( ) min max abs sqrt; repeatable.",
            valueName: "name=expr"))
    var expressions: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Bands of a multi-band raster: red=1,nir=2.", valueName: "name=number,…"))
    var bands: String?

    @OptionGroup(title: "Area")
    var area: AreaOptions

    @OptionGroup(title: "Rules")
    var rules: RuleOptions

    @OptionGroup(title: "Outputs")
    var outputs: OutputOptions
}

struct AreaOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The area in degrees; west > east crosses 180°.", valueName: "w,s,e,n"))
    var bbox: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The area by two opposite corners, in any order.", valueName: "lat lon lat lon"))
    var corners: String?

    @Option(
        help: ArgumentHelp("GeoJSON whose polygons cut the mosaic.", valueName: "file.geojson"),
        completion: .file(extensions: ["geojson", "json"]))
    var clip: String?

    @Option(help: ArgumentHelp("EPSG:… or WKT; default: the scenes' own.", valueName: "crs"))
    var crs: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Pixel size in CRS units; default: the finest band's.", valueName: "size"))
    var resolution: String?

    /// The area asked for, if any.
    func area() throws -> Area? {
        switch (bbox, corners) {
        case (nil, nil): return nil
        case (let bbox?, nil):
            let edges = try ArgumentText.numbers(bbox, option: "--bbox", form: "W,S,E,N")
            return Area(west: edges[0], south: edges[1], east: edges[2], north: edges[3])
        case (nil, let corners?):
            let numbers = try ArgumentText.numbers(corners, option: "--corners", form: "LAT,LON,LAT,LON")
            return Area(
                cornerLatitude: numbers[0], longitude: numbers[1], otherLatitude: numbers[2],
                otherLongitude: numbers[3])
        case (_?, _?):
            throw RequestError("--bbox and --corners both give the area; give one of them")
        }
    }
}

struct RuleOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Which scene gives the pixel (default: first).", valueName: "rule"))
    var select: SelectionRule?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "SCL classes to hide, none, or auto: 0,1,3,8,9,10 (the default).", valueName: "list"))
    var mask: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Grow masked areas by so many metres.", valueName: "metres"))
    var maskBuffer: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The offset of all scenes; settles every conflict (often -1000).", valueName: "dn")
    )
    var offset: String?

    @Option(help: ArgumentHelp("What a reflectance below 0 becomes (default: zero).", valueName: "rule"))
    var clamp: ClampRule?

    @Option(
        help: ArgumentHelp("How scenes of another grid are warped (default: bilinear).", valueName: "kernel"))
    var resampling: Resampling?

    @Option(
        help: ArgumentHelp("What a task that fails does to the job (default: partial).", valueName: "rule"))
    var onError: ErrorRule?
}

struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The PNG's colours (default: rdylgn; blues for ndsi).", valueName: "name"))
    var colormap: Colormap?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Values of the first and the last colour (default: -1,1).", valueName: "lo,hi"))
    var range: String?

    @Flag(inversion: .prefixedNo, help: "The 8-bit picture beside the COG (default: --png).")
    var png: Bool?

    @Flag(inversion: .prefixedNo, help: "Also a picture in web mercator, for maps.")
    var overlay: Bool?

    @Flag(inversion: .prefixedNo, help: "Also scene, date and reason of each pixel.")
    var provenance: Bool?
}

extension RequestOptions {
    /// The request that the flags and the request file make together; not yet validated.
    ///
    /// - Throws: `RequestError` for values that cannot be understood and for a file that cannot be read.
    func request() throws -> MosaicRequest {
        var request = try requestFile.map(RequestFile.read) ?? MosaicRequest()
        request.title = title ?? request.title
        if !indices.isEmpty { request.indices = indices }
        if !expressions.isEmpty { request.expressions = try expressions.map(ArgumentText.expression) }
        if !(scenes + moreScenes).isEmpty { request.scenes = scenes + moreScenes }
        if let bands { request.bands = try ArgumentText.bands(bands) }
        request.area = try area.area() ?? request.area
        request.clip = area.clip ?? request.clip
        request.crs = area.crs ?? request.crs
        if let size = area.resolution {
            request.resolution = try ArgumentText.number(size, option: "--resolution", unit: "CRS units")
        }
        try rules.apply(to: &request)
        try outputs.apply(to: &request)
        return request
    }
}

extension RuleOptions {
    func apply(to request: inout MosaicRequest) throws {
        request.select = select ?? request.select
        if let mask { request.mask = try MaskRule(mask) }
        if let maskBuffer {
            request.maskBuffer = try ArgumentText.number(maskBuffer, option: "--mask-buffer", unit: "metres")
        }
        if let offset { request.offset = try ArgumentText.number(offset, option: "--offset", unit: "DN") }
        request.clamp = clamp ?? request.clamp
        request.resampling = resampling ?? request.resampling
        request.onError = onError ?? request.onError
    }
}

extension OutputOptions {
    func apply(to request: inout MosaicRequest) throws {
        request.colormap = colormap ?? request.colormap
        if let range {
            let ends = try ArgumentText.numbers(range, option: "--range", form: "LO,HI")
            request.range = ValueRange(low: ends[0], high: ends[1])
        }
        request.png = png ?? request.png
        request.overlay = overlay ?? request.overlay
        request.provenance = provenance ?? request.provenance
    }
}

extension RequestOptions {
    /// The request, checked.
    func validated() throws -> MosaicRequest {
        let request = try request()
        try request.validate()
        return request
    }

    /// Does what `--print-request` and `--print-request-schema` ask for.
    ///
    /// - Returns: whether there was such a wish, so that nothing is left to do.
    func printsOnly() throws -> Bool {
        if printRequestSchema {
            try Terminal.print(RequestSchema.text)
            return true
        }
        guard printRequest else { return false }
        let request = try request()
        // A request without scenes is a template; everything else of it must still be right.
        if request.scenes.isEmpty { _ = try SpectralIndex.resolve(request) } else { try request.validate() }
        try Terminal.print(try JSONText.of(request))
        return true
    }
}
