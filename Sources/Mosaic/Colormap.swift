/// The colours of the 8-bit picture: palette entries 1…255; entry 0 is transparent (RASTER.md, Outputs).
public enum Colormap: String, Codable, CaseIterable, Sendable {
    case rdylgn, grey, viridis, blues
}
