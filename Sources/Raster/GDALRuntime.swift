import CGDAL
import Foundation

/// GDAL's process-wide set-up and the way its errors reach us.
///
/// GDAL keeps the last error per thread, so it is read in the same synchronous section as the call that
/// failed (PLATFORM.md). Its own block cache is kept small: decoded blocks live in our `BlockCache`. Side-car
/// files (`.aux.xml`) are read, since real scenes keep their georeferencing there, but not looked for over a
/// network.
public enum GDALRuntime {
    /// Registers the drivers and sets the options, once a process.
    public static func start() { _ = once }

    private static let once: Void = {
        CPLSetErrorHandler(CPLQuietErrorHandler)
        for (key, value) in [
            ("GDAL_CACHEMAX", "64"), ("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR"),
            ("GDAL_NUM_THREADS", "1"), ("OGR_CT_FORCE_TRADITIONAL_GIS_ORDER", "YES"),
        ] where CPLGetConfigOption(key, nil) == nil {
            CPLSetConfigOption(key, value)
        }
        GDALAllRegister()
    }()

    /// Runs `body` with an option that holds on this thread only.
    static func with<T>(_ key: String, _ value: String, _ body: () throws -> T) rethrows -> T {
        start()
        let before = CPLGetThreadLocalConfigOption(key, nil).map { String(cString: $0) }
        CPLSetThreadLocalConfigOption(key, value)
        defer { CPLSetThreadLocalConfigOption(key, before) }
        return try body()
    }

    /// Runs `body` and hands back its result with the message that GDAL left on this thread, if any.
    public static func capturing<T>(_ body: () throws -> T) rethrows -> (value: T, message: String?) {
        start()
        CPLErrorReset()
        let value = try body()
        guard CPLGetLastErrorType().rawValue >= CE_Failure.rawValue else { return (value, nil) }
        let message = String(cString: CPLGetLastErrorMsg())
        return (value, message.isEmpty ? nil : message)
    }
}
