import CKernels

/// Overviews: each level is the 2 × 2 mean of the valid pixels of the one below (RASTER.md, Outputs).
public enum Overview {
    /// `rows` × `columns` pixels halved, odd edges rounded up.
    public static func halved(
        _ pixels: [Float], columns: Int, rows: Int
    ) -> (pixels: [Float], columns: Int, rows: Int) {
        let (width, height) = ((columns + 1) / 2, (rows + 1) / 2)
        let out = [Float](unsafeUninitializedCapacity: width * height) { buffer, count in
            arb_overview(pixels, columns, columns, rows, buffer.baseAddress!, width)
            count = width * height
        }
        return (out, width, height)
    }
}
