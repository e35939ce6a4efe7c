import CGDAL

/// An open raster file: one GDAL handle, used by one thread at a time (PLATFORM.md).
public final class Dataset {
    /// What the user called it; used in every message.
    public let address: String
    let handle: GDALDatasetH

    /// Opens a raster for reading.
    ///
    /// - Throws: `RasterError` with GDAL's own reason when the file is missing or no raster.
    public init(opening address: String) throws {
        if !address.hasPrefix("/vsi") { try VirtualFile.refuseSpecial(address) }
        let flags = UInt32(GDAL_OF_RASTER) | UInt32(GDAL_OF_READONLY) | UInt32(GDAL_OF_VERBOSE_ERROR)
        // TRUE: side-car files are tried by name, the folder is not listed; EMPTY_DIR: they are not tried at
        // all.
        let isRemote = address.hasPrefix("/vsi") && !address.hasPrefix("/vsizip/")
        let sideCars = isRemote && !PeerAddress.isOnDisk(address) ? "EMPTY_DIR" : "TRUE"
        let opened = GDALRuntime.with("GDAL_DISABLE_READDIR_ON_OPEN", sideCars) {
            GDALRuntime.capturing { GDALOpenEx(address, flags, nil, nil, nil) }
        }
        guard let handle = opened.value else {
            let reason = (opened.message ?? "GDAL gave no reason").asReason(about: address)
            throw RasterError(
                "cannot read \(address.onOneLine): \(reason); check the path, or drop the file from the job")
        }
        self.address = address
        self.handle = handle
    }

    deinit { GDALClose(handle) }

    /// Columns × rows.
    public var size: (columns: Int, rows: Int) {
        (Int(GDALGetRasterXSize(handle)), Int(GDALGetRasterYSize(handle)))
    }

    /// Bands in the file; their numbers start at 1.
    public var bandCount: Int { Int(GDALGetRasterCount(handle)) }

    /// The handle of band `number`, counted from 1.
    func band(_ number: Int) throws -> GDALRasterBandH {
        guard number >= 1, number <= bandCount, let band = GDALGetRasterBand(handle, Int32(number)) else {
            throw RasterError("\(shownAddress) has no band \(number); it has \(bandCount)")
        }
        return band
    }
}
